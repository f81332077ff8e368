"""Names as people mean them: without case, accents and punctuation, so that they can be compared and searched."""

import re
import unicodedata

__all__ = ["MOST_WORDS", "name_key", "search_words"]

MOST_WORDS = 12
"""Words of a query that count: longer titles are found by fewer."""

_SHORT_I = "и\u0306"  # a letter of its own, which decomposition takes for an accented one
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "&": " and ", "$": "s"}
    | dict.fromkeys("'’‘ʼ`´′\\")
)
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_]\.){2,}[^\W\d_]?(?!\w)")
_WORD = re.compile(r"[^\W_]+")


def name_key(name: str) -> str:
    """The words of a name with one space between them. A name of signs alone keeps its signs."""
    plain = _plain(name)
    initials = _INITIALS.sub(lambda found: found[0].replace(".", ""), plain)
    words = _WORD.findall(initials)
    return " ".join(words) if words else "".join(plain.split())


def search_words(query: str) -> list[str]:
    """The first words of what somebody typed."""
    return list(dict.fromkeys(name_key(query).split()))[:MOST_WORDS]


def _plain(name: str) -> str:
    """In lower case, without accents."""
    folded = name.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded).replace(_SHORT_I, "й")
        folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return folded.translate(_LETTERS)
