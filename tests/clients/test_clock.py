"""How far two clients disagree about the time, with bad clocks and bad networks."""

import itertools
import random
from collections.abc import Iterator

import pytest
from soundscore_client import Clock
from soundscore_client.connection import FAST_PING_SECONDS, FAST_PINGS, PING_SECONDS

CLIENTS = 30
MINUTE_MS = 60_000.0
DAY_MS = 86_400_000.0
Trip = tuple[float, float, float]


def pings(chance: random.Random, *, jitter: float, stalls: float) -> Iterator[Trip]:
    """When each left, was answered and came back, in true time. One way is up to 10 % slower than the other."""
    half, skew = chance.uniform(10, 60), chance.uniform(-0.1, 0.1)
    at = 0.0
    for number in itertools.count():
        there, back = (
            half * (1 + side * skew)
            + abs(chance.gauss(0, jitter))
            + (chance.uniform(50, 500) if chance.random() < stalls else 0)
            for side in (1, -1)
        )
        yield at, at + there, at + there + back
        at += 1000 * (FAST_PING_SECONDS if number < FAST_PINGS - 1 else PING_SECONDS)


def errors(chance: random.Random, moments: list[float], *, jitter: float, stalls: float) -> list[float]:
    """By how much a client's idea of the server's time is wrong at each moment."""
    rate, start = 1 + chance.uniform(-100, 100) * 1e-6, chance.uniform(-DAY_MS, DAY_MS)
    clock, wrong = Clock(), []

    def local(moment: float) -> float:
        return moment * rate + start

    trips = pings(chance, jitter=jitter, stalls=stalls)
    coming = next(trips)
    for moment in moments:
        while coming[2] <= moment:
            sent, answered, received = coming
            clock.add(local(sent), local(received), answered)
            coming = next(trips)
        now = clock.server_now(local(moment))
        assert now is not None
        wrong.append(now - moment)
    return wrong


@pytest.mark.parametrize(("jitter", "stalls", "most"), [(5.0, 0.0, 15.0), (20.0, 0.05, 20.0)])
def test_two_clients_agree(jitter: float, stalls: float, most: float) -> None:
    chance = random.Random(11)
    moments = [2500 + 1000.0 * second for second in range(int(10 * MINUTE_MS / 1000))]
    wrong = [errors(chance, moments, jitter=jitter, stalls=stalls) for _ in range(CLIENTS)]
    apart = sorted(abs(a - b) for at in zip(*wrong, strict=True) for a, b in itertools.combinations(at, 2))
    assert apart[int(0.99 * len(apart))] <= most
