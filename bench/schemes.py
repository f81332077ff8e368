"""How programs that play together find out what time it is at the server, each as a small class.

Only this differs between them in a run: each hears the same room over the same network, starts when the room says so,
and has the same player, which our client corrects, or the program's own rule.
"""

from collections import deque
from statistics import median

from soundscore_client.clock import Clock
from soundscore_client.connection import ping_pause

from bench.network import Path

__all__ = ["SCHEMES", "Jellyfin", "OpenTogetherTube", "Scheme", "Snapcast", "SoundScore", "Syncplay", "Unsynced"]


class Scheme:
    """What is told of pings and of news from the server, by the listener's clock in milliseconds."""

    name = ""
    corrects = False
    """Whether it has a rule of its own for a player that is off."""

    def __init__(self, path: Path) -> None:
        self._offset: float | None = None

    def ping_after(self, number: int) -> float | None:
        """How long it waits after its ping of this number, from 0, until the next. None: it sends no more."""
        return None

    def pong(self, sent: float, received: float, server: float) -> None:
        """The answer to a ping has come."""

    def news(self, received: float, server: float) -> None:
        """The server has said something else, and when it did."""

    def server_now(self, now: float) -> float | None:
        """The server's time."""
        return None if self._offset is None else now + self._offset

    def rate(self, behind: float, rate: float) -> float | None:
        """Its own rule: at what speed a player goes on that is so far behind. None: it leaps."""
        return 1.0


class SoundScore(Scheme):
    """Ours: the reference client's own clock and pings."""

    name = "SoundScore"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._clock = Clock()

    def ping_after(self, number: int) -> float:
        return 1000 * ping_pause(number)

    def pong(self, sent: float, received: float, server: float) -> None:
        self._clock.add(sent, received, server)

    def server_now(self, now: float) -> float | None:
        return self._clock.server_now(now)


class Limit(Scheme):
    """All is known but that one way takes longer than the other, which no ping can tell. The rest is the players'."""

    name = "the best that pings can tell"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def server_now(self, now: float) -> float:
        return self._path.world.now + (self._path.up_ms - self._path.down_ms) / 2


class Snapcast(Scheme):
    """The median of the last 200 answers; 50 pings at once, then one each second.

    Source: badaix/snapcast, client/time_provider.cpp (`setDiffToServer`) and client/controller.cpp
    (`sendTimeSyncMessage`). It drops and doubles samples all the time, so its correction is taken for as good as ours.
    """

    name = "Snapcast"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._offsets: deque[float] = deque(maxlen=200)

    def ping_after(self, number: int) -> float:
        return 0.1 if number < 50 else 1000

    def pong(self, sent: float, received: float, server: float) -> None:
        self._offsets.append(server - (sent + received) / 2)
        self._offset = median(self._offsets)


class Jellyfin(Scheme):
    """The answer with the least delay of the last 8, however old; four pings a second apart, then one a minute.

    Source: jellyfin/jellyfin-web, src/plugins/syncPlay/core/timeSync/TimeSync.js; and for its correction
    core/PlaybackCore.js (`syncPlaybackTime`): another speed from 60 ms on.
    """

    name, corrects = "Jellyfin SyncPlay", True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._answers: deque[tuple[float, float]] = deque(maxlen=8)

    def ping_after(self, number: int) -> float:
        return 1000 if number < 3 else 60_000

    def pong(self, sent: float, received: float, server: float) -> None:
        self._answers.append((received - sent, server - (sent + received) / 2))
        self._offset = min(self._answers)[1]

    def rate(self, behind: float, rate: float) -> float | None:
        if abs(behind) >= 3000:
            return None
        return 1 + behind / 1000 if abs(behind) >= 60 else 1.0


class OpenTogetherTube(Scheme):
    """News are taken to be true at the moment when they come.

    Source: dyc3/opentogethertube, client/src/stores/room.ts (`sync` sets `playbackStartTime` to the time here); and for
    its correction client/src/views/Room.vue: a leap if the player is more than a second off.
    """

    name, corrects = "OpenTogetherTube", True

    def news(self, received: float, server: float) -> None:
        self._offset = server - received

    def rate(self, behind: float, rate: float) -> float | None:
        return None if abs(behind) > 1000 else 1.0


class Syncplay(Scheme):
    """Each second the server says where it is; to that, half of a moving average of the round trips is added.

    Source: Syncplay/syncplay, syncplay/protocols.py (`PingService`), constants.py (`PING_MOVING_AVERAGE_WEIGHT`,
    `SERVER_STATE_INTERVAL`); and for its correction the thresholds there: slower from 1.5 s on, down to 0.1 s; a leap
    from 4 s on.
    """

    name, corrects = "Syncplay", True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._average = self._before = 0.0

    def ping_after(self, number: int) -> float:
        return 1000

    def pong(self, sent: float, received: float, server: float) -> None:
        trip = received - sent
        self._average = 0.85 * (self._average or trip) + 0.15 * trip
        # a trip that is longer than the one which the other end saw is blamed on the way here
        forward = self._average / 2 + max(0.0, trip - (self._before or trip))
        self._before = trip
        self._offset = server + forward - received

    def rate(self, behind: float, rate: float) -> float | None:
        if abs(behind) > 4000:
            return None
        return 0.95 if -behind > (100 if rate < 1 else 1500) else 1.0


class Unsynced(Scheme):
    """Believes its own clock: what must fail."""

    name = "no estimate"

    def server_now(self, now: float) -> float:
        return now


SCHEMES: tuple[type[Scheme], ...] = (Limit, SoundScore, Snapcast, Jellyfin, OpenTogetherTube, Syncplay)
