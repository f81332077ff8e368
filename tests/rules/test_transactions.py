"""Rules 1-3: who commits, who reads and writes, and who holds no session."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from app.core.db import Writer
from app.core.http import _reader, _writer
from app.core.infra import Infra
from app.core.streams import EventStream
from tests.rules.sources import Operation, sources, told

COMMIT = re.compile(r"\.commit$|(^|[._])(engine|connection|session|db)\.begin$|\.transaction$")
# The Database itself; the migrations, and a rebuild that takes minutes, on connections of their own.
MAY_COMMIT = {"app/core/db.py", "app/core/migrations.py", "app/catalog/search_rebuild.py"}


def needs(operation: Operation, dependency: Callable[..., Any]) -> bool:
    return any(dependant.call is dependency for dependant in operation.dependants)


def is_stream(operation: Operation) -> bool:
    kinds = (operation.route.response_class, inspect.signature(operation.endpoint).return_annotation)
    return any(isinstance(kind, type) and issubclass(kind, EventStream) for kind in kinds)


def test_only_the_database_commits() -> None:
    breaches = [
        f"{source.at(call)} {name}(): only Database.write() commits"
        for source in sources()
        if source.name not in MAY_COMMIT
        for name, call in source.calls()
        if COMMIT.search(name)
    ]
    assert not breaches, told(breaches)


async def test_a_writer_refuses_to_commit(infra: Infra) -> None:
    async with infra.db.write() as db:
        with pytest.raises(RuntimeError, match=r"only Database\.write\(\) commits"):
            await Writer.commit(db)


def test_get_reads_and_everything_else_writes(routes: list[Operation]) -> None:
    reads = [operation for operation in routes if operation.methods <= {"GET"} and not operation.is_socket]
    writes = [operation for operation in routes if operation.methods and not operation.methods & {"GET"}]
    breaches = [f"{operation}: a GET takes ReadDB" for operation in reads if needs(operation, _writer)]
    breaches += [f"{operation}: what is no GET takes WriteDB" for operation in writes if needs(operation, _reader)]
    assert not breaches, told(breaches)
    assert any(needs(operation, _reader) for operation in reads)
    assert any(needs(operation, _writer) for operation in writes)


def test_transactions_end_before_the_answer_goes(routes: list[Operation]) -> None:
    breaches = [
        f"{operation}: {dependant.call} needs scope='function', or it commits after the answer"
        for operation in routes
        for dependant in operation.dependants
        if inspect.isasyncgenfunction(dependant.call) and dependant.scope != "function"
    ]
    assert not breaches, told(breaches)


def test_sockets_and_streams_hold_no_session(routes: list[Operation]) -> None:
    lasting = [operation for operation in routes if operation.is_socket or is_stream(operation)]
    breaches = [
        f"{operation}: opens write() for each message instead of holding a session"
        for operation in lasting
        if needs(operation, _reader) or needs(operation, _writer)
    ]
    assert not breaches, told(breaches)
    assert any(is_stream(operation) for operation in lasting), "no event stream was recognised"
