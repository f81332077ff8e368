"""What tests of chat begin with."""

import pytest

from tests.chat.pairs import Pair, begin
from tests.people import People


@pytest.fixture
async def pair(people: People) -> Pair:
    """A new conversation."""
    return await begin(people)
