"""Two who listen together hear the same moment, whatever their clocks and the network do. All of it in virtual time."""

import pytest

from bench.network import CALM, ROUGH, Weather
from bench.schemes import Jellyfin, OpenTogetherTube, Scheme, SoundScore, Unsynced
from bench.sync import BOUNDS, Apart, listen


def hear(scheme: type[Scheme], weather: Weather, seed: int = 1) -> Apart:
    """A small room for ten minutes."""
    return listen(scheme, weather, listeners=16, minutes=10, seed=seed)


@pytest.mark.parametrize("weather", [CALM, ROUGH], ids=["calm", "rough"])
@pytest.mark.parametrize("seed", [1, 2])
def test_they_hear_the_same_moment(weather: Weather, seed: int) -> None:
    apart = hear(SoundScore, weather, seed)
    assert apart.starts >= 3
    assert apart.pairs > 20_000
    assert apart.p99 <= BOUNDS[weather]
    assert apart.most < 100, "somebody was left behind"


@pytest.mark.parametrize("scheme", [Unsynced, OpenTogetherTube, Jellyfin])
def test_the_run_tells_a_good_clock_from_others(scheme: type[Scheme]) -> None:
    assert hear(scheme, CALM).p99 > 2 * BOUNDS[CALM]


def test_the_same_seed_is_the_same_room() -> None:
    assert hear(SoundScore, ROUGH) == hear(SoundScore, ROUGH)
