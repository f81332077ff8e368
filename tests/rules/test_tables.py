"""Rule 14: relationships are never loaded by surprise, and every foreign key says what a deletion does."""

import inspect

from sqlalchemy.orm import configure_mappers

from app.core.db import Base
from app.modules import load_modules
from tests.rules.sources import ROOT, told


def mappers() -> list:
    load_modules()
    configure_mappers()
    return list(Base.registry.mappers)


def place(model: type) -> str:
    path = inspect.getsourcefile(model) or ""
    return f"{path.removeprefix(f'{ROOT}/')}:{inspect.getsourcelines(model)[1]} {model.__name__}"


def test_relationships_raise_instead_of_loading() -> None:
    breaches = [
        f"{place(mapper.class_)}.{relationship.key}: lazy='raise', not {relationship.lazy!r}"
        for mapper in mappers()
        for relationship in mapper.relationships
        if relationship.lazy not in {"raise", "raise_on_sql"}
    ]
    assert not breaches, told(breaches)


def test_foreign_keys_say_what_a_deletion_does() -> None:
    known = [mapper for mapper in mappers() if mapper.local_table is not None]
    breaches = []
    for mapper in known:
        for key in mapper.local_table.foreign_keys:
            if key.target_fullname.partition(".")[0] not in Base.metadata.tables:
                breaches.append(f"{place(mapper.class_)}: {key.target_fullname} is no table")
            if not key.ondelete:
                breaches.append(f"{place(mapper.class_)}: the key to {key.target_fullname} needs ondelete")
    assert not breaches, told(breaches)
    assert sum(len(mapper.local_table.foreign_keys) for mapper in known) > 20, "the tables are not loaded"
