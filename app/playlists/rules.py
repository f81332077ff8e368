"""The rules of smart playlists: what they may say, and what PostgreSQL makes of it.

Modules above register what only they know: `rule_field("listens", NUMBER, "coalesce(heard.times, 0)", join=HEARD)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.catalog.hearing import heard_by_sql
from app.core.errors import Fault, Invalid
from app.core.schemas import Input
from app.core.text import name_key

__all__ = ["AGE", "FLAG", "NUMBER", "TEXT", "Condition", "Kind", "Rules", "check_rules", "compile_rules", "rule_field"]

MOST_CONDITIONS: Final = 30
MOST_NESTED: Final = 3
MOST_CHOSEN: Final = 500
Order = Literal["added", "title", "artist", "year", "popularity"]


class Condition(Input):
    """One condition: `{"field": "year", "op": "at_least", "value": 1960}`. Which go together, the documentation says.

    With `match` and `conditions` it is a group of its own, three deep at most.
    """

    field: Annotated[str, Field(max_length=50, examples=["genre"])] | None = None
    op: Annotated[str, Field(max_length=50, examples=["is"])] | None = None
    value: Annotated[str | float | bool, Field(examples=["jazz"], union_mode="left_to_right")] | None = None
    match: Literal["all", "any"] | None = None
    conditions: "Annotated[list[Condition], Field(max_length=MOST_CONDITIONS)] | None" = None


class Rules(Input):
    """What a smart playlist chooses, in which order, and how many at most.

    Conditions on what somebody heard, likes and rated ask about the owner of the playlist.

    | Field | Operators | Value |
    |---|---|---|
    | `genre` | `is`, `is_not` | a genre of the track or its album |
    | `title`, `artist`, `album` | `is`, `is_not`, `contains` | words; case and accents do not matter |
    | `year`, `popularity`, `tempo`, `duration` (seconds), `mean_rating` and `rating` (half stars), `listens` | `is`, \
`at_least`, `at_most` | a number |
    | `mood` | `is`, `is_not` | `happy`, `calm`, `sad`, `tense` |
    | `added` (to the catalogue), `last_heard` | `within_days`, `not_within_days` | days |
    | `liked` | `is` | true or false |
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "match": "all",
                    "conditions": [
                        {"field": "genre", "op": "is", "value": "jazz"},
                        {"field": "year", "op": "at_most", "value": 1965},
                    ],
                    "order": "year",
                    "descending": False,
                    "limit": 100,
                }
            ]
        }
    )

    match: Literal["all", "any"] = "all"
    conditions: Annotated[list[Condition], Field(min_length=1, max_length=MOST_CONDITIONS)]
    order: Order = "added"
    descending: bool = True
    limit: Annotated[int, Field(ge=1, le=MOST_CHOSEN)] = 100


