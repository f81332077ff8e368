"""Playlist files as other programs write them, and what is said of bad ones."""

import json
import time
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import AppError
from app.playlists.files import MOST_BYTES, MOST_ENTRIES, BadPlaylistFile, Entry, FileTooLarge, PlaylistFile
from app.playlists.files_formats import FORMATS, FormatName, read_file

MBID = UUID("e8f9b188-f819-4e43-ab0f-4bd26ce9ff56")
SPOTIFY = "0ETFjACtuP2ADo6LFhL6HN"

VLC = """#EXTM3U
#PLAYLIST:Late shift
#EXTINF:259,The Beatles - Come Together
../Music/The%20Beatles/01.flac
#EXTINF:-1 tvg-id="x, y" group-title="News, live",Some radio
http://radio.example/stream

# a remark
#EXTINF:181.5,Something
#EXTART:The Beatles
#EXTALB:Abbey Road
C:\\Music\\02 - Something.mp3
/music/Nina Simone - 03_Sinnerman.mp3
"""

XSPF = """<?xml version="1.0" encoding="UTF-8"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/" xmlns:vlc="http://www.videolan.org/vlc/playlist/ns/0/">
  <title>Late &amp; slow</title>
  <creator>ana</creator>
  <annotation>One
two</annotation>
  <trackList>
    <track>
      <location>file:///music/01.flac</location>
      <identifier>https://musicbrainz.org/recording/e8f9b188-f819-4e43-ab0f-4bd26ce9ff56</identifier>
      <title>Come Together</title><creator>The Beatles</creator><album>Abbey Road</album>
      <duration>259000</duration>
      <extension application="http://www.videolan.org/vlc/playlist/0"><vlc:id>0</vlc:id><title>no</title></extension>
    </track>
    <track><title>Something</title></track>
  </trackList>
</playlist>
"""

EXPORTIFY = f"""Track URI,Track Name,Album Name,Artist Name(s),Release Date,Track Duration (ms),ISRC,Added By
spotify:track:{SPOTIFY},"Come Together, remixed",Abbey Road,The Beatles,1969-09-26,259000,GB-AYE-06-01690,
spotify:local:x:y:z:1,Something,,"The Beatles;Ana",,,,
"""


def read(text: str, name: FormatName | None = None) -> Any:
    return read_file(text.encode(), name=name)[1]


def test_m3u_as_players_write_it() -> None:
    found = read(VLC)
    assert found.title == "Late shift"
    assert found.entries == [
        Entry("Come Together", "The Beatles", duration_ms=259_000, location="../Music/The%20Beatles/01.flac"),
        Entry("Some radio", location="http://radio.example/stream"),
        Entry("Something", "The Beatles", "Abbey Road", 181_500, location="C:\\Music\\02 - Something.mp3"),
        Entry("03 Sinnerman", "Nina Simone", location="/music/Nina Simone - 03_Sinnerman.mp3"),
    ]


def test_m3u_of_old_players() -> None:
    found = read_file("#EXTM3U\r\n#EXTINF:5,Björk - Jóga\r\na.mp3\r\n".encode("cp1252"), file_name="old.m3u")[1]
    assert found.entries == [Entry("Jóga", "Björk", duration_ms=5000, location="a.mp3")]


def test_m3u_of_uris_alone() -> None:
    found = read(f"#EXTM3U\nspotify:track:{SPOTIFY}\nhttps://open.spotify.com/intl-de/track/{SPOTIFY}?si=1\n")
    assert found.entries == [Entry(spotify_id=SPOTIFY)] * 2


def test_m3u_is_read_by_players_that_know_nothing_of_us() -> None:
    lines = FORMATS["m3u8"].write(read(VLC)).decode().splitlines()
    plain = [line for line in lines if not line.startswith("#SOUNDSCORE:")]
    assert plain[:4] == [
        "#EXTM3U",
        "#PLAYLIST:Late shift",
        "#EXTINF:259,The Beatles - Come Together",
        "../Music/The%20Beatles/01.flac",
    ]


@pytest.mark.parametrize(
    "entry", [Entry("1", "#"), Entry("#1", ""), Entry("x", location="#x"), Entry("#", location="#")]
)
def test_a_name_with_a_sign_is_no_comment_of_m3u(entry: Entry) -> None:
    written = FORMATS["m3u8"].write(PlaylistFile("", [entry]))
    assert read_file(written, name="m3u8")[1].entries == [entry]


