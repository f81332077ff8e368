"""The state machine of what plays, against a model that moves a needle millisecond by millisecond."""

from dataclasses import replace
from uuid import UUID

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.rooms import deck
from app.rooms.deck import GATE_MS, LEAD_MS, RESTART_MS, UNKNOWN_MS, Cue, State

LENGTH = 20_000
ANA, BRUNO = UUID(int=1), UUID(int=2)
ITEM, NEXT = UUID(int=11), UUID(int=12)
START = 1_700_000_000_000.0


def begun(*, gated: bool = False) -> State:
    return deck.skip(State(), START, Cue(ITEM, LENGTH), gated=gated)


class Needle(RuleBasedStateMachine):
    """`needle` moves while it plays, after `silence`; `played` counts its moves that were no leaps."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.state, self.version = START, begun(), 1
        self.needle, self.silence, self.playing, self.played = 0, LEAD_MS, True, 0

    @rule(ms=st.integers(0, 5000))
    def wait(self, ms: int) -> None:
        self.now += ms
        if self.playing:
            silent = min(ms, self.silence)
            moved = min(ms - silent, LENGTH - self.needle)
            self.silence -= silent
            self.needle, self.played = self.needle + moved, self.played + moved

    @rule()
    def play(self) -> None:
        self.state = deck.play(self.state, self.now)
        if not self.playing:
            self.playing, self.silence, self.version = True, LEAD_MS, self.version + 1

    @rule()
    def pause(self) -> None:
        self.state = deck.pause(self.state, self.now)
        self.version += self.playing
        self.playing = False

    @rule(position_ms=st.integers(0, 2 * LENGTH))
    def seek(self, position_ms: int) -> None:
        self.state = deck.seek(self.state, self.now, position_ms)
        self.needle, self.silence, self.version = min(position_ms, LENGTH), LEAD_MS, self.version + 1

    @property
    def is_over(self) -> bool:
        return self.playing and self.needle == LENGTH and self.silence == 0

    @rule()
    def advance_too_early(self) -> None:
        if not self.is_over:
            assert deck.advance(self.state, self.now, Cue(NEXT, 1), gated=False) == self.state

    @precondition(lambda self: self.is_over)
    @rule()
    def advance(self) -> None:
        self.state = deck.advance(self.state, self.now, Cue(NEXT, LENGTH), gated=False)
        assert (self.state.item, self.state.heard_ms) == (NEXT, 0)
        late = self.now - self.state.at_ms
        assert 0 <= late <= deck.LATE_MS
        self.needle = self.played = round(late)
        self.silence, self.version = 0, self.version + 1

    @invariant()
    def is_where_the_needle_is(self) -> None:
        assert deck.position(self.state, self.now) == self.needle
        assert deck.heard(self.state, self.now) == self.played
        assert (self.state.playing, self.state.version) == (self.playing, self.version)

    @invariant()
    def is_due_at_its_end(self) -> None:
        due = deck.due(self.state)
        assert (due is not None) == self.playing
        if due is not None:
            assert (due <= self.now) == self.is_over
            if due > self.now:
                assert due == self.now + self.silence + LENGTH - self.needle


TestNeedle = Needle.TestCase
TestNeedle.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_track_waits_no_longer_than_for_its_last_listener() -> None:
    waiting = begun(gated=True)
    assert waiting.waiting is not None
    assert (waiting.at_ms, deck.due(waiting)) == (START + GATE_MS, START + GATE_MS)
    one = deck.ready(waiting, START + 500, ANA, {ANA, BRUNO})
    assert one.waiting is not None
    assert (one.at_ms, one.waiting.ready, one.version) == (waiting.at_ms, (ANA,), waiting.version)
    assert deck.ready(one, START + 600, ANA, {ANA, BRUNO}) == one
    both = deck.ready(one, START + 700, BRUNO, {ANA, BRUNO})
    assert (both.waiting, both.at_ms, both.version) == (None, START + 700 + LEAD_MS, waiting.version)
    assert deck.ready(both, START + 800, BRUNO, {ANA}) == both


@given(st.integers(0, GATE_MS + 100), st.booleans())
def test_a_start_only_moves_forward(after_ms: int, alone: bool) -> None:
    waiting = begun(gated=True)
    present = {ANA} if alone else {ANA, BRUNO}
    then = deck.ready(waiting, START + after_ms, ANA, present)
    assert then.at_ms == (min(START + GATE_MS, START + after_ms + LEAD_MS) if alone else waiting.at_ms)
    pressed = deck.play(waiting, START + after_ms)
    assert (pressed.waiting, pressed.at_ms <= waiting.at_ms) == (None, True)


def test_a_slow_client_holds_nobody_up() -> None:
    waiting = begun(gated=True)
    assert deck.advance(waiting, START + GATE_MS - 1, None, gated=False) == waiting
    over = deck.advance(waiting, START + GATE_MS, None, gated=False)
    assert over == replace(waiting, waiting=None)
    assert deck.due(over) == START + GATE_MS + LENGTH


def test_pauses_and_leaps_end_the_wait() -> None:
    waiting = begun(gated=True)
    assert deck.pause(waiting, START + 10).waiting is None
    assert deck.position(deck.pause(waiting, START + 10), START + 99_999) == 0
    assert deck.seek(waiting, START + 10, 5).at_ms == START + 10 + LEAD_MS


def test_what_follows_late_begins_now() -> None:
    end = START + LEAD_MS + LENGTH
    soon = deck.advance(begun(), end + deck.LATE_MS, Cue(NEXT, 5), gated=False)
    late = deck.advance(begun(), end + deck.LATE_MS + 1, Cue(NEXT, 5), gated=False)
    assert (soon.at_ms, late.at_ms) == (end, end + deck.LATE_MS + 1)
    none = deck.advance(begun(), end, None, gated=True)
    assert (none.item, none.playing, deck.due(none), none.version) == (None, False, None, 2)


def test_back_means_the_beginning_before_it_means_the_track_before() -> None:
    state, at = begun(), START + LEAD_MS
    assert deck.previous(state, at + RESTART_MS, Cue(NEXT, 5), gated=False).item == NEXT
    again = deck.previous(state, at + RESTART_MS + 1, Cue(NEXT, 5), gated=False)
    assert (again.item, again.position_ms, again.heard_ms) == (ITEM, 0, RESTART_MS + 1)
    assert deck.previous(state, at, None, gated=False).item == ITEM


@given(st.integers(0, 10**7))
def test_nothing_and_what_has_no_length(ms: int) -> None:
    silent = State()
    for same in (deck.play(silent, START), deck.pause(silent, START), deck.seek(silent, START, ms)):
        assert same == silent
    endless = deck.skip(silent, START, Cue(ITEM, None), gated=False)
    assert deck.due(endless) == START + LEAD_MS + UNKNOWN_MS
    assume(ms < UNKNOWN_MS)
    assert deck.position(endless, START + LEAD_MS + ms) == ms
