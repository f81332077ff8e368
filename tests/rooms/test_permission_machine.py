"""Any order of joining, leaving, roles, rights, kicks, bans and mutes, against a model that fits on a page."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.core.infra import Infra
from app.rooms.rights import DEFAULTS, PERMISSIONS, ROLES
from tests.people import People, Person
from tests.rooms.factories import open_room

PEOPLE = st.integers(0, 3)
CHANGEABLE = st.sampled_from(["dj", "member", "guest"])
PERMISSION = st.sampled_from(sorted(PERMISSIONS))
CAPACITY = 3


class Rights(RuleBasedStateMachine):
    """Four people and a room for three of them, which stays when it is empty."""

    loop: asyncio.AbstractEventLoop
    infra: Infra
    crowd: list[Person]

    @initialize(entry=st.sampled_from(["member", "guest"]))
    def open(self, entry: str) -> None:
        fields = {"entry_role": entry, "capacity": CAPACITY, "is_permanent": True}
        self.room = self.wait(open_room(self.crowd[0], **fields))["id"]
        self.entry, self.owner = entry, 0
        self.roles: dict[int, str] = {0: "owner"}
        self.order = [0]
        self.rights = {role: set(DEFAULTS[role]) for role in ROLES}  # type: ignore[index]
        self.banned: set[int] = set()
        self.muted: set[int] = set()

    def wait(self, doing: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(30)

    def ask(self, who: int, method: str, path: str, body: Any = None) -> int:
        answer = self.wait(self.crowd[who].request(method, f"/rooms/{self.room}{path}", json=body))
        return answer.status_code

    def may(self, who: int, permission: str) -> bool:
        return who in self.roles and permission in self.rights[self.roles[who]]

    def above(self, who: int, whom: int) -> bool:
        return ROLES.index(self.roles[who]) < ROLES.index(self.roles[whom])  # type: ignore[arg-type]

    def is_owner(self, who: int) -> bool:
        return self.roles.get(who) == "owner"

    def go(self, who: int) -> None:
        del self.roles[who]
        self.order.remove(who)
        self.muted.discard(who)

    def inherit(self, who: int) -> None:
        self.owner, self.roles[who] = who, "owner"
        self.muted.discard(who)

    def expect(self, status: int, allowed: bool, *, missing: bool = False, good: int = 200) -> bool:
        assert status == (404 if allowed and missing else good if allowed else 403), status
        return allowed and not missing

    @rule(who=PEOPLE)
    def join(self, who: int) -> None:
        refused = 409 if who in self.roles else 403 if who in self.banned or len(self.roles) == CAPACITY else 200
        assert self.ask(who, "POST", "/join") == refused
        if refused == 200:
            self.roles[who] = "owner" if who == self.owner else self.entry
            self.order.append(who)

    @rule(who=PEOPLE)
    def leave(self, who: int) -> None:
        inside = who in self.roles
        assert self.ask(who, "POST", "/leave") == (204 if inside else 409)
        if inside:
            self.go(who)
            if who == self.owner and self.order:
                ranks = ["dj", "member", "guest"]
                self.inherit(min(self.order, key=lambda n: (ranks.index(self.roles[n]), self.order.index(n))))

    @rule(who=PEOPLE, whom=PEOPLE, role=CHANGEABLE)
    def give_role(self, who: int, whom: int, role: str) -> None:
        status = self.ask(who, "PUT", f"/members/{self.crowd[whom].username}/role", {"role": role})
        if self.is_owner(who) and who == whom:
            assert status == 422
        elif self.expect(status, self.is_owner(who), missing=whom not in self.roles):
            self.roles[whom] = role

    @rule(who=PEOPLE, role=CHANGEABLE, permission=PERMISSION, allowed=st.sampled_from([True, False, None]))
    def change_rights(self, who: int, role: str, permission: str, allowed: bool | None) -> None:
        status = self.ask(who, "PATCH", f"/permissions/{role}", {"permissions": {permission: allowed}})
        if self.expect(status, self.is_owner(who)):
            usual = permission in DEFAULTS[role]  # type: ignore[index]
            change = self.rights[role].add if (usual if allowed is None else allowed) else self.rights[role].discard
            change(permission)

    @rule(who=PEOPLE, whom=PEOPLE)
    def kick(self, who: int, whom: int) -> None:
        status = self.ask(who, "DELETE", f"/members/{self.crowd[whom].username}")
        allowed = self.may(who, "members.kick") and (whom not in self.roles or self.above(who, whom))
        if self.expect(status, allowed, missing=whom not in self.roles, good=204):
            self.go(whom)

    @rule(who=PEOPLE, whom=PEOPLE)
    def ban(self, who: int, whom: int) -> None:
        status = self.ask(who, "PUT", f"/bans/{self.crowd[whom].username}", {"reason": "So"})
        below = whom != self.owner and (whom not in self.roles or self.above(who, whom)) if who in self.roles else False
        if self.expect(status, self.may(who, "members.ban") and below, good=204):
            self.banned.add(whom)
            if whom in self.roles:
                self.go(whom)

    @rule(who=PEOPLE, whom=PEOPLE)
    def unban(self, who: int, whom: int) -> None:
        status = self.ask(who, "DELETE", f"/bans/{self.crowd[whom].username}")
        if self.expect(status, self.may(who, "members.ban"), missing=whom not in self.banned, good=204):
            self.banned.discard(whom)

    @rule(who=PEOPLE, whom=PEOPLE, on=st.booleans())
    def mute(self, who: int, whom: int, on: bool) -> None:
        address = f"/members/{self.crowd[whom].username}/mute"
        status = self.ask(who, "PUT" if on else "DELETE", address, {"minutes": None} if on else None)
        allowed = self.may(who, "members.mute") and (whom not in self.roles or self.above(who, whom))
        if self.expect(status, allowed, missing=whom not in self.roles):
            (self.muted.add if on else self.muted.discard)(whom)

    @rule(who=PEOPLE, whom=PEOPLE)
    def hand_over(self, who: int, whom: int) -> None:
        status = self.ask(who, "PUT", "/owner", {"username": self.crowd[whom].username})
        if self.is_owner(who) and who == whom:
            assert status == 422
        elif self.expect(status, self.is_owner(who), missing=whom not in self.roles):
            self.roles[who] = "dj"
            self.inherit(whom)

    @rule(who=PEOPLE)
    def say(self, who: int) -> None:
        answer = self.wait(self.crowd[who].post(f"/chat/{self.room}", json={"text": "Hello"}))
        assert answer.status_code == (201 if self.may(who, "chat.post") and who not in self.muted else 403)

    @rule(who=PEOPLE)
    def change(self, who: int) -> None:
        self.expect(self.ask(who, "PATCH", "", {"auto_dj": True}), self.may(who, "room.update"))

    @rule(who=PEOPLE)
    def invite(self, who: int) -> None:
        status = self.ask(who, "POST", "/invites", {})
        if status != 409:  # so many that it is enough
            self.expect(status, self.may(who, "members.invite"), good=201)

    @invariant()
    def the_room_is_as_the_model_says(self) -> None:
        rows = self.wait(self.infra.db.fetch("SELECT user_id, role FROM room_members WHERE room_id = $1", [self.room]))
        assert {row["user_id"]: row["role"] for row in rows} == {self.crowd[n].id: r for n, r in self.roles.items()}
        seen = self.wait(self.crowd[0].get(f"/rooms/{self.room}")).json()
        assert seen["member_count"] == len(self.roles)
        assert seen["owner_id"] == str(self.crowd[self.owner].id)
        assert {role: set(names) for role, names in seen["permissions"].items()} == {
            role: names for role, names in self.rights.items() if role != "owner"
        }


async def test_rights_hold_whatever_happens(people: People, infra: Infra) -> None:
    crowd = [await people.make("crowd") for _ in range(4)]
    machine = type("Machine", (Rights,), {"loop": asyncio.get_running_loop(), "infra": infra, "crowd": crowd})
    many = settings(
        max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=many)
