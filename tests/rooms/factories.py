"""Rooms over HTTP."""

from itertools import count
from typing import Any

from tests.people import People, Person

__all__ = ["get_in", "open_room", "with_members"]

_numbers = count(1)


async def open_room(owner: Person, **fields: Any) -> dict[str, Any]:
    """A new room of a name of its own."""
    answer = await owner.post("/rooms", json={"name": f"Room {owner.id.hex[-12:]} {next(_numbers)}", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def get_in(person: Person, room: dict[str, Any], **entrance: str) -> dict[str, Any]:
    """Joins."""
    answer = await person.post(f"/rooms/{room['id']}/join", json=entrance)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def with_members(people: People, *roles: str, **fields: Any) -> tuple[dict[str, Any], list[Person]]:
    """A room with its owner and a member of each of the roles, in this order."""
    owner = await people.make("owner")
    room = await open_room(owner, **fields)
    inside = [owner]
    for role in roles:
        person = await people.make(role)
        await get_in(person, room)
        given = await owner.put(f"/rooms/{room['id']}/members/{person.username}/role", json={"role": role})
        assert given.status_code == 200, given.text
        inside.append(person)
    return room, inside
