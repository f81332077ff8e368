"""A room that fell silent because nobody listened plays again when somebody comes."""

from uuid import UUID

from app.core.infra import Infra
from app.rooms.auto_dj import MOST_UNHEARD
from tests.people import People
from tests.rooms.factories import with_members
from tests.rooms.playing import Json, add, eventually, make_tracks, press, show
from tests.sockets import sit


async def fall_silent(infra: Infra, room: Json, unheard: int) -> None:
    """As if the server had played so many tracks of its own choice to nobody."""
    async with infra.db.write() as db:
        sql = "UPDATE playbacks SET unheard = $2, dry = true WHERE room_id = $1"
        await db.records(sql, [UUID(room["id"]), unheard])


async def test_it_plays_again_when_somebody_comes(live: str, people: People, infra: Infra) -> None:
    genre = f"box {UUID(int=0)}"
    room, [owner] = await with_members(people, genres=[genre], auto_dj=True)
    (track,) = await make_tracks(infra, 60_000)
    (_,) = await make_tracks(infra, 60_000, genres=[genre])
    async with infra.db.write() as db:
        await db.records(
            "INSERT INTO search_documents (entity_id, kind, title_key, terms, weight)"
            " SELECT id, 'track', title_key, '', 1 FROM tracks WHERE genres && $1",
            [[genre]],
        )
    await add(owner, room, track)
    await press(owner, room, "play")
    async with infra.db.write() as db:  # it stopped
        sql = "UPDATE playbacks SET item = NULL, item_id = NULL, track_id = NULL, playing = false WHERE room_id = $1"
        await db.records(sql, [UUID(room["id"])])
    await fall_silent(infra, room, MOST_UNHEARD)
    assert (await show(owner, room))["item"] is None
    async with sit(live, f"rooms/{room['id']}", owner):
        playing = await eventually(lambda: show(owner, room), lambda playback: playback["item"] is not None)
    assert playing["item"]["added_by"] is None


async def test_where_there_is_nothing_it_does_not_look_for_ever(live: str, people: People, infra: Infra) -> None:
    room, [owner] = await with_members(people, genres=["nothing is of this genre"], auto_dj=True)
    (track,) = await make_tracks(infra, 60_000)
    await add(owner, room, track)
    await press(owner, room, "play")
    await press(owner, room, "skip")
    await fall_silent(infra, room, MOST_UNHEARD)

    async def unheard() -> int:
        rows = await infra.db.reader.records("SELECT unheard FROM playbacks WHERE room_id = $1", [UUID(room["id"])])
        count: int = rows[0]["unheard"]
        return count

    async with sit(live, f"rooms/{room['id']}", owner):
        await eventually(unheard, lambda count: count == 0)
    assert (await show(owner, room))["item"] is None
