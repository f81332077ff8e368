"""What is written into a file of any format is read back as it was."""

from dataclasses import asdict, replace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.errors import AppError
from app.playlists.files import Entry, PlaylistFile, checked, prose, tidy
from app.playlists.files_formats import FORMATS, FormatName, format_of, read_file
from app.playlists.identifiers import identify, uris_of

FORMAT_NAMES = get_args(FormatName)
LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
AWKWARD = ["Artist - Title", "=SUM(A1)", "'=1", "''-x", "#1 Crush", "#EXTINF:1,x", 'say "when"', "a,b;c\td", "<b>&amp;"]
AWKWARD += [
    "]]>",
    "- -",
    "A - ",
    " - B",
    "99 Luftballons.mp3",
    "\u2028",
    "🎷",
    "é",
    "e\u0301",
    "-1",
    "@home",
    "{}",
    "\\n",
]
words = (st.text(max_size=40) | st.sampled_from(AWKWARD)).map(tidy)
lengths = st.none() | st.integers(1, 24 * 3600 * 1000)
isrcs = st.none() | st.tuples(
    st.sampled_from(["GB", "US"]), st.text(LETTERS, min_size=3, max_size=3), st.integers(0, 9_999_999)
).map(lambda it: f"{it[0]}{it[1]}{it[2]:07}")
spotify_ids = st.none() | st.text(LETTERS + "abcxyz", min_size=22, max_size=22)
locations = words.filter(lambda it: not identify(it))


@st.composite
def entries(draw: Any) -> Entry:
    """An entry as reading gives them: with something by which to know it."""
    return Entry(
        title=draw(words.filter(bool)) if (titled := draw(st.booleans())) else "",
        artist=draw(words),
        album=draw(words),
        duration_ms=draw(lengths),
        isrc=draw(isrcs),
        spotify_id=draw(spotify_ids),
        musicbrainz_id=draw(st.none() | st.uuids()),
        track_id=draw(st.none() | st.uuids()),
        location=draw(locations if titled else locations.filter(bool)),
    )


playlists = st.builds(
    PlaylistFile,
    title=words,
    entries=st.lists(entries(), max_size=6),
    description=st.text(max_size=60).map(prose),
    creator=words,
)


def read_or_refused(body: bytes, name: FormatName) -> PlaylistFile | AppError:
    """Nothing else may come of a file."""
    try:
        return read_file(body, name=name)[1]
    except AppError as error:
        return error


@pytest.mark.parametrize("name", FORMAT_NAMES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(playlist=playlists)
@example(playlist=PlaylistFile("", [Entry(location="0"), Entry(artist="#", location="#")]))
def test_what_is_written_is_read_back(name: FormatName, playlist: PlaylistFile) -> None:
    read = FORMATS[name].read(FORMATS[name].write(playlist))
    assert read == (replace(playlist, title="", description="", creator="") if name == "csv" else playlist)


@settings(max_examples=150, deadline=None)
@given(playlist=playlists, name=st.sampled_from(FORMAT_NAMES))
def test_a_file_tells_its_format(playlist: PlaylistFile, name: FormatName) -> None:
    format_ = FORMATS[name]
    body = format_.write(playlist)
    assert format_of(body) == name
    assert format_of(b"?", content_type=f"{format_.media_type}; charset=utf-8") == name
    assert {format_of(b"?", file_name=f"Mine{ending.upper()}") for ending in format_.endings} == {name}


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), name=st.sampled_from(FORMAT_NAMES))
def test_no_file_breaks_a_reader(body: bytes, name: FormatName) -> None:
    """Anything is either read or refused."""
    read = read_or_refused(body, name)
    if isinstance(read, PlaylistFile):
        assert [checked(**asdict(entry)) for entry in read.entries] == read.entries
    else:
        assert read.status in {413, 422}
        assert read.detail


@settings(max_examples=200, deadline=None)
@given(playlist=playlists, name=st.sampled_from(FORMAT_NAMES), data=st.data())
def test_a_damaged_file_is_read_or_refused(playlist: PlaylistFile, name: FormatName, data: st.DataObject) -> None:
    body = bytearray(FORMATS[name].write(playlist))
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    read = read_or_refused(bytes(body), name)
    assert isinstance(read, PlaylistFile) or read.status in {413, 422}


@given(entry=entries())
def test_identifiers_are_uris(entry: Entry) -> None:
    found: dict[str, Any] = {}
    for uri in uris_of(entry):
        found |= identify(uri)
    ids = {name: getattr(entry, name) for name in ("track_id", "musicbrainz_id", "isrc", "spotify_id")}
    assert found == {name: value for name, value in ids.items() if value}
