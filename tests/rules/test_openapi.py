"""The OpenAPI document is a promise: names, texts, errors and examples are there for every operation."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI

from tests.rules.sources import told

OBVIOUS = {"example", "examples", "const", "enum", "default", "format"}
EVERYWHERE = {"422", "429", "500", "503"}
SNAKE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
Described = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def document(built: FastAPI) -> dict[str, Any]:
    return json.loads(json.dumps(built.openapi()))


@pytest.fixture(scope="session")
def described(document: dict[str, Any]) -> Described:
    return [
        (f"{method.upper()} {path} ({operation.get('operationId')})", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_operations_have_stable_names(described: Described) -> None:
    names = Counter(operation["operationId"] for _, operation in described)
    breaches = [f"{name} names {count} operations" for name, count in names.items() if count > 1]
    breaches += [f"{name}: a name is verb_noun, made of words" for name in names if not SNAKE.match(name)]
    assert not breaches, told(breaches)


def test_operations_have_texts(described: Described) -> None:
    breaches = [
        f"{where}: needs a {part}"
        for where, operation in described
        for part in ("summary", "description")
        if not operation.get(part)
    ]
    assert not breaches, told(breaches)


def test_tags_are_described(document: dict[str, Any], described: Described) -> None:
    texts = {tag["name"]: tag.get("description") for tag in document.get("tags", [])}
    used = {tag for _, operation in described for tag in operation.get("tags", [])}
    breaches = [f"{where}: needs a tag" for where, operation in described if not operation.get("tags")]
    breaches += [f"the tag {tag} needs a description: TAGS in app/api.py" for tag in sorted(used) if not texts.get(tag)]
    breaches += [f"no operation has the tag {tag}: TAGS in app/api.py" for tag in sorted(texts.keys() - used)]
    assert not breaches, told(breaches)


def test_errors_are_documented(described: Described) -> None:
    breaches = []
    for where, operation in described:
        wanted = set(EVERYWHERE) if " /api/" in where else set()
        if operation.get("security"):
            wanted |= {"401", "403"}
        if any(
            parameter["in"] == "path" and is_open(parameter["schema"]) for parameter in operation.get("parameters", [])
        ):
            wanted.add("404")
        if missing := sorted(wanted - operation["responses"].keys()):
            breaches.append(f"{where}: responses=problems(...) lacks {', '.join(missing)}")
    assert not breaches, told(breaches)


def is_open(schema: dict[str, Any]) -> bool:
    """Whether a value may have the right form and still name nothing."""
    return not schema.keys() & {"enum", "const"}


def test_every_error_is_a_problem_document(described: Described) -> None:
    breaches = [
        f"{where}: {status} is no application/problem+json"
        for where, operation in described
        for status, response in operation["responses"].items()
        if status >= "400"
        and "application/problem+json" not in response.get("content", {})
        and not where.startswith(("GET /readyz", "GET /health"))
    ]
    assert not breaches, told(breaches)


def test_requests_have_examples(document: dict[str, Any], described: Described) -> None:
    bodies = [
        (where, content)
        for where, operation in described
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
        if kind == "application/json"
    ]
    breaches = [
        f"{where}: the request body needs examples, on the schema or on each required field"
        for where, content in bodies
        if not content.keys() & {"example", "examples"} and not has_example(document, content.get("schema", {}))
    ]
    assert not breaches, told(breaches)
    assert len(bodies) > 10


def has_example(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether an example stands on the schema, on one of its variants, or on each required property."""
    if "$ref" in schema:
        return has_example(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.keys() & OBVIOUS or schema.get("type") in {"boolean", "null"}:
        return True
    if variants := [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]:
        return any(has_example(document, variant) for variant in variants if variant.get("type") != "null")
    if schema.get("type") == "array":
        return has_example(document, schema["items"])
    properties = schema.get("properties", {})
    given = {name for name in properties if has_example(document, properties[name])}
    return given >= set(schema.get("required", [])) and bool(given)
