"""Rule 19: answers are complete, inputs are strict."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

from fastapi.params import Form
from pydantic import BaseModel

from app.core.schemas import Input, Output
from tests.rules.sources import ROOT, Operation, modules, told


def every(base: type[BaseModel]) -> list[type[BaseModel]]:
    modules()
    found, queue = [], [base]
    while queue:
        queue += (model := queue.pop()).__subclasses__()
        found.append(model)
    ours = [model for model in found if model.__module__.startswith("app.")]
    return [model for model in ours if not model.__pydantic_generic_metadata__["origin"]]


def place(model: type[BaseModel]) -> str:
    path = inspect.getsourcefile(model) or ""
    return f"{path.removeprefix(f'{ROOT}/')}:{inspect.getsourcelines(model)[1]} {model.__name__}"


def models_in(annotation: Any, seen: set[Any] | None = None) -> Iterator[type[BaseModel]]:
    """The models in a type, and those in their fields."""
    seen = set() if seen is None else seen
    if annotation in seen:
        return
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        seen.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation, seen)
    for part in get_args(annotation):
        yield from models_in(part, seen)


def test_outputs_have_no_defaults() -> None:
    breaches = [
        f"{place(model)}.{name}: an answer says everything, so it has no default"
        for model in every(Output)
        for name, field in model.model_fields.items()
        if not field.is_required()
    ]
    assert not breaches, told(breaches)


def test_inputs_forbid_what_is_unknown_and_coerce_nothing() -> None:
    wanted = {"extra": "forbid", "strict": True}
    breaches = [
        f"{place(model)}: {name} must be {value!r}"
        for model in every(Input)
        for name, value in wanted.items()
        if model.model_config.get(name) != value
    ]
    assert not breaches, told(breaches)


def test_bodies_are_inputs_and_answers_are_outputs(routes: list[Operation]) -> None:
    breaches = []
    for operation in routes:
        body = operation.route.body_field
        taken = models_in(body.field_info.annotation) if body and not isinstance(body.field_info, Form) else ()
        given = models_in(operation.route.response_model)
        breaches += [f"{operation}: the body {m.__name__} is no Input" for m in taken if not issubclass(m, Input)]
        breaches += [f"{operation}: the answer {m.__name__} is no Output" for m in given if not issubclass(m, Output)]
    assert not breaches, told(breaches)
    assert len(every(Output)) > 20
    assert len(every(Input)) > 10