def test_xspf_as_players_write_it() -> None:
    found = read(XSPF)
    assert (found.title, found.creator, found.description) == ("Late & slow", "ana", "One\ntwo")
    ids = {"musicbrainz_id": MBID, "location": "file:///music/01.flac"}
    assert found.entries == [Entry("Come Together", "The Beatles", "Abbey Road", 259_000, **ids), Entry("Something")]


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_xspf_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = XSPF.replace("UTF-8", encoding).replace("Late", "Später")
    assert read_file(text.encode(encoding), name="xspf")[1].title == "Später & slow"


def test_jspf_of_listenbrainz() -> None:
    track = {
        "identifier": [f"https://musicbrainz.org/recording/{MBID}"],
        "title": "Come Together",
        "duration": 259000.4,
    }
    document = {"playlist": {"title": "Weekly", "annotation": "<p>x</p>", "track": [track, {"title": "Two"}]}}
    found = read(json.dumps(document))
    assert found.entries == [Entry("Come Together", duration_ms=259_000, musicbrainz_id=MBID), Entry("Two")]
    assert read('{"playlist": {"title": "None"}}').entries == []


def test_csv_of_other_programs() -> None:
    found = read(EXPORTIFY)
    assert found.entries == [
        Entry("Come Together, remixed", "The Beatles", "Abbey Road", 259_000, "GBAYE0601690", SPOTIFY),
        Entry("Something", "The Beatles;Ana"),
    ]
    assert read("Artist;Title;Time\nNina Simone;Sinnerman;10:19\n;Untitled;1:00:00\n").entries == [
        Entry("Sinnerman", "Nina Simone", duration_ms=619_000),
        Entry("Untitled", duration_ms=3_600_000),
    ]


def test_a_spreadsheet_runs_no_title() -> None:
    cells = (
        FORMATS["csv"].write(PlaylistFile("", [Entry("=HYPERLINK(1)", "-x", "@y")])).decode("utf-8-sig").splitlines()
    )
    assert cells[1].startswith("'=HYPERLINK(1),'-x,'@y,")


