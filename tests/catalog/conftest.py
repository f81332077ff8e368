"""Who edits the catalogue in these tests."""

import pytest

from tests.people import People, Person


@pytest.fixture(scope="session")
async def curator(people: People) -> Person:
    """Somebody who may edit the catalogue."""
    return await people.make("curator", role="curator")
