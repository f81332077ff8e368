"""`python -m bench.sync`: how far apart those are who listen together, simulated; and with the clocks of others."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from random import Random
from typing import Any

from bench.listeners import Listener, Room
from bench.network import CALM, ROUGH, Weather, World
from bench.schemes import SCHEMES, Scheme, SoundScore

__all__ = ["BOUNDS", "Apart", "listen", "show"]

SETTLE_MS = 5000
BOUNDS = {CALM: 15.0, ROUGH: 20.0}
"""At p99, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Apart:
    """By how many milliseconds two listeners disagree about what they hear, each pair at each second."""

    median: float
    p99: float
    most: float
    pairs: int
    starts: int


def listen(
    scheme: type[Scheme],
    weather: Weather,
    *,
    listeners: int = 40,
    minutes: float = 30,
    seed: int = 1,
    own: bool = False,
) -> Apart:
    """A room plays, pauses, leaps and skips; a quarter of its listeners come later. The same seed, the same room."""
    world, chance = World(), Random(seed)
    room, end = Room(world, Random(chance.random())), world.now + minutes * 60_000
    for number in range(listeners):
        listener = Listener(room, weather, Random(chance.random()), scheme, own=own)
        late = number >= listeners * 3 // 4
        world.after(
            chance.uniform(0, minutes * 30_000) if late else chance.uniform(0, 500), partial(room.enter, listener)
        )
    world.after(3000, room.skip)
    _hosts(world, room, chance)
    distances: list[float] = []
    while world.now < end:
        world.run(world.now + 1000)
        distances += _distances(room)
    distances.sort()
    return Apart(_at(distances, 0.5), _at(distances, 0.99), distances[-1], len(distances), room.starts)


def _hosts(world: World, room: Room, chance: Random) -> None:
    """Somebody presses something, again and again."""

    def press() -> None:
        acts: list[Callable[[Room], None]] = [Room.skip, lambda room: room.seek(chance.randint(0, 150_000)), Room.pause]
        act = chance.choice(acts)
        host = chance.choice(room.listeners)
        host.press(act)
        if act is Room.pause:
            world.after(chance.uniform(1000, 8000), lambda: host.press(Room.play))
        world.after(chance.uniform(15_000, 75_000), press)

    world.after(20_000, press)


def _distances(room: Room) -> list[float]:
    if not room.is_heard(SETTLE_MS):
        return []
    here = [one.speaker for one in room.listeners if room.world.now - one.joined_at >= SETTLE_MS]
    return [abs(one.position - other.position) for one, other in combinations(here, 2)]


def _at(sorted_values: list[float], part: float) -> float:
    return sorted_values[int(part * (len(sorted_values) - 1))]


def show(*, small: bool, seed: int = 1) -> bool:
    """Prints how far apart they are, by our clock and by those of others; whether ours keeps its bounds."""
    listeners, minutes = (12, 8.0) if small else (40, 30.0)
    kept = True
    print(f"--- listening together: {listeners} listeners, {minutes:.0f} simulated minutes, ms between two of them ---")
    for weather in (CALM, ROUGH):
        print(f"{weather.name:57} {'median':>7} {'p99':>7} {'most':>7}   p99 with its own correction")
        for scheme in SCHEMES:
            asked: dict[str, Any] = {"seed": seed, "listeners": listeners, "minutes": minutes}
            apart = listen(scheme, weather, **asked)
            own = f"{listen(scheme, weather, own=True, **asked).p99:7.1f}" if scheme.corrects else ""
            if scheme is SoundScore:
                kept &= apart.p99 <= BOUNDS[weather]
                own = f"        {apart.p99 / BOUNDS[weather]:.2f} of the bound of {BOUNDS[weather]:.0f} ms"
            print(f"  {scheme.name:55} {apart.median:7.1f} {apart.p99:7.1f} {apart.most:7.1f}   {own}", flush=True)
    print()
    return kept


def main() -> None:
    """Reads the options and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--small", action="store_true", help="fewer listeners for a shorter time")
    parser.add_argument("--seed", type=int, default=1, help="another room")
    options = parser.parse_args()
    if not show(small=options.small, seed=options.seed):
        raise SystemExit("They are too far apart.")


if __name__ == "__main__":
    main()
