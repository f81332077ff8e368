"""Virtual time, and paths through a network: a base delay each way, jitter, and now and then a stall."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

__all__ = ["CALM", "ROUGH", "Path", "Weather", "World"]


@dataclass(frozen=True, slots=True)
class Weather:
    """What all paths have in common. Times in milliseconds.

    The base delay of a path is between the two given ones, each path's own. One of its ways, by chance, takes
    `asymmetry` longer than the other. Jitter comes on top: exponential, with this mean, for each message and way. For
    this part of the time a way stalls, each time for between the two given ones: what is sent then comes at the end.
    What was sent first comes first, as it does with TCP.
    """

    name: str
    jitter_ms: float
    stalls: float = 0.0
    base_ms: tuple[float, float] = (5, 80)
    asymmetry: float = 0.1
    stall_ms: tuple[float, float] = (200, 1000)


CALM = Weather("5 ms jitter, 10 % asymmetry", 5)
ROUGH = Weather("20 ms jitter, 10 % asymmetry, stalled for 5 % of the time", 20, stalls=0.05)


class World:
    """Things that happen one after the other. `now` is the server's time in Unix milliseconds, and the true one."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000.0
        self._to_come: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def after(self, delay_ms: float, act: Callable[[], None]) -> None:
        """Something will happen."""
        heapq.heappush(self._to_come, (self.now + delay_ms, next(self._numbers), act))

    def run(self, until: float) -> None:
        """Lets everything happen up to a moment."""
        while self._to_come and self._to_come[0][0] <= until:
            self.now, _, act = heapq.heappop(self._to_come)
            act()
        self.now = until


class Path:
    """The way from a listener to the server, and back."""

    def __init__(self, world: World, weather: Weather, chance: Random) -> None:
        self.world = world
        base, half = chance.uniform(*weather.base_ms), weather.asymmetry / 2
        if chance.random() < 0.5:
            half = -half
        self.up_ms, self.down_ms = base * (1 + half), base * (1 - half)
        self._up = _Way(world, weather, chance, self.up_ms)
        self._down = _Way(world, weather, chance, self.down_ms)

    def up(self, arrive: Callable[[], None]) -> None:
        """Sends something to the server."""
        self._up.send(arrive)

    def down(self, arrive: Callable[[], None]) -> None:
        """Sends something to the listener."""
        self._down.send(arrive)


class _Way:
    def __init__(self, world: World, weather: Weather, chance: Random, delay_ms: float) -> None:
        self._world, self._weather, self._chance, self._delay_ms = world, weather, chance, delay_ms
        self._last = 0.0
        self._stall = (world.now, world.now)

    def send(self, arrive: Callable[[], None]) -> None:
        delay_ms = self._delay_ms + self._chance.expovariate(1 / self._weather.jitter_ms)
        self._last = max(self._last, self._leaves() + delay_ms)
        self._world.after(self._last - self._world.now, arrive)

    def _leaves(self) -> float:
        """Now, or when the stall ends."""
        if not self._weather.stalls:
            return self._world.now
        while self._stall[1] < self._world.now:
            shortest, longest = self._weather.stall_ms
            between = (shortest + longest) / 2 * (1 / self._weather.stalls - 1)
            begins = self._stall[1] + self._chance.expovariate(1 / between)
            self._stall = (begins, begins + self._chance.uniform(shortest, longest))
        return max(self._world.now, self._stall[1]) if self._stall[0] <= self._world.now else self._world.now
