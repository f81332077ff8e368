"""Random orders against a simple model of the rules; and what sockets hear of it is always the whole truth."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json
from soundscore_client import State, apply, begin
from soundscore_client.changes import CHANGES

from app.chat.lines import hide, load_lines
from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.groups.channel import Groups
from tests.groups.factories import add_group, there
from tests.people import People, Person
from tests.promises.invariants import broken
from tests.rules.sources import APP

RANKS = ["owner", "admin", "moderator", "member"]
UNTIL = (datetime.now(UTC) + timedelta(days=1)).isoformat()
CROWD, BLOCKED, BLOCKER = 5, 1, 4
OPERATIONS = ["join", "leave", "kick", "ban", "unban", "role", "transfer", "mute", "unmute", "update", "say"]
ORDER = st.tuples(
    st.integers(0, CROWD - 1),
    st.sampled_from(OPERATIONS),
    st.integers(0, CROWD - 1),
    st.sampled_from(("admin", "moderator", "member")),
)


@dataclass
class Model:
    """Who is what in a group, by the numbers of people. The first one made it."""

    roles: dict[int, str] = field(default_factory=lambda: {0: "owner"})
    bans: set[int] = field(default_factory=set)
    muted: set[int] = field(default_factory=set)

    def rank(self, person: int) -> int:
        return RANKS.index(self.roles[person])

    def expect(self, actor: int, operation: str, target: int, role: str) -> int:
        """The status that the order gets, after doing it."""
        if operation == "join":
            return self.join(actor)
        if operation == "say":
            return 404 if actor not in self.roles else 403 if actor in self.muted else 201
        if actor not in self.roles:
            return 403 if operation != "role" or target in self.roles else 404
        return self.of_member(actor, operation, target, role)

    def of_member(self, actor: int, operation: str, target: int, role: str) -> int:
        if operation == "leave":
            return self.leave(actor)
        if operation == "update":
            return 200 if self.rank(actor) <= 1 else 403
        if operation == "transfer":
            return self.transfer(actor, target)
        if operation == "role":
            return self.change(actor, target, role)
        return self.order(actor, operation, target)

    def join(self, actor: int) -> int:
        if actor in self.roles:
            return 409
        if actor in self.bans:
            return 403
        self.roles[actor] = "member"
        return 200

    def leave(self, actor: int) -> int:
        if self.roles[actor] == "owner":
            return 409
        del self.roles[actor]
        return 204

    def transfer(self, actor: int, target: int) -> int:
        if self.roles[actor] != "owner":
            return 403
        if target not in self.roles:
            return 404
        if target == actor:
            return 422
        self.roles[actor], self.roles[target] = "admin", "owner"
        self.muted.discard(target)
        return 200

    def change(self, actor: int, target: int, role: str) -> int:
        if target not in self.roles:
            return 404
        mine, new = self.rank(actor), RANKS.index(role)
        down = actor == target and 0 < mine <= new
        if not down and not (mine <= 1 and mine < self.rank(target) and mine < new):
            return 403
        self.roles[target] = role
        return 200

    def order(self, actor: int, operation: str, target: int) -> int:
        if self.rank(actor) > 2:
            return 403
        if operation == "unban":
            self.bans.discard(target)
            return 204
        if target not in self.roles and operation != "ban":
            return 404
        if target == actor or (target in self.roles and self.rank(actor) >= self.rank(target)):
            return 403
        if operation in {"mute", "unmute"}:
            (self.muted.add if operation == "mute" else self.muted.discard)(target)
            return 200
        if operation == "ban":
            self.bans.add(target)
        self.roles.pop(target, None)
        return 204


async def do(actor: Person, operation: str, group: dict[str, Any], target: Person, role: str) -> httpx.Response:
    path = f"/groups/{group['id']}"
    member, ban = f"{path}/members/{target.id}", f"{path}/bans/{target.id}"
    description = f"By {actor.username} for {target.username} {role}"
    requests: dict[str, tuple[str, str, dict[str, Any] | None]] = {
        "join": ("POST", f"{path}/join", None),
        "leave": ("POST", f"{path}/leave", None),
        "kick": ("DELETE", member, None),
        "ban": ("PUT", ban, {}),
        "unban": ("DELETE", ban, None),
        "role": ("PATCH", member, {"role": role}),
        "transfer": ("PUT", f"{path}/owner", {"user_id": str(target.id)}),
        "mute": ("PUT", f"{member}/mute", {"until": UNTIL}),
        "unmute": ("DELETE", f"{member}/mute", None),
        "update": ("PATCH", path, {"description": description}),
        "say": ("POST", f"/chat/{group['id']}/messages", {"text": "Hello"}),
    }
    method, address, body = requests[operation]
    return await actor.request(method, address, json=body)


async def look(infra: Infra, group: dict[str, Any], viewer: Person) -> State:
    """What a client of the viewer's knows that comes in now."""
    async with infra.db.snapshot() as db:
        (head,) = await db.records("SELECT last_sequence FROM channels WHERE id = $1", [group["id"]])
        whole = await Groups().snapshot(db, Principal(viewer.id, uuid7()), UUID(group["id"]))
    you = {"id": str(viewer.id), "username": viewer.username, "display_name": "", "avatar_key": None}
    welcome: Any = {"sequence": head[0], "you": you, "snapshot": from_json(to_json(whole)), "present": []}
    return begin(welcome)


