"""What docs/coming-from.md promises to clients of earlier systems is there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Route, WebSocketRoute

from app.api import api
from app.core.config import Settings
from app.main import create_app
from tests.rules.sources import ROOT, every_route, told

PAGE = ROOT / "docs" / "coming-from.md"
SYSTEMS = ["SoundScore's first version", "TuneWave", "Mood", "OpenMusic", "Music sharing"]
HEAD = ["theirs", "ours", "what differs"]
ABSENT = "not in this version"
NAMED = re.compile(r"`(GET|POST|PUT|PATCH|DELETE|HEAD|WS) (/[^`? ]*)(?:\?([^` ]*))?`")
BEGUN = re.compile(r"`(?:GET|POST|PUT|PATCH|DELETE|HEAD|WS)\b[^`]*`")
OURS = re.compile(rf"{NAMED.pattern}((,| or|,? then|, or) {NAMED.pattern})*")


@dataclass(frozen=True)
class Row:
    """One endpoint of theirs."""

    line: int
    system: str
    theirs: str
    ours: str
    difference: str

    def __str__(self) -> str:
        return f"{PAGE.name}:{self.line}"


def rows(text: str) -> Iterator[Row]:
    """The rows of all tables, whatever is wrong with them."""
    system = ""
    for number, line in enumerate(text.splitlines(), 1):
        system = line[3:] if line.startswith("## ") else system
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells != HEAD and set(line) - {"|", "-"}:
            assert len(cells) == len(HEAD), f"line {number} has {len(cells)} cells"
            yield Row(number, system, *cells)


@pytest.fixture(scope="module")
def page() -> list[Row]:
    return list(rows(PAGE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], set[str]]:
    """The queries that each operation takes, sockets as WS; with OpenMusic at the root."""
    app = create_app(Settings(environment="test", log_level="WARNING", openmusic_compat=True, _env_file=None))
    found: dict[tuple[str, str], set[str]] = {}
    for route in iter_route_contexts([*api.routes, *every_route(app)]):
        path = re.sub(r":\w+}", "}", route.path or "")
        if isinstance(route.original_route, WebSocketRoute):
            found["WS", path] = set()
        elif isinstance(route.original_route, Route):
            found |= {(method, path): set() for method in route.methods or ()}
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            queries = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
            found[method.upper(), path] = queries
    return found


def breaches_of(ours: str, operations: dict[tuple[str, str], set[str]]) -> Iterator[str]:
    """What is wrong with what a text names of ours."""
    yield from (f"{named} is no whole path" for named in BEGUN.findall(ours) if not NAMED.fullmatch(named))
    for method, path, query in NAMED.findall(ours):
        if (method, path) not in operations:
            yield f"there is no {method} {path}"
        else:
            unknown = {name for name, _ in parse_qsl(query, keep_blank_values=True)} - operations[method, path]
            yield from (f"{method} {path} takes no {name}" for name in sorted(unknown))


def test_every_system_has_its_table(page: list[Row]) -> None:
    assert list(dict.fromkeys(row.system for row in page)) == SYSTEMS


def test_no_cell_is_empty(page: list[Row]) -> None:
    breaches = [f"{row}: a cell is empty" for row in page if not (row.theirs and row.ours and row.difference)]
    assert not breaches, told(breaches)


def test_each_of_theirs_has_one_row(page: list[Row]) -> None:
    seen: set[tuple[str, str]] = set()
    breaches = []
    for row in page:
        if not NAMED.fullmatch(row.theirs):
            breaches.append(f"{row}: theirs is one method and path in backticks, not {row.theirs}")
        if (row.system, row.theirs) in seen:
            breaches.append(f"{row}: {row.theirs} has another row")
        seen.add((row.system, row.theirs))
    assert not breaches, told(breaches)


def test_what_is_ours_is_there(page: list[Row], operations: dict[tuple[str, str], set[str]]) -> None:
    breaches = [
        f"{row}: ours is `{ABSENT}`, or methods and paths in backticks, not {row.ours}"
        for row in page
        if row.ours != ABSENT and not OURS.fullmatch(row.ours)
    ]
    breaches += [f"{row}: {breach}" for row in page for breach in breaches_of(row.ours, operations)]
    assert not breaches, told(breaches)


def test_what_the_text_names_is_there(page: list[Row], operations: dict[tuple[str, str], set[str]]) -> None:
    """Outside of the tables, and in what differs: there too only ours are named."""
    inside = {row.line: row.difference for row in page}
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    breaches = [
        f"{PAGE.name}:{number}: {breach}"
        for number, line in enumerate(lines, 1)
        for breach in breaches_of(inside.get(number, line), operations)
    ]
    assert not breaches, told(breaches)


@pytest.mark.parametrize(
    ("ours", "breach"),
    [
        ("`GET /api/v1/nothing`", "there is no GET /api/v1/nothing"),
        ("`PUT /api/v1/rooms`, `GET /api/v1/rooms`", "there is no PUT /api/v1/rooms"),
        ("`GET /api/v1/rooms/{id}`", "there is no GET /api/v1/rooms/{id}"),
        ("`WS /ws/room/{channel_id}`", "there is no WS /ws/room/{channel_id}"),
        ("`GET /api/v1/search?sort=new`", "GET /api/v1/search takes no sort"),
        ("`PUT .../owner`", "`PUT .../owner` is no whole path"),
    ],
)
def test_what_is_not_there_is_found(operations: dict[tuple[str, str], set[str]], ours: str, breach: str) -> None:
    assert list(breaches_of(ours, operations)) == [breach]
