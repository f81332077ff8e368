"""Groups for tests."""

from typing import Any

from tests.people import Person

__all__ = ["add_group", "codes", "join", "promote", "there"]


async def add_group(owner: Person, **fields: Any) -> dict[str, Any]:
    """A group of the owner's."""
    answer = await owner.post("/groups", json={"name": "Late night jazz"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def join(group: dict[str, Any], *people: Person) -> None:
    """People come into a public group."""
    for person in people:
        answer = await person.post(f"/groups/{group['id']}/join")
        assert answer.status_code == 200, answer.text


async def promote(by: Person, group: dict[str, Any], person: Person, role: str) -> None:
    """Gives a member a role."""
    answer = await by.patch(f"/groups/{group['id']}/members/{person.id}", json={"role": role})
    assert answer.status_code == 200, answer.text


async def there(reader: Person, group: dict[str, Any]) -> dict[str, str]:
    """The members by their ids, in the order of the list, with their roles."""
    answer = await reader.get(f"/groups/{group['id']}/members", params={"limit": 100})
    assert answer.status_code == 200, answer.text
    return {member["user"]["id"]: member["role"] for member in answer.json()["items"]}


def codes(*answers: Any) -> list[tuple[int, str]]:
    """Statuses and problem codes."""
    return [(answer.status_code, answer.json()["code"]) for answer in answers]