@dataclass(slots=True)
class _Parameters:
    """Values of the statement; the first is the person of whom the rules speak, the second who reads."""

    values: list[Any]

    def add(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fields: what is said of them, and how. In an operator, `{0}` is the field and `{1}` the value."""

    name: str
    value: str
    accepts: Callable[[Any], bool]
    sql_type: str
    operators: Mapping[str, str]
    prepared: Callable[[Any], Any] = field(default=lambda value: value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and "\0" not in value


_MOODS: Final = {"happy": (">=", ">="), "calm": (">=", "<"), "sad": ("<", "<"), "tense": ("<", ">=")}
TEXT = Kind(
    "text",
    "words, 200 characters at most",
    _is_text,
    "text",
    {"is": "{0} = {1}", "is_not": "coalesce({0} <> {1}, true)", "contains": "position({1} in {0}) > 0"},
    name_key,
)
GENRE = Kind(
    "genre",
    "a genre",
    _is_text,
    "text",
    {"is": "{1} = ANY({0})", "is_not": "NOT ({1} = ANY({0}))"},
    lambda value: value.strip().casefold(),
)
NUMBER = Kind(
    "number",
    "a number",
    _is_number,
    "float8",
    {"is": "{0} = {1}", "at_least": "{0} >= {1}", "at_most": "{0} <= {1}"},
    float,
)
AGE = Kind(
    "age",
    "a number of days, 1 to 36500",
    lambda value: _is_number(value) and 1 <= value <= 36_500,
    "float8",
    {
        "within_days": "{0} >= now() - {1} * interval '1 day'",
        "not_within_days": "coalesce({0} < now() - {1} * interval '1 day', true)",
    },
    float,
)
FLAG = Kind("flag", "true or false", lambda value: isinstance(value, bool), "boolean", {"is": "{0} = {1}"})
MOOD = Kind(
    "mood",
    "happy, calm, sad or tense",
    lambda value: isinstance(value, str) and value in _MOODS,
    "text",
    {"is": "coalesce({0} = {1}, false)", "is_not": "coalesce({0} <> {1}, true)"},
)


@dataclass(frozen=True, slots=True)
class _RuleField:
    kind: Kind
    sql: str
    join: str


_fields: dict[str, _RuleField] = {}


def rule_field(name: str, kind: Kind, sql: str, *, join: str = "") -> None:
    """Registers what rules can ask of the tables `t` (tracks), `ar`, `al`, and what `join` adds; $1 is the owner."""
    if name in _fields:
        raise ValueError(f"there are two fields called {name}")
    _fields[name] = _RuleField(kind, sql, join)


_QUADRANTS = " ".join(f"WHEN t.valence {v} 0.5 AND t.energy {e} 0.5 THEN '{mood}'" for mood, (v, e) in _MOODS.items())
_YEAR = "coalesce(al.year, t.year)"
_MEAN = "al.rating_sum::float8 / nullif(al.review_count, 0)"
rule_field("genre", GENRE, "(t.genres || coalesce(al.genres, ARRAY[]::text[]))")
rule_field("title", TEXT, "t.title_key")
rule_field("artist", TEXT, "ar.name_key")
rule_field("album", TEXT, "al.title_key")
rule_field("year", NUMBER, _YEAR)
rule_field("popularity", NUMBER, "t.popularity")
rule_field("tempo", NUMBER, "t.tempo")
rule_field("duration", NUMBER, "t.duration_ms / 1000.0")
rule_field("mean_rating", NUMBER, _MEAN)
rule_field("mood", MOOD, f"(CASE {_QUADRANTS} END)")
rule_field("added", AGE, "t.created_at")
rule_field(
    "liked",
    FLAG,
    "(liked.user_id IS NOT NULL)",
    join="LEFT JOIN likes liked ON liked.track_id = t.id AND liked.user_id = $1",
)

# $1 need not occur in the rules, but has to have a type
_HEARD: Final = f"($1::uuid IS NULL OR true) AND {heard_by_sql('t', '$2::uuid')}"
_ORDERS: Final[dict[Order, str]] = {
    "added": "t.created_at",
    "title": "t.title_key",
    "artist": "ar.name_key",
    "year": _YEAR,
    "popularity": "t.popularity",
}


def check_rules(rules: Rules, pointer: str = "/body/rules") -> dict[str, Any]:
    """The rules as they are kept. Raises Invalid with every fault."""
    faults = list(_faults(rules.conditions, f"{pointer}/conditions", depth=1))
    if _count(rules.conditions) > MOST_CONDITIONS:
        faults.append(_fault(f"{pointer}/conditions", f"At most {MOST_CONDITIONS} conditions.", "too_many"))
    if faults:
        raise Invalid("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3]), faults=faults)
    return rules.model_dump(exclude_none=True)


def compile_rules(rules: dict[str, Any], owner_id: UUID | None, viewer: UUID | None) -> tuple[str, list[Any]]:
    """A statement with the columns `id` and `place` of the chosen tracks that the viewer may hear, and its arguments.

    The rules speak of the owner: everybody who reads a playlist reads the same, but for recordings that are not public.
    """
    parameters = _Parameters([owner_id, viewer])
    joins: dict[str, None] = {}
    where = _group(rules["match"], rules["conditions"], parameters, joins)
    direction = "DESC" if rules["descending"] else "ASC"
    order = f"{_ORDERS[rules['order']]} {direction} NULLS LAST, t.id {direction}"
    sql = f"""
        SELECT t.id, row_number() OVER (ORDER BY {order}) AS place
        FROM tracks t JOIN artists ar ON ar.id = t.artist_id LEFT JOIN albums al ON al.id = t.album_id
        {" ".join(joins)}
        WHERE t.merged_into_id IS NULL AND {_HEARD} AND {where}
        ORDER BY place LIMIT {int(rules["limit"])}"""  # noqa: S608 -- every value is a parameter
    return sql, parameters.values


def _group(match: str, conditions: list[dict[str, Any]], parameters: _Parameters, joins: dict[str, None]) -> str:
    parts = [_part(condition, parameters, joins) for condition in conditions]
    return "(" + (" AND " if match == "all" else " OR ").join(parts) + ")"


def _part(condition: dict[str, Any], parameters: _Parameters, joins: dict[str, None]) -> str:
    if condition.get("conditions"):
        return _group(condition["match"], condition["conditions"], parameters, joins)
    asked = _fields.get(condition["field"])
    if asked is None or condition["op"] not in asked.kind.operators:
        return "false"  # of a module that is not there any more
    if asked.join:
        joins[asked.join] = None
    value = parameters.add(asked.kind.prepared(condition["value"]), asked.kind.sql_type)
    return "(" + asked.kind.operators[condition["op"]].replace("{0}", asked.sql).replace("{1}", value) + ")"


def _count(conditions: list[Condition]) -> int:
    return sum(_count(condition.conditions) if condition.conditions else 1 for condition in conditions)


def _faults(conditions: list[Condition], pointer: str, *, depth: int) -> list[Fault]:
    return [
        fault
        for number, condition in enumerate(conditions)
        for fault in _faults_of(condition, f"{pointer}/{number}", depth=depth)
    ]


def _faults_of(condition: Condition, pointer: str, *, depth: int) -> list[Fault]:
    simple = condition.field is not None and condition.op is not None and condition.value is not None
    group = condition.match is not None and bool(condition.conditions)
    if simple == group:
        return [_fault(pointer, "Give `field`, `op` and `value`, or `match` and `conditions`.", "one_of")]
    if not group:
        return _faults_of_simple(condition, pointer)
    if depth >= MOST_NESTED:
        return [_fault(pointer, f"Groups can be {MOST_NESTED} deep.", "too_deep")]
    return _faults(condition.conditions or [], f"{pointer}/conditions", depth=depth + 1)


def _faults_of_simple(condition: Condition, pointer: str) -> list[Fault]:
    asked = _fields.get(condition.field or "")
    if asked is None:
        return [_fault(f"{pointer}/field", f"There are: {', '.join(sorted(_fields))}.", "unknown")]
    if condition.op not in asked.kind.operators:
        there = ", ".join(asked.kind.operators)
        return [_fault(f"{pointer}/op", f"Of {condition.field} one can say: {there}.", "unknown")]
    if not asked.kind.accepts(condition.value):
        return [_fault(f"{pointer}/value", f"This has to be {asked.kind.value}.", "invalid")]
    return []


def _fault(pointer: str, detail: str, code: str) -> Fault:
    return Fault(pointer=pointer, detail=detail, code=code)
