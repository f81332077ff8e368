"""People who are named in texts as `@name`."""

import re

__all__ = ["mentioned"]

# what stands before tells a name from a mail address
_NAME = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{3,50})(?!\w)")


def mentioned(text: str) -> set[str]:
    """The names in the text, in lower case as `username_key` has them."""
    return {name.lower() for name in _NAME.findall(text)}
