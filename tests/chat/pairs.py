"""Two people in a conversation."""

from typing import NamedTuple

from tests.people import People, Person

__all__ = ["Pair", "begin"]


class Pair(NamedTuple):
    """A conversation."""

    ana: Person
    bruno: Person
    id: str

    @property
    def path(self) -> str:
        return f"direct/{self.id}"

    @property
    def rest(self) -> str:
        return f"/chat/{self.id}/messages"


async def begin(people: People) -> Pair:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    opened = await ana.put(f"/direct/{bruno.username}")
    assert opened.status_code == 200, opened.text
    return Pair(ana, bruno, opened.json()["id"])
