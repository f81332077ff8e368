"""What is wrong in a JSON file is told with its line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.playlists.files import BadPlaylistFile
from app.playlists.files_formats import read_file
from app.playlists.json_lines import lines_of

BAD_JSPF = """{
  "playlist": {
    "track": [], "track": [
      {"title": "x", "extension": {"a/b": [1, {"duration": 5}], "~": "{]\\"}"}, "duration": 1000},
      {"title": "y",
       "album": "\\u00e9, \\"z\\"", "duration": 12,
       "duration": "3:15"},
      5,
      {"identifier": [
        5]},
      {"title": "z", "duration": -%s}
    ],
    "title":
      [ ]
  }
}"""


def test_a_bad_jspf_is_refused_with_the_lines_of_its_elements() -> None:
    with pytest.raises(BadPlaylistFile) as caught:
        read_file((BAD_JSPF % ("9" * 5000)).encode(), name="jspf")
    track = "/body/playlist/track"
    told = zip(caught.value.extra["lines"], caught.value.faults, strict=True)
    assert [(line, fault.pointer) for line, fault in told] == [
        (7, f"{track}/1/duration"),
        (8, f"{track}/2"),
        (9, f"{track}/3/identifier"),
        (9, f"{track}/3"),
        (11, f"{track}/4/duration"),
        (14, "/body/playlist/title"),
    ]
    assert caught.value.faults[0].detail == "Line 7: Track 2: its duration is a number of milliseconds."
    assert caught.value.faults[1].detail == "Line 8: A track is an object."


PLAIN = st.none() | st.booleans() | st.integers() | st.text()
DOCUMENTS = st.recursive(PLAIN, lambda some: st.lists(some, max_size=4) | st.dictionaries(st.text(), some, max_size=4))


@given(DOCUMENTS, st.booleans())
def test_every_value_of_a_json_text_is_found_on_its_line(document: Any, wide: bool) -> None:
    text = json.dumps(document, indent=2 if wide else None, ensure_ascii=wide)
    values = dict(_values(document, ""))
    found = lines_of(text, values, json.JSONDecoder())
    assert found.keys() == values.keys()
    lines = text.split("\n")
    for pointer, line in found.items():
        begins = {dict: "{", list: "["}.get(type(values[pointer]), json.dumps(values[pointer], ensure_ascii=wide))
        assert begins in lines[line - 1]
    assert sorted(found.values()) == [found[pointer] for pointer in values], "they are in the order of the text"


def _values(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    yield pointer, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _values(one, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
