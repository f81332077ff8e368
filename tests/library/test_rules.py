"""What counts as a listen, and which id it has."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.core.ids import uuid7, uuid7_end, uuid7_start, uuid7_time
from app.library.recording import near
from app.library.rules import FIRST, counts_as_listen, is_plausible, listen_id

MINUTE = 60_000
ON = datetime(2026, 5, 1, 20, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("played_ms", "duration_ms", "counts"),
    [
        (100_000, 200_000, True),
        (99_999, 200_000, False),
        (4 * MINUTE, 60 * MINUTE, True),
        (4 * MINUTE - 1, 60 * MINUTE, False),
        (29_999, 40_000, False),
        (30_000, 40_000, True),
        (20_000, 20_000, False),
        (4 * MINUTE, None, True),
        (4 * MINUTE - 1, None, False),
    ],
)
def test_half_the_track_or_four_minutes(played_ms: int, duration_ms: int | None, counts: bool) -> None:
    assert counts_as_listen(played_ms, duration_ms) is counts


def test_times_that_can_be() -> None:
    assert is_plausible(FIRST, ON)
    assert not is_plausible(FIRST - timedelta(seconds=1), ON)
    assert is_plausible(ON + timedelta(minutes=5), ON)
    assert not is_plausible(ON + timedelta(minutes=5, seconds=1), ON)


def test_an_id_says_who_what_and_which_second() -> None:
    person, track = uuid7(), uuid7()
    same = listen_id(person, track, ON)
    assert (same.version, uuid7_time(same)) == (7, ON)
    assert listen_id(person, track, ON + timedelta(milliseconds=999)) == same
    assert listen_id(person, track, ON.astimezone(timezone(timedelta(hours=3)))) == same
    others = {
        listen_id(track, person, ON),
        listen_id(person, person, ON),
        listen_id(person, track, ON.replace(second=1)),
    }
    assert len(others | {same}) == 4
    assert same < listen_id(track, person, ON + timedelta(seconds=1))


def test_near_is_less_than_a_length_away() -> None:
    person, track = uuid7(), uuid7()
    first, last = near(ON, 200_000)
    for seconds, inside in ((-200, False), (-199, True), (0, True), (199, True), (200, False)):
        assert (first <= listen_id(person, track, ON + timedelta(seconds=seconds)) <= last) is inside


def test_a_start_lies_between_moments() -> None:
    person = uuid7()
    for moment in (ON, ON + timedelta(microseconds=1)):
        assert (listen_id(person, person, ON) >= uuid7_start(moment)) is (moment == ON)
        assert (listen_id(person, person, ON) > uuid7_end(moment)) is False
    assert listen_id(person, person, ON) > uuid7_end(ON - timedelta(microseconds=1))
    assert uuid7_end(datetime.min.replace(tzinfo=UTC)).int == 0
    assert uuid7_start(datetime.min.replace(tzinfo=UTC)) == uuid7_start(datetime(1970, 1, 1, tzinfo=UTC))
