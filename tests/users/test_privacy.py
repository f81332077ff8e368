"""Who sees what of whom: every profile setting times everybody who may ask."""

import httpx
import pytest

from app.core.infra import Infra
from tests.people import People, Person, queries

OPEN = {
    "everyone": {"anonymous", "stranger", "follower", "owner"},
    "followers": {"follower", "owner"},
    "me": {"owner"},
}


@pytest.mark.parametrize("setting", OPEN)
@pytest.mark.parametrize("reader", ["anonymous", "stranger", "follower", "owner", "blocked", "blocker"])
async def test_matrix(people: People, client: httpx.AsyncClient, setting: str, reader: str) -> None:
    owner = await people.make("owner", bio="Secret", location="Recife", review_count=1, rating_sum=7)
    other = await people.make(reader)
    path = f"/users/{owner.username}"
    if reader == "follower":
        assert (await other.put(f"{path}/follow")).status_code == 200
    if reader == "blocked":
        assert (await owner.put(f"/users/{other.username}/block")).status_code == 204
    if reader == "blocker":
        assert (await other.put(f"{path}/block")).status_code == 204
    await owner.patch("/users/me", json={"profile_visibility": setting})
    asking: httpx.AsyncClient = {"anonymous": client, "owner": owner}.get(reader, other)

    profile = await asking.get(path)
    lists = [await asking.get(f"{path}/{kind}") for kind in ("followers", "following")]
    if reader in {"blocked", "blocker"}:
        assert [(answer.status_code, answer.json()["code"]) for answer in (profile, *lists)] == [(404, "not_found")] * 3
        return
    may = reader in OPEN[setting]
    body = profile.json()
    assert profile.status_code == 200
    assert body["restricted"] is not may
    assert (body["username"], body["display_name"], body["review_count"]) == (owner.username, "Owner", 1)
    assert (body["bio"], body["location"], body["mean_rating"]) == (
        ("Secret", "Recife", 7.0) if may else ("", "", None)
    )
    codes = [(answer.status_code, answer.json().get("code")) for answer in lists]
    assert codes == ([(200, None)] * 2 if may else [(404, "profile_restricted")] * 2)


async def test_relations_are_told_to_those_concerned(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    await ana.put(f"/users/{bob.username}/follow")
    await bob.put(f"/users/{ana.username}/mute")

    async def relation(reader: Person, person: Person) -> tuple[bool, bool, bool]:
        body = (await reader.get(f"/users/{person.username}")).json()
        return body["is_following"], body["follows_you"], body["is_muted"]

    assert await relation(ana, bob) == (True, False, False)
    assert await relation(bob, ana) == (False, True, True)


async def test_a_restricted_list_costs_one_statement(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana", profile_visibility="me"), await people.make("bob")
    async with queries(infra) as ran:
        assert (await bob.get(f"/users/{ana.username}/followers")).status_code == 404
    assert ran == [1]
