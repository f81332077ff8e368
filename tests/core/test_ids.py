"""UUIDv7: version, order, time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from app.core.ids import uuid7, uuid7_time


def test_ids_are_version_7_and_strictly_increase() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {identifier.version for identifier in made} == {7}
    assert {identifier.variant for identifier in made} == {"specified in RFC 4122"}


def test_threads_never_make_the_same() -> None:
    with ThreadPoolExecutor(4) as threads:
        groups = list(threads.map(lambda _: [uuid7() for _ in range(2_000)], range(8)))
    assert len({identifier for group in groups for identifier in group}) == 16_000
    assert all(group == sorted(group) for group in groups)


def test_time_can_be_read_back() -> None:
    assert abs(uuid7_time(uuid7()) - datetime.now(UTC)) < timedelta(seconds=10)
