"""A room that plays and those who listen to it, in virtual time.

The room is the server's own state machine and what it tells, a listener is the reference client's own plan for a
player. Only the network, the clocks and the loudspeakers are made up.
"""

from collections.abc import Callable
from random import Random
from typing import cast
from uuid import UUID

from soundscore_client.playback import Plan, Player, plan, position
from soundscore_client.wire import Playback

from app.rooms import deck
from app.rooms.deck import Cue, State
from app.rooms.stage import Stage, playback_data
from bench.network import Path, Weather, World
from bench.schemes import Scheme

__all__ = ["Listener", "Room", "Speaker"]

DAY_MS = 86_400_000.0
PPM = 100e-6
PLAN_MS = 250.0
TIMER_MS = 4.0
"""A timer goes off at most this much late."""
TRACK_MS = (60_000, 240_000)


class Speaker:
    """What is heard. Its quartz is no better than the clock's."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world, self._chance = world, chance
        self._speed = 1 + chance.uniform(-PPM, PPM)
        self.latency_ms = chance.uniform(0, 150)
        self.item: str | None = None
        self.playing = self.starting = False
        self.rate = 1.0
        self._position, self._at = 0.0, world.now
        self._turn = 0

    @property
    def position(self) -> float:
        """The milliseconds of the track that are heard."""
        if not self.playing:
            return self._position
        return self._position + (self._world.now - self._at) * self.rate * self._speed

    def turn(self, rate: float) -> None:
        """Goes on at another speed."""
        self._position, self._at, self.rate = self.position, self._world.now, rate

    def stop(self, position: float) -> None:
        """Is silent."""
        self._turn += 1
        self._position, self.playing, self.starting = position, False, False

    def start(self, position: float) -> None:
        """Will be heard when its buffers are filled, which never takes exactly as long as was said."""
        self.stop(position)
        self.starting, turn = True, self._turn
        self._world.after(max(0.0, self.latency_ms + self._chance.gauss(0, 3)), lambda: self._sound(turn, position))

    def _sound(self, turn: int, position: float) -> None:
        if turn == self._turn:
            self.playing, self.starting, self.rate = True, False, 1.0
            self._position, self._at = position, self._world.now


class Listener:
    """A client with a clock that is off and a loudspeaker, at the end of a path."""

    def __init__(self, room: "Room", weather: Weather, chance: Random, scheme: type[Scheme], *, own: bool) -> None:
        self.room, self._world, self._chance = room, room.world, chance
        self.path = Path(room.world, weather, chance)
        self.scheme, self._own = scheme(self.path), own
        self.speaker = Speaker(room.world, chance)
        self.user = UUID(int=chance.getrandbits(128))
        self.joined_at = float("inf")
        self._off, self._drift = chance.uniform(-DAY_MS, DAY_MS), chance.uniform(-PPM, PPM)
        self._playback: Playback | None = None
        self._loading: str | None = None
        self._told_ready = -1
        self._turn = 0

    @property
    def local_ms(self) -> float:
        """What the clock here says."""
        return self._world.now * (1 + self._drift) + self._off

    def join(self) -> None:
        """Connects, as the server sees it."""
        self.joined_at = self._world.now
        self.hear(self.room.told())
        self._ping(0)
        self._look()

    def hear(self, playback: Playback) -> None:
        """The server tells what plays."""
        at = self._world.now
        self.path.down(lambda: self._take(playback, at))

    def press(self, act: Callable[["Room"], None]) -> None:
        """Asks the room for something."""
        self.path.up(lambda: act(self.room))

    def _take(self, playback: Playback, at: float) -> None:
        self.scheme.news(self.local_ms, at)
        self._playback = playback
        self._act()

    def _timer(self, local_ms: float, act: Callable[[], None]) -> None:
        self._world.after(local_ms / (1 + self._drift) + self._chance.uniform(0, TIMER_MS), act)

    def _ping(self, number: int) -> None:
        pause = self.scheme.ping_after(number)
        if pause is None:
            return
        sent = self.local_ms
        self.path.up(lambda: self._pong(sent, self._world.now))
        self._timer(pause, lambda: self._ping(number + 1))

    def _pong(self, sent: float, server: float) -> None:
        self.path.down(lambda: self.scheme.pong(sent, self.local_ms, server))

    def _look(self) -> None:
        self._act()
        self._timer(PLAN_MS, self._look)

    def _act(self) -> None:
        """Does what the plan says."""
        playback, now, speaker = self._playback, self.scheme.server_now(self.local_ms), self.speaker
        if playback is None or now is None or speaker.starting:
            return
        item = playback["item"]
        if item is not None and item["id"] != speaker.item:
            self._load(item["id"])
            return
        self._do(self._planned(playback, now), playback)

    def _do(self, step: Plan, playback: Playback) -> None:
        speaker, turn = self.speaker, self._turn + 1
        self._turn = turn
        match step.step:
            case "wait":
                speaker.stop(step.position_ms or 0.0)
                self._timer(step.delay_ms or 0.0, lambda: self._begin(turn, step.position_ms or 0.0))
            case "start" | "seek":
                speaker.start(step.position_ms or 0.0)
            case "nudge" | "nothing":
                speaker.turn(step.rate)
            case "prepare" | "pause":
                speaker.stop(step.position_ms or 0.0)
            case "stop":
                speaker.item = None
                speaker.stop(0.0)
        if step.step == "prepare" and self._told_ready != playback["version"]:
            version = self._told_ready = playback["version"]
            self.press(lambda room: room.ready(self.user, version))

    def _begin(self, turn: int, position: float) -> None:
        if turn == self._turn:  # nothing else was planned since
            self.speaker.start(position)

    def _load(self, item: str) -> None:
        """Most have a track quickly; one in twenty does not."""
        if self._loading == item:
            return
        self._loading, slow = item, self._chance.random() < 0.05
        self.speaker.stop(0.0)
        self._timer(
            self._chance.uniform(2500, 4500) if slow else self._chance.uniform(50, 900), lambda: self._have(item)
        )

    def _have(self, item: str) -> None:
        if self._loading == item:
            self.speaker.item = item
            self._act()

    def _planned(self, playback: Playback, now: float) -> Plan:
        """What our client plans, or the program's own rule once its player runs."""
        speaker = self.speaker
        there = Player(speaker.item, speaker.playing, speaker.position, speaker.latency_ms, speaker.rate)
        ours = plan(playback, there, now)
        if not (self._own and self.scheme.corrects and ours.step in {"nudge", "seek", "nothing"} and speaker.playing):
            return ours
        rate = self.scheme.rate(position(playback, now) - speaker.position, speaker.rate)
        if rate is None:
            return Plan("seek", position(playback, now + speaker.latency_ms))
        return Plan("nudge", rate=rate)


