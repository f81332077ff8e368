"""What is heard in a room becomes a listen of those who agreed to it."""

from datetime import UTC, datetime, timedelta

from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.rooms.events import TrackPlayed
from tests.library.factories import make_track
from tests.people import People


async def test_who_agreed_has_heard_it(people: People, infra: Infra) -> None:
    willing, unwilling = await people.make("willing"), await people.make("unwilling")
    assert (await willing.patch("/users/me", json={"record_room_listens": True})).status_code == 200
    track = await make_track(infra)
    played = TrackPlayed(
        room_id=uuid7(),
        play_id=uuid7(),
        track_id=track,
        started_at=datetime.now(UTC) - timedelta(minutes=5),
        played_ms=200_000,
        listener_ids=[willing.id, unwilling.id],
    )
    for _ in range(2):  # a job may run twice
        async with infra.db.write() as db:
            await emit(db, played)
        await drain(infra)
    (heard,) = (await willing.get(f"/users/{willing.username}/listens")).json()["items"]
    assert (heard["track"]["id"], heard["source"]) == (str(track), "room")
    assert (await unwilling.get(f"/users/{unwilling.username}/listens")).json()["items"] == []
