"""What the Python client makes of the conformance vectors."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soundscore_client import Clock, Gap, Player, State, begin, delay, plan, policy, position, take

__all__ = ["FOLDER", "REDUCED", "answers", "as_json", "expectations", "vectors"]

FOLDER = Path(__file__).parents[2] / "clients" / "conformance"
Given = dict[str, Any]


def vectors(subject: str) -> dict[str, Any]:
    """A file of vectors."""
    said: dict[str, Any] = json.loads((FOLDER / f"{subject}.json").read_text(encoding="utf-8"))
    return said


def as_json(value: Any) -> Any:
    """As it would come out of a file."""
    return json.loads(json.dumps(value))


def _clock(_: Given, given: Given) -> Any:
    clock = Clock(**{name: given[name] for name in ("kept", "drift_ppm") if name in given})
    for sample in given["samples"]:
        clock.add(*sample)
    known = ({"offset": clock.offset(now), "error": clock.error(now)} for now in given["ask"])
    return [None if answer["offset"] is None else answer for answer in known]


def _closing(_: Given, given: Given) -> Any:
    then = policy(given["code"])
    return {**asdict(then), "delays": [delay(then, *ask) for ask in given["delays"]]}


def _reduce(said: Given, given: Given) -> Any:
    welcome, options = given["welcome"], {"kept": given["kept"]} if "kept" in given else {}
    state: State | None = begin(said["welcomes"][welcome] if isinstance(welcome, str) else welcome)
    try:
        for frame in given["frames"]:
            state = take(state, frame, **options)
    except Gap as gap:
        return {"gap": [gap.expected, gap.got]}
    assert state is not None
    return as_json(asdict(state))


def _positions(_: Given, given: Given) -> Any:
    return [position(given["playback"], now) for now in given["at"]]


def _plan(_: Given, given: Given) -> Any:
    return asdict(plan(given["playback"], Player(**given["player"]), given["server_now"]))


_SUBJECTS: dict[str, dict[str, Callable[[Given, Given], Any]]] = {
    "clock": {"cases": _clock},
    "closing": {"cases": _closing},
    "reducer": {"cases": _reduce},
    "playlists": {"cases": _reduce},
    "playback": {"positions": _positions, "plans": _plan},
}
REDUCED = ("reducer", "playlists")
"""Those in which frames change a state."""


def answers(subject: str, said: dict[str, Any]) -> dict[str, Any]:
    """The client's answers to each part of a file."""
    parts = _SUBJECTS[subject]
    return {part: [answer(said, case["given"]) for case in said[part]] for part, answer in parts.items()}


def expectations(subject: str, said: dict[str, Any]) -> dict[str, Any]:
    """What the vectors want. A state is as it began, but for what is named."""
    wanted = {part: [case["expect"] for case in said[part]] for part in _SUBJECTS[subject]}
    if subject in REDUCED:
        begun = {name: as_json(asdict(begin(welcome))) for name, welcome in said["welcomes"].items()}
        wanted["cases"] = [
            case["expect"] if "gap" in case["expect"] else {**begun[case["given"]["welcome"]], **case["expect"]}
            for case in said["cases"]
        ]
    return wanted
