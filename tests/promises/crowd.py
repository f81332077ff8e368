"""A crowd that does everything at once, at random, on few things, so that they meet each other."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fastapi import FastAPI

from app.core.infra import Infra
from app.core.job_runner import drain
from tests.catalog.factories import add_album, add_artist
from tests.people import People, Person

__all__ = ["Crowd"]

Act = Callable[["Crowd", Person, random.Random], Awaitable[httpx.Response]]


class Crowd:
    """People, the things that they meet at, and what went wrong."""

    def __init__(self, app: FastAPI, people: People) -> None:
        self.infra: Infra = app.state.infra
        self.people = people
        self.members: list[Person] = []
        self.artists: list[str] = []
        self.albums: list[str] = []
        self.tracks: list[str] = []
        self.reviews: list[str] = []
        self.comments: list[str] = []
        self.rooms: list[str] = []
        self.groups: list[str] = []
        self.messages: list[tuple[str, str]] = []
        self.acts = list(ACTS)
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.faults: list[str] = []

    async def gather(self, size: int) -> None:
        """Everybody arrives: one admin, one curator, and people."""
        roles = ["admin", "curator"] + ["user"] * (size - 2)
        self.members = [await self.people.make("crowd", role=role) for role in roles]  # type: ignore[arg-type]
        self.curator = self.members[1]
        for _ in range(3):
            await self.add_album()

    async def add_album(self) -> None:
        """Two albums of an artist with tracks of the same names, for somebody to merge."""
        artist = await add_artist(self.curator)
        for _ in range(2):
            tracks = [{"title": title, "duration_ms": 1000} for title in ("One", "Two", "Three")]
            album = await add_album(self.curator, artist=artist, tracks=tracks)
            listed = (await self.curator.get(f"/albums/{album['id']}/tracks")).json()["items"]
            self.albums.append(album["id"])
            self.tracks += [track["id"] for track in listed]
        self.artists.append(artist["id"])

    async def live(self, seed: int, times: int) -> None:
        """Each does `times` things, in two tabs, while jobs run; at the end no job is left."""
        over = asyncio.Event()
        workers = [asyncio.create_task(self._work(over)) for _ in range(2)]
        tabs = [(person, random.Random(f"{seed} {n}")) for n, person in enumerate([*self.members, *self.members])]
        await asyncio.gather(*(self._act(person, chance, times // 2) for person, chance in tabs))
        over.set()
        await asyncio.gather(*workers)
        await self._work(over)

    async def _act(self, person: Person, chance: random.Random, times: int) -> None:
        for act in chance.choices([act for act, _ in self.acts], [weight for _, weight in self.acts], k=times):
            answer = await act(self, person, chance)
            self.statuses[act.__name__, answer.status_code] += 1
            if answer.status_code >= 500:
                self.faults.append(f"{act.__name__}: {answer.text}")

    async def _work(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._drain()
            await asyncio.sleep(0.02)
        await self._drain()

    async def _drain(self) -> None:
        try:
            await drain(self.infra)
        except Exception as error:
            self.faults.append(f"job: {error!r}")

    def somebody(self, chance: random.Random) -> str:
        return chance.choice(self.members).username


def some(things: list[str], chance: random.Random) -> str:
    """One of the last few, so that people meet."""
    return chance.choice(things[-12:]) if things else "00000000-0000-7000-8000-000000000000"


async def follow(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.put(f"/users/{crowd.somebody(chance)}/follow")


async def unfollow(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.delete(f"/users/{crowd.somebody(chance)}/follow")


async def block(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    other = crowd.somebody(chance)
    answer = await me.put(f"/users/{other}/block")
    return answer if chance.random() < 0.3 else await me.delete(f"/users/{other}/block")


async def mute(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    other = crowd.somebody(chance)
    return await (me.put if chance.random() < 0.5 else me.delete)(f"/users/{other}/mute")


async def review(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    favorite, draft = chance.random() < 0.3, chance.random() < 0.2
    body = {"rating": chance.randint(1, 10), "text": "Words.", "is_favorite": favorite, "draft": draft}
    answer = await me.post("/reviews", json=body | {"album_id": some(crowd.albums, chance)})
    if answer.status_code == 201:
        crowd.reviews.append(answer.json()["id"])
    return answer


async def edit(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    mine = (await me.get(f"/users/{me.username}/reviews")).json().get("items", [])
    drafts = (await me.get("/reviews/drafts")).json().get("items", [])
    ids = [item["id"] for item in [*mine, *drafts]]
    changes: list[dict[str, Any]] = [{"rating": chance.randint(1, 10)}, {"is_favorite": True}, {"draft": False}]
    return await me.patch(f"/reviews/{some(ids, chance)}", json=chance.choice(changes))


async def delete_review(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    mine = (await me.get(f"/users/{me.username}/reviews")).json().get("items", [])
    return await me.delete(f"/reviews/{some([item['id'] for item in mine], chance)}")


async def like(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    kind, things = chance.choice(
        [("albums", crowd.albums), ("tracks", crowd.tracks), ("reviews", crowd.reviews), ("comments", crowd.comments)]
    )
    return await (me.put if chance.random() < 0.7 else me.delete)(f"/{kind}/{some(things, chance)}/like")


async def comment(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    kind, things = chance.choice([("reviews", crowd.reviews), ("tracks", crowd.tracks)])
    path = f"/{kind}/{some(things, chance)}/comments"
    body: dict[str, Any] = {"text": f"Yes, @{crowd.somebody(chance)}!"}
    threads = (await me.get(path)).json().get("items", [])
    if threads and chance.random() < 0.6:
        body["parent_id"] = chance.choice(threads)["id"]
    answer = await me.post(path, json=body)
    if answer.status_code == 201:
        crowd.comments.append(answer.json()["id"])
    return answer


async def delete_comment(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    return await me.delete(f"/comments/{some(crowd.comments, chance)}")


async def read(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    items = (await me.get("/notifications")).json().get("items", [])
    if not items or chance.random() < 0.4:
        return await me.post("/notifications/read-all")
    path = f"/notifications/{chance.choice(items)['id']}"
    return await (me.delete(path) if chance.random() < 0.3 else me.put(f"{path}/read"))


async def look(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    paths = ["/feed", "/reviews", "/discover/people", f"/albums/{some(crowd.albums, chance)}", "/notifications"]
    return await me.get(chance.choice([*paths, f"/users/{crowd.somebody(chance)}"]))


async def merge(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    kinds = [("albums", crowd.albums), ("tracks", crowd.tracks), ("artists", crowd.artists)]
    kind, things = chance.choice(kinds)
    answer = await crowd.curator.post(f"/{kind}/{some(things, chance)}/merge", json={"into": some(things, chance)})
    if answer.status_code == 200:
        await crowd.add_album()
    return answer


async def arrange(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    album = some(crowd.albums, chance)
    listed = (await me.get(f"/albums/{album}/tracks")).json().get("items", [])
    chance.shuffle(listed)
    order = {"tracks": [{"id": track["id"], "disc": 1} for track in listed]}
    return await crowd.curator.put(f"/albums/{album}/tracks", json=order)


async def move_track(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    change = {"album_id": some(crowd.albums, chance)}
    return await crowd.curator.patch(f"/tracks/{some(crowd.tracks, chance)}", json=change)


async def leave(crowd: Crowd, me: Person, chance: random.Random) -> httpx.Response:
    """A newcomer does a little of everything and goes; the members stay."""
    newcomer = await crowd.people.make("newcomer")
    for act in (follow, follow, review, comment, like, like):
        await act(crowd, newcomer, chance)
    content = chance.choice(["keep", "delete"])
    _, answer = await asyncio.gather(
        me.put(f"/users/{newcomer.username}/follow"),
        newcomer.request("DELETE", "/users/me", json={"content": content}),
    )
    return answer


ACTS: list[tuple[Act, int]] = [
    (follow, 8),
    (unfollow, 3),
    (block, 2),
    (mute, 1),
    (review, 10),
    (edit, 6),
    (delete_review, 2),
    (like, 14),
    (comment, 12),
    (delete_comment, 4),
    (read, 5),
    (look, 4),
    (merge, 2),
    (arrange, 1),
    (move_track, 1),
    (leave, 1),
]
