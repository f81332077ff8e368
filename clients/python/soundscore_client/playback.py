"""Where a track is at a moment of the server's clock, and what a player that is not quite there should do."""

from dataclasses import dataclass
from typing import Literal

from soundscore_client.wire import Playback

__all__ = ["Plan", "Player", "plan", "position"]

STILL_MS = 20.0
"""Where a silent player stands need not be more exact than this."""
AWAY_MS = 4.0
"""A player that is so far off is brought back ..."""
CLOSE_MS = 1.0
"""... until it is no farther off than this: so it is seldom meddled with, and two of them are hardly heard apart."""
SEEK_MS = 200.0
"""From here on a jump is better than a long chase."""
MOST_RATE = 0.02
"""Nobody hears this change of speed."""
CHASE_MS = 5000.0
"""In what time a small distance is to be made good."""

Step = Literal["stop", "prepare", "pause", "wait", "start", "seek", "nudge", "finish", "nothing"]


@dataclass(frozen=True, slots=True)
class Player:
    """What a player does now.

    `latency_ms`: how long after it is told to start or to seek it is heard. `rate`: the speed of the last plan.
    """

    item_id: str | None
    playing: bool
    position_ms: float
    latency_ms: float = 0.0
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What it should do.

    - `stop`: there is nothing to play
    - `pause`: be silent at `position_ms`
    - `wait`: be silent at `position_ms`, start in `delay_ms`
    - `prepare`: the same, and tell the server `playback.ready` when it is loaded: the start may come sooner
    - `start`, `seek`: play from `position_ms`, at once
    - `nudge`: play at `rate` until the next plan
    - `finish`: the track is at its end; let it sound out, the server moves on
    - `nothing`: go on, at rate 1
    """

    step: Step
    position_ms: float | None = None
    delay_ms: float | None = None
    rate: float = 1.0


def position(playback: Playback, server_now: float) -> float:
    """The milliseconds of the track that should be heard at a time of the server's clock."""
    start = float(playback["position_ms"])
    if playback["item"] is None:
        return 0.0
    if not playback["playing"]:
        return start
    at = start + max(0.0, server_now - playback["at_ms"])
    duration = playback["duration_ms"]
    return at if duration is None else min(at, float(duration))


def plan(playback: Playback, player: Player, server_now: float) -> Plan:
    """Ask for one at every change of the playback, and a few times each second."""
    item = playback["item"]
    if item is None:
        return Plan("stop")
    loaded = item["id"] == player.item_id
    target = position(playback, server_now)
    if not playback["playing"]:
        still = loaded and not player.playing and abs(player.position_ms - target) <= STILL_MS
        return Plan("nothing") if still else Plan("pause", target)
    if playback["duration_ms"] is not None and target >= playback["duration_ms"]:
        return Plan("finish")
    runs = loaded and player.playing
    return _follow(playback, player, server_now) if runs else _begin(playback, player, server_now)


def _begin(playback: Playback, player: Player, server_now: float) -> Plan:
    wait = playback["at_ms"] - server_now - player.latency_ms
    if wait > 0:
        return Plan("prepare" if playback["waiting"] else "wait", float(playback["position_ms"]), wait)
    return Plan("start", position(playback, server_now + player.latency_ms))


def _follow(playback: Playback, player: Player, server_now: float) -> Plan:
    if playback["at_ms"] - server_now - player.latency_ms > STILL_MS:
        return _begin(playback, player, server_now)
    drift = position(playback, server_now) - player.position_ms
    if abs(drift) <= (AWAY_MS if player.rate == 1 else CLOSE_MS):
        return Plan("nothing")
    if abs(drift) > SEEK_MS:
        return Plan("seek", position(playback, server_now + player.latency_ms))
    return Plan("nudge", rate=1 + max(-MOST_RATE, min(MOST_RATE, drift / CHASE_MS)))
