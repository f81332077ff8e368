"""The algorithms under search: keys of names, distances, remains."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.spelling import Distance, distance, remains
from app.core.text import name_key, search_words


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Sgt. Pepper's Lonely", "sgt peppers lonely"),
        ("R.E.M.", "rem"),
        ("AC/DC", "ac dc"),
        ("Sigur Rós — Ágætis byrjun", "sigur ros agaetis byrjun"),
        ("Ёлка и Йод", "елка и йод"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("A$AP Rocky", "asap rocky"),
        ("Motörhead", "motorhead"),
        ("Straße", "strasse"),
        ("ﬁne  print", "fine print"),
        ("÷", "÷"),
        ("???", "???"),
        ("'", ""),
        ("방탄소년단", "방탄소년단"),
    ],
)
def test_keys_of_names(name: str, key: str) -> None:
    assert unicodedata.normalize("NFC", name_key(name)) == key
    assert name_key(name_key(name)) == name_key(name)


@given(st.text(max_size=60))
def test_a_key_can_stand_in_a_query(name: str) -> None:
    key = name_key(name)
    assert not set("'\\\0") & set(key.replace("\0", ""))
    assert key == " ".join(key.split())


def test_a_query_has_few_words_each_once() -> None:
    assert search_words("La la LA lá land") == ["la", "land"]
    assert len(search_words(" ".join(f"w{i}" for i in range(50)))) == 12


@pytest.mark.parametrize(
    ("typed", "word", "expected"),
    [
        ("abc", "abc", Distance(0, 0)),
        ("", "abc", Distance(3, 0)),
        ("abd", "abc", Distance(1, 1)),
        ("acb", "abc", Distance(1, 1)),
        ("ab", "abcd", Distance(2, 0)),
        ("abcd", "ab", Distance(2, 2)),
        ("земфиа", "земфира", Distance(1, 1)),
        ("radioha", "radiohead", Distance(2, 1)),
    ],
)
def test_distances(typed: str, word: str, expected: Distance) -> None:
    assert distance(typed, word) == expected


WORDS = st.text(alphabet="abcde", min_size=3, max_size=12)


@given(WORDS, WORDS)
def test_a_distance_is_symmetric(one: str, other: str) -> None:
    assert distance(one, other).whole == distance(other, one).whole
    assert abs(len(one) - len(other)) <= distance(one, other).whole <= max(len(one), len(other))


@given(WORDS, st.data())
def test_one_edit_leaves_something_in_common(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdez"))
    edits = [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    ]
    for typed in edits:
        if len(typed) >= 3:
            assert set(remains(word)) & set(remains(typed)), typed


def test_remains_are_few() -> None:
    assert remains("ab") == remains("1999") == remains("a" * 41) == []
    assert remains("abc") == ["ab", "abc", "ac", "bc"]
    assert len(remains("abcdefghijkl")) == 1 + 7 + 21