BAD: list[tuple[str, str, list[int], str]] = [
    ("m3u8", "#EXTM3U\n#EXTINF:abc,x\na.mp3\n", [2], "needs seconds"),
    ("m3u8", "#EXTM3U\n\n#EXTINF:1,x\n", [3], "no location follows"),
    ("m3u8", "#EXTM3U\n#EXTINF:1,x\n#EXTINF:1,y\na.mp3", [3], "line 2 announces"),
    ("m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n", [2], "HLS"),
    ("m3u8", "#EXTM3U\n#SOUNDSCORE:{\na.mp3", [2], "no JSON"),
    ("m3u8", '#EXTM3U\n#EXTINF:1,x\n#SOUNDSCORE:{"track_id":"x"}\na.mp3', [3], "UUID"),
    ("m3u8", "#EXTM3U\n#EXTINF:99999999,x\na.mp3", [2], "24 hours"),
    ("m3u8", "#EXTM3U\na.mp3\n\0\n", [3], "NUL"),
    ("m3u8", f"#EXTM3U\n#EXTINF:1,{'x' * 501}\na.mp3", [3], "500 letters"),
    ("xspf", "<playlist>\n<trackList>\n<track>\n</trackList>", [4], "mismatched tag"),
    ("xspf", "<playlist><trackList>\n<track><title>x</title><duration>3:15</duration></track></trackList></playlist>",
     [2], "milliseconds"),
    ("xspf", "<playlist><trackList>\n<track>\n<album>y</album></track></trackList></playlist>", [2], "no title"),
    ("xspf", "<rss/>", [1], "begins with <playlist>"),
    ("xspf", '<?xml version="1.0"?>\n<!DOCTYPE p [<!ENTITY a "b">]>\n<playlist/>', [2], "document type"),
    ("xspf", '<?xml version="1.0" encoding="nonsense"?>\n<playlist/>', [1], "encoding"),
    ("xspf", "<playlist>" + "<a>" * 60, [1], "too deeply"),
    ("jspf", '{"playlist": {\n"title": }', [2], "No valid JSON"),
    ("csv", "a,b\n1,2\n", [1], "names no title"),
    ("csv", "title,artist\nx,y\nx,y,z\n\nx\n", [3, 5], "3 cells"),
    ("csv", "title,isrc,duration\nx,12,\ny,,abc\n", [2, 3], "ISRC"),
    ("csv", 'title\n"x\ny\n', [2], "unexpected end"),
    ("csv", "title,album\n,y\n", [2], "no title"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "lines", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_with_the_lines_that_are_wrong(
    name: FormatName, text: str, lines: list[int], said: str
) -> None:
    with pytest.raises(BadPlaylistFile) as caught:
        read(text, name)
    assert caught.value.extra["lines"] == lines
    assert said in caught.value.detail
    assert [fault.pointer for fault in caught.value.faults] == ["/body"] * len(lines)


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ([], ["/body/playlist"]),
        ({"playlist": {"track": 5}}, ["/body/playlist/track"]),
        ({"playlist": {"track": [{"title": "x"}, 5, {"title": 5}]}}, ["/1", "/2/title", "/2"]),
        ({"playlist": {"track": [{"title": "x", "duration": "3:15"}]}}, ["/0/duration"]),
        ({"playlist": {"track": [{"title": "x", "duration": -1}]}}, ["/0/duration"]),
        ({"playlist": {"track": [{"title": "x", "duration": 10**400}]}}, ["/0/duration"]),
        ({"playlist": {"track": [{"identifier": [5]}]}}, ["/0/identifier", "/0"]),
        ({"playlist": {"title": ["x"]}}, ["/body/playlist/title"]),
    ],
)
def test_a_bad_jspf_is_refused_with_the_elements_that_are_wrong(document: Any, pointers: list[str]) -> None:
    with pytest.raises(BadPlaylistFile) as caught:
        read(json.dumps(document), "jspf")
    assert [fault.pointer.removeprefix("/body/playlist/track") for fault in caught.value.faults] == [
        pointer.removeprefix("/body/playlist/track") for pointer in pointers
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("jspf", '{"playlist":' + "[" * 200_000),
        ("jspf", '{"playlist": {"track": [' + ",\n".join(['{"title": "x", "duration": -1}'] * 100_000) + "]}}"),
        ("jspf", '{"playlist": {"track": [{"title": "x", "duration": ' + "9" * 5000 + "}]}}"),
        ("xspf", "<playlist>" + "<a>" * 1_000_000),
        ("csv", "title\n" + '"' * 1_000_001),
        ("m3u8", "#EXTM3U\n#EXTINF:" + "1 a=" * 500_000),
    ],
)
def test_a_hostile_file_costs_little(name: FormatName, text: str) -> None:
    started = time.process_time()
    with pytest.raises(AppError):
        read(text, name)
    assert time.process_time() - started < 2


def test_a_file_is_limited() -> None:
    with pytest.raises(FileTooLarge, match="5 MB"):
        read_file(b"#" * (MOST_BYTES + 1))
    rows = "\n".join(["title", *["x"] * MOST_ENTRIES])
    assert len(read(rows).entries) == MOST_ENTRIES
    with pytest.raises(FileTooLarge, match="10,000"):
        read(rows + "\nx")


def test_faults_are_told_together_up_to_twenty() -> None:
    with pytest.raises(BadPlaylistFile) as caught:
        read("title,artist\n" + "x\n" * 100)
    assert caught.value.extra["lines"] == list(range(2, 22))


@pytest.mark.parametrize("body", [b"", b"  \n", b"what is this", b"\x89PNG\r\n\x1a\n\0\0\0"])
def test_what_is_no_playlist_is_refused(body: bytes) -> None:
    with pytest.raises(BadPlaylistFile):
        read_file(body)


def test_attributes_that_never_end_cost_what_they_are_long() -> None:
    began = time.process_time()
    with pytest.raises(BadPlaylistFile, match="EXTINF"):
        read("#EXTM3U\n#EXTINF:1 {}!\nx\n".format('a="" ' * 4000), "m3u8")
    assert time.process_time() - began < 1


def test_extras_of_nothing_are_nothing() -> None:
    found = read('#EXTM3U\n#EXTINF:1,Somebody - Something\n#SOUNDSCORE:{"title":null,"album":null}\nx\n', "m3u8")
    assert found.entries == [Entry("Something", "Somebody", duration_ms=1000, location="x")]


def test_names_of_any_length_come_back() -> None:
    entry = Entry("y" * 500, "a - " + "x" * 490)
    written = FORMATS["m3u8"].write(PlaylistFile("Long", [entry]))
    assert read_file(written, name="m3u8")[1].entries == [entry]