async def follow(infra: Infra, group: dict[str, Any], state: State, hidden: frozenset[UUID]) -> State:
    """The same client after what it has heard since."""
    for line in await load_lines(infra.db.reader, UUID(group["id"]), state.sequence, 1000, 2**30):
        state = apply(state, from_json(hide(line, hidden) or b""))
    return state


def shared(state: State) -> tuple[Any, ...]:
    """What does not depend on what was said."""
    return state.sequence, state.card, state.members


crowds: list[list[Person]] = []


async def gather(people: People) -> list[Person]:
    """The same people for all examples."""
    if not crowds:
        crowds.append([await people.make(f"p{number}") for number in range(CROWD)])
        assert (await crowds[0][BLOCKER].put(f"/users/{crowds[0][BLOCKED].username}/block")).status_code == 204
    return crowds[0]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(orders=st.lists(ORDER, min_size=5, max_size=30))
async def test_orders_do_what_the_rules_say(
    infra: Infra, people: People, orders: list[tuple[int, str, int, str]]
) -> None:
    crowd, model = await gather(people), Model()
    group = await add_group(crowd[0])
    seen = {viewer: [await look(infra, group, crowd[viewer])] for viewer in (0, BLOCKER)}

    async def obey(some: list[tuple[int, str, int, str]]) -> None:
        for actor, operation, target, role in some:
            answer = await do(crowd[actor], operation, group, crowd[target], role)
            expected = model.expect(actor, operation, target, role)
            assert answer.status_code == expected, (actor, operation, target, role, answer.text)
        for viewer, states in seen.items():
            now = await look(infra, group, crowd[viewer])
            assert now.card is not None
            assert now.card["member_count"] == len(model.roles)
            hidden = frozenset({crowd[BLOCKED].id} if viewer == BLOCKER else ())
            for state in states:
                assert shared(await follow(infra, group, state, hidden)) == shared(now)
            states.append(now)

    # so that there is something to lose from the first order on
    await obey([(BLOCKER, "join", 0, "member"), (2, "join", 0, "member"), (BLOCKED, "join", 0, "member")])
    await obey(orders[:10])
    await obey(orders[10:])
    numbers = {str(person.id): number for number, person in enumerate(crowd)}
    found = await there(crowd[0], group)
    assert {numbers[user_id]: role for user_id, role in found.items()} == model.roles


def test_every_kind_of_event_has_a_case() -> None:
    texts = "".join(path.read_text() for path in (APP / "groups").glob("*.py"))
    kinds = set(re.findall(r'kind="([a-z]+\.[a-z]+)"', texts))
    assert len(kinds) >= 8, "the events were not found"
    assert kinds <= CHANGES.keys()


async def test_what_is_counted_can_be_counted(infra: Infra, people: People) -> None:
    await add_group((await gather(people))[0])
    assert {name: rows for name, rows in (await broken(infra.db.reader)).items() if "group" in name} == {}
