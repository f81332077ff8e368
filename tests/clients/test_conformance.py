"""Both clients answer the same to the same: vectors, and rooms in which anything may happen."""

import random
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soundscore_client import apply, begin
from soundscore_client.changes import CHANGES

from tests.clients.answers import REDUCED, answers, as_json, expectations, vectors
from tests.clients.model import KINDS, SNAPSHOT_MESSAGES, ModelRoom
from tests.clients.node import ask_node

SUBJECTS = ["clock", "closing", "playback", *REDUCED]
Acts = list[tuple[str, int]]


def check(subject: str, got: dict[str, Any]) -> None:
    said = vectors(subject)
    for part, wanted in expectations(subject, said).items():
        for case, answer, want in zip(said[part], got[part], wanted, strict=True):
            assert answer == (want if subject in REDUCED else nearly(want)), case["name"]


def nearly(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: nearly(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [nearly(inner) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return pytest.approx(value, abs=1e-6) if is_number else value


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_python_client_conforms(subject: str) -> None:
    check(subject, answers(subject, vectors(subject)))


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_the_typescript_client_conforms(subject: str) -> None:
    got = await ask_node(subject, vectors(subject))
    check(subject, got)
    assert got == as_json(answers(subject, vectors(subject)))


def test_every_kind_of_event_has_a_vector() -> None:
    cases = [case for subject in REDUCED for case in vectors(subject)["cases"]]
    shown = {frame.get("kind") for case in cases for frame in case["given"]["frames"]}
    assert shown >= {*CHANGES, "hidden", "playlist.hidden"}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2**16)), max_size=80), st.floats(0, 1))
def test_a_snapshot_and_the_events_after_it_are_the_next_snapshot(acts: Acts, cut: float) -> None:
    before, events, after = happened(acts, cut)
    state = begin(before)
    for event in events:
        state = apply(state, event, kept=SNAPSHOT_MESSAGES)
    assert asdict(state) == asdict(begin(after))


async def test_the_typescript_client_gets_to_the_next_snapshot_too() -> None:
    chance = random.Random(7)
    lives = [[(chance.choice([*KINDS, *["say"] * 10]), chance.randrange(2**16)) for _ in range(200)] for _ in range(50)]
    stories = [happened(acts, chance.random()) for acts in lives]
    cases = [
        {"given": {"welcome": before, "frames": events, "kept": SNAPSHOT_MESSAGES}} for before, events, _ in stories
    ]
    got = await ask_node("reducer", {"cases": cases})
    assert got["cases"] == [as_json(asdict(begin(after))) for _, _, after in stories]


def happened(acts: Acts, cut: float) -> tuple[Any, list[Any], Any]:
    """A welcome in the midst of it, the events after that, and a welcome at the end."""
    room, middle = ModelRoom(), int(cut * len(acts))
    for kind, seed in acts[:middle]:
        room.act(kind, seed)
    before = as_json(room.welcome())
    for kind, seed in acts[middle:]:
        room.act(kind, seed)
    return before, as_json(room.events[before["sequence"] :]), as_json(room.welcome())
