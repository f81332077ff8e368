"""Coming, going, roles, and what keeps order."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from app.core.infra import Infra
from app.core.job_runner import drain
from app.groups.handlers import export_groups, export_invites
from app.users.service import delete_account
from tests.groups.factories import add_group, codes, join, promote, there
from tests.people import People, Person


def soon(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**(span or {"hours": 1}))).isoformat()


async def crew(people: People) -> tuple[dict[str, Any], dict[str, Person]]:
    """A group with somebody of each role, and a stranger."""
    made = {role: await people.make(role) for role in ("owner", "admin", "moderator", "member", "stranger")}
    group = await add_group(made["owner"])
    await join(group, made["member"], made["moderator"], made["admin"])
    for role in ("moderator", "admin"):
        await promote(made["owner"], group, made[role], role)
    return group, made


async def test_people_come_and_go(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    path = f"/groups/{group['id']}"
    assert codes(await bob.post(f"{path}/leave")) == [(403, "not_member")]
    joined = (await bob.post(f"{path}/join")).json()
    assert (joined["role"], joined["member_count"]) == ("member", 2)
    again = await bob.post(f"{path}/join")
    assert codes(again) == [(409, "already_member")]
    assert (await bob.post(f"{path}/leave")).status_code == 204
    assert (await ana.get(path)).json()["member_count"] == 1
    assert codes(await bob.post(f"/groups/{uuid4()}/join")) == [(404, "not_found")]
    # what is no group is none, though it is a channel
    direct = (await ana.put(f"/direct/{bob.username}")).json()
    assert codes(await ana.post(f"/groups/{direct['id']}/join")) == [(404, "not_found")]


async def test_members_are_listed_by_role_and_time(people: People) -> None:
    group, crowd = await crew(people)
    late = await people.make("late")
    await join(group, late)
    order = [str(crowd[role].id) for role in ("owner", "admin", "moderator", "member")] + [str(late.id)]
    assert list(await there(crowd["stranger"], group)) == order
    paged, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await late.get(f"/groups/{group['id']}/members", params=params)).json()
        paged += [member["user"]["id"] for member in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert paged == order


async def test_an_owner_leaves_only_after_somebody_else_owns_it(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana)
    path = f"/groups/{group['id']}"
    assert codes(await ana.post(f"{path}/leave")) == [(409, "delete_group_instead")]
    await join(group, bob)
    assert codes(await ana.post(f"{path}/leave")) == [(409, "transfer_ownership_first")]
    give = {"json": {"user_id": str(bob.id)}}
    assert codes(
        await ana.put(f"{path}/owner", json={"user_id": str(eve.id)}),
        await ana.put(f"{path}/owner", json={"user_id": str(ana.id)}),
        await bob.put(f"{path}/owner", **give),
        await eve.put(f"{path}/owner", **give),
    ) == [(404, "not_found"), (422, "invalid"), (403, "rank_too_low"), (403, "not_member")]
    given = (await ana.put(f"{path}/owner", **give)).json()
    assert (given["owner_id"], given["role"]) == (str(bob.id), "admin")
    assert await there(bob, group) == {str(bob.id): "owner", str(ana.id): "admin"}
    assert (await ana.post(f"{path}/leave")).status_code == 204


async def test_a_muted_heir_may_speak(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    await join(group, bob)
    path = f"/groups/{group['id']}"
    await ana.put(f"{path}/members/{bob.id}/mute", json={"until": soon()})
    await ana.put(f"{path}/owner", json={"user_id": str(bob.id)})
    assert (await bob.post(f"/chat/{group['id']}/messages", json={"text": "Thanks"})).status_code == 201


async def test_orders_go_downwards_only(people: People) -> None:
    group, crowd = await crew(people)
    ranks = ["owner", "admin", "moderator", "member"]
    path = f"/groups/{group['id']}"
    for number, name in enumerate(ranks):
        for other in ranks[: number + 1]:
            target = f"{path}/members/{crowd[other].id}"
            answers = [
                await crowd[name].delete(target),
                await crowd[name].put(f"{target}/mute", json={"until": soon()}),
                await crowd[name].delete(f"{target}/mute"),
                await crowd[name].put(f"{path}/bans/{crowd[other].id}", json={}),
            ]
            assert codes(*answers) == [(403, "rank_too_low")] * 4, (name, other)
    stranger = crowd["stranger"]
    target = f"{path}/members/{crowd['member'].id}"
    assert (
        codes(
            await stranger.delete(target),
            await stranger.put(f"{target}/mute", json={"until": soon()}),
            await stranger.patch(target, json={"role": "member"}),
            await stranger.get(f"{path}/bans"),
        )
        == [(403, "not_member")] * 4
    )
    assert codes(await crowd["owner"].delete(f"{path}/members/{stranger.id}")) == [(404, "not_found")]


async def test_roles_are_given_below_ones_own(people: People) -> None:
    group, crowd = await crew(people)
    path = f"/groups/{group['id']}/members"

    async def give(by: str, to: str, role: str) -> int:
        return (await crowd[by].patch(f"{path}/{crowd[to].id}", json={"role": role})).status_code

    assert await give("admin", "member", "admin") == 403
    assert await give("admin", "member", "moderator") == 200
    assert await give("admin", "member", "member") == 200
    assert await give("admin", "owner", "member") == 403
    assert await give("moderator", "member", "moderator") == 403
    assert await give("owner", "owner", "member") == 403
    assert await give("owner", "member", "owner") == 422
    assert await give("owner", "stranger", "admin") == 404
    # anybody may step down, and not up again
    assert await give("admin", "admin", "moderator") == 200
    assert await give("admin", "admin", "admin") == 403
    assert await give("moderator", "moderator", "member") == 200


async def test_kicked_people_may_come_again(people: People) -> None:
    group, crowd = await crew(people)
    member = crowd["member"]
    kicked = await crowd["moderator"].delete(
        f"/groups/{group['id']}/members/{member.id}", params={"reason": "Too loud"}
    )
    assert kicked.status_code == 204
    assert codes(await member.get(f"/chat/{group['id']}/messages")) == [(403, "not_member")]
    assert codes(await member.post(f"/chat/{group['id']}/messages", json={"text": "Hm"})) == [(404, "not_found")]
    await join(group, member)


async def test_banned_people_stay_out(people: People, infra: Infra) -> None:
    group, crowd = await crew(people)
    member, stranger, moderator = crowd["member"], crowd["stranger"], crowd["moderator"]
    path = f"/groups/{group['id']}"
    bans = f"{path}/bans"
    assert (await moderator.put(f"{bans}/{member.id}", json={"reason": "Spam"})).status_code == 204
    assert (await moderator.put(f"{bans}/{stranger.id}", json={"until": soon()})).status_code == 204
    assert str(member.id) not in await there(moderator, group)
    refused = await member.post(f"{path}/join")
    assert codes(refused) == [(403, "banned")]
    assert ("until" in refused.json(), refused.json()["detail"]) == (False, "The reason: Spam")
    assert datetime.fromisoformat((await stranger.post(f"{path}/join")).json()["until"]) > datetime.now(UTC)
    listed = (await moderator.get(bans)).json()["items"]
    assert [(ban["user"]["id"], ban["reason"], ban["banned_by"]["id"]) for ban in listed] == [
        (str(stranger.id), "", str(moderator.id)),
        (str(member.id), "Spam", str(moderator.id)),
    ]
    assert codes(await stranger.get(bans)) == [(403, "not_member")]
    assert codes(
        await moderator.put(f"{bans}/{member.id}", json={"until": soon(hours=-1)}),
        await moderator.put(f"{bans}/{uuid4()}", json={}),
        await moderator.put(f"{bans}/{moderator.id}", json={}),
    ) == [(422, "invalid"), (404, "not_found"), (403, "rank_too_low")]
    # a ban ends by itself, or is lifted
    await infra.db.fetch("UPDATE group_bans SET until = now() - interval '1 s' WHERE user_id = $1", [stranger.id])
    assert len((await moderator.get(bans)).json()["items"]) == 1
    await join(group, stranger)
    assert (await moderator.delete(f"{bans}/{member.id}")).status_code == 204
    assert (await moderator.delete(f"{bans}/{member.id}")).status_code == 204
    await join(group, member)


async def test_muted_people_read_and_do_not_speak(people: People, infra: Infra) -> None:
    group, crowd = await crew(people)
    member, path = crowd["member"], f"/groups/{group['id']}"
    mute = f"{path}/members/{member.id}/mute"
    talk = f"/chat/{group['id']}/messages"
    assert (await member.post(talk, json={"text": "One"})).status_code == 201
    muted = (await crowd["moderator"].put(mute, json={"until": soon()})).json()
    assert muted["muted_until"] is not None
    assert codes(await member.post(talk, json={"text": "Two"})) == [(403, "muted")]
    assert (await member.get(talk)).status_code == 200
    assert (await member.get(path)).json()["muted_until"] is not None
    # to leave and come again does not help
    await member.post(f"{path}/leave")
    await join(group, member)
    assert codes(await member.post(talk, json={"text": "Two"})) == [(403, "muted")]
    unmuted = (await crowd["moderator"].delete(mute)).json()
    assert unmuted["muted_until"] is None
    assert (await member.post(talk, json={"text": "Two"})).status_code == 201
    await crowd["moderator"].put(mute, json={"until": soon()})
    await infra.db.fetch("UPDATE group_members SET muted_until = now() WHERE user_id = $1", [member.id])
    assert (await member.post(talk, json={"text": "Three"})).status_code == 201
    assert codes(await crowd["moderator"].put(mute, json={"until": soon(hours=-1)})) == [(422, "invalid")]
    assert codes(await crowd["moderator"].put(mute, json={"until": "2030-01-01T00:00:00"})) == [(422, "invalid")]


async def test_moderators_delete_what_others_said(people: People) -> None:
    group, crowd = await crew(people)
    talk = f"/chat/{group['id']}/messages"
    said = (await crowd["owner"].post(talk, json={"text": f"Hello @{crowd['member'].username}"})).json()
    assert said["mentions"] == [str(crowd["member"].id)]
    assert (await crowd["member"].delete(f"{talk}/{said['id']}")).status_code == 403
    assert (await crowd["moderator"].delete(f"{talk}/{said['id']}")).status_code == 204


async def leave_for_ever(infra: Infra, person: Person) -> None:
    async with infra.db.write() as db:
        await delete_account(db, person.id, keep_content=True)
    await drain(infra)


async def test_groups_of_who_leaves_pass_on(people: People, infra: Infra) -> None:
    group, crowd = await crew(people)
    alone = await add_group(crowd["owner"])
    path = f"/groups/{group['id']}"
    await crowd["owner"].put(f"{path}/bans/{crowd['stranger'].id}", json={})
    await leave_for_ever(infra, crowd["owner"])
    admin = crowd["admin"]
    seen = (await admin.get(path)).json()
    assert (seen["role"], seen["owner_id"], seen["member_count"]) == ("owner", str(admin.id), 3)
    assert list((await there(admin, group)).values()) == ["owner", "moderator", "member"]
    assert (await admin.get(f"/groups/{alone['id']}")).status_code == 404
    await leave_for_ever(infra, crowd["member"])
    assert list((await there(admin, group)).values()) == ["owner", "moderator"]
    await leave_for_ever(infra, crowd["stranger"])
    assert (await admin.get(f"{path}/bans")).json()["items"] == []


async def test_of_equal_rank_the_longest_member_inherits(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana)
    await join(group, eve, bob)
    await leave_for_ever(infra, ana)
    assert await there(bob, group) == {str(eve.id): "owner", str(bob.id): "member"}


async def test_an_export_says_where_one_belongs(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    await ana.post(f"/groups/{group['id']}/invites", json={"username": bob.username})
    (row,) = [row async for row in export_groups(infra.db.reader, ana.id)]
    assert (row["name"], row["role"]) == ("Late night jazz", "owner")
    for person in (ana, bob):
        (invite,) = [row async for row in export_invites(infra.db.reader, person.id)]
        assert invite["status"] == "pending"


async def test_two_transfers_at_once_leave_one_owner(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    for _ in range(5):
        group = await add_group(ana)
        await join(group, bob, eve)
        answers = await asyncio.gather(
            *(ana.put(f"/groups/{group['id']}/owner", json={"user_id": str(heir.id)}) for heir in (bob, eve, bob, eve))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
        roles = sorted((await there(ana, group)).values())
        assert roles == ["admin", "member", "owner"]


async def test_a_ban_and_a_join_at_once_end_outside(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    for _ in range(10):
        group = await add_group(ana)
        path = f"/groups/{group['id']}"
        banned, joined = await asyncio.gather(ana.put(f"{path}/bans/{bob.id}", json={}), bob.post(f"{path}/join"))
        assert banned.status_code == 204
        assert joined.status_code in {200, 403}
        assert await there(ana, group) == {str(ana.id): "owner"}
        assert (await ana.get(path)).json()["member_count"] == 1
