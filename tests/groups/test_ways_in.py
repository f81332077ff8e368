"""Invitations and links."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from app.core.infra import Infra
from app.core.job_runner import drain
from tests.groups.factories import add_group, codes, join, promote, there
from tests.people import People, Person


async def invite(by: Person, group: dict[str, Any], person: Person) -> dict[str, Any]:
    answer = await by.post(f"/groups/{group['id']}/invites", json={"username": person.username})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_invitation_is_accepted_or_declined(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana, is_private=True)
    made = await invite(ana, group, bob)
    assert (made["user"]["id"], made["invited_by"]["id"]) == (str(bob.id), str(ana.id))
    assert [item["id"] for item in (await ana.get(f"/groups/{group['id']}/invites")).json()["items"]] == [made["id"]]
    (got,) = (await bob.get("/groups/invites")).json()["items"]
    assert (got["id"], got["group"]["id"], got["invited_by"]["id"]) == (made["id"], group["id"], str(ana.id))
    assert codes(await eve.post(f"/groups/invites/{made['id']}/accept")) == [(404, "not_found")]
    assert (await bob.post(f"/groups/invites/{made['id']}/accept")).json()["role"] == "member"
    assert (
        codes(
            await bob.post(f"/groups/invites/{made['id']}/accept"),
            await bob.post(f"/groups/invites/{made['id']}/decline"),
        )
        == [(409, "invite_answered")] * 2
    )
    assert (await bob.get("/groups/invites")).json()["items"] == []
    other = await invite(ana, group, eve)
    assert (await eve.post(f"/groups/invites/{other['id']}/decline")).status_code == 204
    assert (await eve.get(f"/groups/{group['id']}")).status_code == 404
    await invite(ana, group, eve)  # perhaps they have changed their mind


async def test_whom_one_may_invite(people: People) -> None:
    ana, bob, eve, kim = [await people.make(name) for name in ("ana", "bob", "eve", "kim")]
    group = await add_group(ana)
    path = f"/groups/{group['id']}/invites"
    await join(group, bob)
    made = await invite(bob, group, eve)
    again = await ana.post(path, json={"username": eve.username.upper()})
    assert codes(again) == [(409, "already_invited")]
    assert again.json()["existing_id"] == made["id"]
    await kim.put(f"/users/{ana.username}/block")
    await ana.put(f"/groups/{group['id']}/bans/{eve.id}", json={})
    hidden = await people.make("hidden", profile_visibility="me")
    asked = [ana.post(path, json={"username": who.username}) for who in (bob, kim, eve, hidden)]
    asked += [ana.post(path, json={"username": "nobody_at_all"}), kim.post(path, json={"username": bob.username})]
    assert codes(*[await one for one in asked]) == [
        (409, "already_member"),
        (404, "not_found"),
        (409, "person_banned"),
        (404, "not_found"),
        (404, "not_found"),
        (403, "not_member"),
    ]
    # the ban took the invitation with it
    assert codes(await eve.post(f"/groups/invites/{made['id']}/accept")) == [(404, "not_found")]


async def test_into_private_groups_moderators_invite(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana)
    await join(group, bob)
    await ana.patch(f"/groups/{group['id']}", json={"is_private": True})
    path = f"/groups/{group['id']}/invites"
    assert (
        codes(await bob.post(path, json={"username": eve.username}), await bob.get(path)) == [(403, "rank_too_low")] * 2
    )
    await promote(ana, group, bob, "moderator")
    made = await invite(bob, group, eve)
    await promote(ana, group, bob, "member")
    stranger = await people.make("stranger")
    assert codes(await stranger.delete(f"{path}/{made['id']}")) == [(404, "not_found")]
    assert (await bob.delete(f"{path}/{made['id']}")).status_code == 204
    other = await invite(ana, group, eve)
    assert codes(await bob.delete(f"{path}/{other['id']}")) == [(404, "not_found")]
    assert (await ana.delete(f"{path}/{other['id']}")).status_code == 204
    assert (await eve.get(f"/groups/{group['id']}")).status_code == 404


async def test_invitations_grow_old(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana, is_private=True)
    made = await invite(ana, group, bob)
    await infra.db.fetch("UPDATE group_invites SET expires_at = now() WHERE id = $1", [made["id"]])
    assert (
        codes(
            await bob.post(f"/groups/invites/{made['id']}/accept"),
            await bob.post(f"/groups/invites/{made['id']}/decline"),
        )
        == [(410, "invite_expired")] * 2
    )
    assert (await bob.get("/groups/invites")).json()["items"] == []
    assert (await bob.get(f"/groups/{group['id']}")).status_code == 404
    await invite(ana, group, bob)


async def test_who_blocks_is_not_bothered_by_an_invitation(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    await invite(ana, group, bob)
    await bob.put(f"/users/{ana.username}/block")
    assert (await bob.get("/groups/invites")).json()["items"] == []
    assert (await ana.get(f"/groups/{group['id']}/invites")).json()["items"] == []


async def make_link(by: Person, group: dict[str, Any], **given: Any) -> dict[str, Any]:
    answer = await by.post(f"/groups/{group['id']}/links", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_link_lets_people_in(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana, is_private=True)
    link = await make_link(ana, group, max_uses=2)
    assert (link["uses"], link["uses_left"], link["created_by"]["id"]) == (0, 2, str(ana.id))
    path = f"/groups/links/{link['token']}"
    seen = (await bob.get(path)).json()
    assert (seen["group"]["id"], seen["role"], seen["uses_left"]) == (group["id"], None, 2)
    assert (await bob.post(f"{path}/redeem")).json()["role"] == "member"
    assert codes(await bob.post(f"{path}/redeem")) == [(409, "already_member")]
    (listed,) = (await ana.get(f"/groups/{group['id']}/links")).json()["items"]
    assert (listed["id"], listed["uses"], listed["uses_left"]) == (link["id"], 1, 1)
    assert "token" not in listed
    kept = await infra.db.fetch("SELECT * FROM group_links WHERE id = $1", [link["id"]])
    assert link["token"] not in str(dict(kept[0]))
    assert (await eve.post(f"{path}/redeem")).status_code == 200
    kim = await people.make("kim")
    assert codes(await kim.get(path), await kim.post(f"{path}/redeem")) == [(410, "link_ended")] * 2


async def test_links_end(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana)
    await join(group, bob)
    links = f"/groups/{group['id']}/links"
    assert codes(await bob.post(links, json={}), await bob.get(links), await eve.post(links, json={})) == [
        (403, "rank_too_low"),
        (403, "rank_too_low"),
        (403, "not_member"),
    ]
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (
        codes(await ana.post(links, json={"expires_at": past}), await ana.post(links, json={"max_uses": 0}))
        == [(422, "invalid")] * 2
    )
    link = await make_link(ana, group, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert link["uses_left"] is None
    await infra.db.fetch("UPDATE group_links SET expires_at = now() WHERE id = $1", [link["id"]])
    assert codes(await eve.post(f"/groups/links/{link['token']}/redeem")) == [(410, "link_ended")]
    revoked = await make_link(ana, group)
    assert codes(await bob.delete(f"{links}/{revoked['id']}")) == [(403, "rank_too_low")]
    assert (await ana.delete(f"{links}/{revoked['id']}")).status_code == 204
    assert (
        codes(
            await ana.delete(f"{links}/{revoked['id']}"),
            await eve.get(f"/groups/links/{revoked['token']}"),
            await eve.post(f"/groups/links/{revoked['token']}/redeem"),
            await eve.post(f"/groups/links/{uuid4()}/redeem"),
        )
        == [(404, "not_found")] * 4
    )
    banned = await make_link(ana, group)
    await ana.put(f"/groups/{group['id']}/bans/{eve.id}", json={})
    assert codes(await eve.post(f"/groups/links/{banned['token']}/redeem")) == [(403, "banned")]


async def test_of_twenty_at_once_a_link_lets_in_as_many_as_it_says(people: People) -> None:
    ana = await people.make("ana")
    crowd = [await people.make("guest") for _ in range(20)]
    group = await add_group(ana, is_private=True)
    link = await make_link(ana, group, max_uses=7)
    answers = await asyncio.gather(*(guest.post(f"/groups/links/{link['token']}/redeem") for guest in crowd))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [410] * 13
    assert len(await there(ana, group)) == 8
    (listed,) = (await ana.get(f"/groups/{group['id']}/links")).json()["items"]
    assert (listed["uses"], listed["uses_left"]) == (7, 0)


async def test_one_person_uses_a_link_once(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana, is_private=True)
    link = await make_link(ana, group)
    invited = await invite(ana, group, bob)
    path = f"/groups/{group['id']}"
    answers = await asyncio.gather(
        *(bob.post(f"/groups/links/{link['token']}/redeem") for _ in range(4)),
        bob.post(f"{path}/join"),
        bob.post(f"/groups/invites/{invited['id']}/accept"),
    )
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    assert (await ana.get(path)).json()["member_count"] == 2


async def test_who_is_invited_is_notified(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana, is_private=True)
    made = await invite(ana, group, bob)
    await drain(infra)
    (told,) = (await bob.get("/notifications")).json()["items"]
    assert (told["kind"], told["actor"]["id"]) == ("group_invite", str(ana.id))
    shown = told["group_invite"]
    assert (shown["id"], shown["status"], shown["group"]) == (
        made["id"],
        "pending",
        {"id": group["id"], "name": group["name"], "cover_key": None},
    )
    await bob.post(f"/groups/invites/{made['id']}/accept")
    (told,) = (await bob.get("/notifications")).json()["items"]
    assert told["group_invite"]["status"] == "accepted"
    # what is gone is no news
    await ana.delete(f"/groups/{group['id']}")
    assert (await bob.get("/notifications")).json()["items"] == []
    assert (await bob.get("/notifications/unread-count")).json() == {"unread_count": 0}
    again = await invite(ana, await add_group(ana), bob)
    await ana.delete(f"/groups/{(await bob.get('/groups/invites')).json()['items'][0]['group']['id']}")
    await drain(infra)
    assert (await bob.get("/notifications")).json()["items"] == [], again