class Room:
    """What the server does for one room, with a little of the time that it takes."""

    def __init__(self, world: World, chance: Random) -> None:
        self.world, self._chance = world, chance
        self.listeners: list[Listener] = []
        self.changed_at = world.now
        self.starts = 0
        self._stage = Stage(UUID(int=1), "fifo", 1, auto_dj=False, genres=())

    @property
    def state(self) -> State:
        """As the server has it."""
        return self._stage.state

    def told(self) -> Playback:
        """As the server tells it."""
        return cast(Playback, playback_data(self._stage))

    def enter(self, listener: Listener) -> None:
        """Somebody joins."""
        self.listeners.append(listener)
        listener.join()

    def play(self) -> None:
        self._become(deck.play(self.state, self.world.now))

    def pause(self) -> None:
        self._become(deck.pause(self.state, self.world.now))

    def seek(self, position_ms: int) -> None:
        self._become(deck.seek(self.state, self.world.now, position_ms))

    def skip(self) -> None:
        self._become(deck.skip(self.state, self.world.now, self._cue(), gated=True))

    def ready(self, user: UUID, version: int) -> None:
        if self.state.version == version:
            present = [listener.user for listener in self.listeners]
            self._become(deck.ready(self.state, self.world.now, user, present))

    def is_heard(self, settle_ms: float) -> bool:
        """Whether the track has played for so long since something was changed."""
        state, now = self.state, self.world.now
        begun = max(state.at_ms, self.changed_at) + settle_ms
        return state.playing and state.waiting is None and now >= begun and not deck.is_over(state, now)

    def _cue(self) -> Cue:
        self.starts += 1
        return Cue(UUID(int=self._chance.getrandbits(128)), self._chance.randint(*TRACK_MS))

    def _become(self, state: State) -> None:
        before, shown = self.state, self.told()
        if state == before:
            return
        self._stage.state = state
        self._stage.item = {"id": str(state.item)}
        if self.told() != shown:
            for listener in self.listeners:
                listener.hear(self.told())
        if (state.version, state.at_ms) != (before.version, before.at_ms):
            self.changed_at = self.world.now
        self._wait_for_due()

    def _wait_for_due(self) -> None:
        state, due_ms = self.state, deck.due(self.state)
        if due_ms is not None:
            late = self._chance.uniform(1, 25)
            self.world.after(max(0.0, due_ms - self.world.now) + late, lambda: self._go_on(state))

    def _go_on(self, of: State) -> None:
        if self.state is of:
            following = self._cue() if deck.is_over(of, self.world.now) else None
            self._become(deck.advance(of, self.world.now, following, gated=True))
