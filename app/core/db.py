"""The database: declarative base, the two kinds of access, and the only commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, Never, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, TIMESTAMP, BigInteger, Connection, MetaData, Select, Text, Uuid, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.config import Settings
from app.core.database_url import driver_dsn, engine_for
from app.core.errors import Unavailable
from app.core.ids import uuid7
from app.core.pooling import Plain, decode_json

__all__ = ["Base", "Database", "Reader", "Row", "Snapshot", "Writer"]

T = TypeVar("T")
_READS = {
    # Reads are few statements, each prepared once: planned once too, they cost an eighth of being planned each time.
    "plan_cache_mode": "force_generic_plan",
    "random_page_cost": "1.1",
    "jit": "off",
}
CONNECTION_LOST = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
)


class Base(DeclarativeBase):
    """Base of all tables, with names for constraints so that migrations and 409s can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: TIMESTAMP(timezone=True),
        str: Text,
        UUID: Uuid,
        int: BigInteger,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Row(Base):
    """A table with a time-ordered id and the moment of its creation."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class _Signs:
    __slots__ = ()
    _database: "Database"

    @property
    def secret(self) -> bytes:
        """What addresses in answers are signed with."""
        return self._database.settings.secret


class Reader(_Signs):
    """Reads without a transaction: each statement takes a connection from the pool and gives it back."""

    __slots__ = ("_database",)

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def records(self, sql: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """The rows of one statement. Raises Unavailable when the database does not answer in time."""
        return await self._database.fetch(sql, arguments)

    async def all(self, statement: Select[T]) -> list[T]:
        """The first column or entity of each row, detached: for reads that are too rare for a Query."""
        async with AsyncSession(self._database.autocommit, expire_on_commit=False) as session:
            return list(await session.scalars(statement))

    async def one(self, statement: Select[T]) -> T | None:
        """The first column or entity of the only row, or None."""
        async with AsyncSession(self._database.autocommit, expire_on_commit=False) as session:
            return await session.scalar(statement)

    async def rows(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        """All rows with all of their columns."""
        async with AsyncSession(self._database.autocommit, expire_on_commit=False) as session:
            return (await session.execute(statement)).all()


class Writer(_Signs, AsyncSession):
    """A transaction that `Database.write()` commits. Reads inside it see what it wrote.

    After the commit, `wakes` are topics to wake, `stale` cache keys to drop, and `told` what channels get to hear.
    """

    def __init__(self, database: "Database", *, counted: bool = True) -> None:
        super().__init__(database.engine if counted else database.uncounted, expire_on_commit=False)
        self._database, self._counted = database, counted
        self.wakes: list[str] = []
        self.stale: list[str] = []
        self.told: dict[UUID, list[Any]] = {}

    async def commit(self) -> Never:
        raise RuntimeError("only Database.write() commits")

    async def records(
        self, sql: str, arguments: Sequence[Any], *, seconds: float | None = None
    ) -> list[asyncpg.Record]:
        """The rows of one statement, run on this transaction's own connection. `seconds` lets long work of jobs end."""
        await self.flush()
        # connection() makes SQLAlchemy begin; driver_connection alone would run outside the transaction
        raw = await (await self.connection()).get_raw_connection()
        driver: Any = raw.driver_connection
        try:
            if not driver.is_in_transaction():
                await raw.dbapi_connection._start_transaction()  # type: ignore[union-attr]
            self._database.statements += self._counted
            rows: list[asyncpg.Record] = await driver.fetch(sql, *arguments, timeout=seconds)
        except Exception as error:
            if driver.is_closed():  # SQLAlchemy has not seen it, and would give it to the next who asks
                await self.invalidate()
                raise Unavailable("The database does not answer. Try again shortly.") from error
            raise
        return rows

    async def all(self, statement: Select[T]) -> list[T]:
        """The first column or entity of each row."""
        return list(await self.scalars(statement))

    async def one(self, statement: Select[T]) -> T | None:
        """The first column or entity of the only row, or None."""
        return await self.scalar(statement)

    async def rows(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        """All rows with all of their columns."""
        return (await self.execute(statement)).all()


class Snapshot(_Signs):
    """Reads that all see the same moment."""

    __slots__ = ("_connection", "_database")

    def __init__(self, database: "Database", connection: Any) -> None:
        self._database, self._connection = database, connection

    async def records(self, sql: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        """The rows of one statement."""
        self._database.statements += 1
        rows: list[asyncpg.Record] = await self._connection.fetch(sql, *arguments)
        return rows


class Database:
    """The engine for transactions, the pool for compiled queries, and the only place that commits.

    `statements` counts what this process has run, so that a test can hold a list to its number of queries.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._url = settings.database_url
        self._timeout = settings.database_timeout_seconds
        self._size = settings.database_pool_size
        self.engine = engine_for(
            self._url,
            connect={"command_timeout": self._timeout, "timeout": self._timeout / 2},
            pool_size=self._size,
            max_overflow=0,
            pool_timeout=self._timeout / 2,
            pool_pre_ping=False,
        )
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.uncounted = self.engine.execution_options(counted=False)
        self.reader = Reader(self)
        self.after_commit: Callable[[Writer], Awaitable[None]] | None = None
        self.statements = 0
        self._pool: asyncpg.Pool | None = None
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._count)
        event.listen(self.engine.sync_engine, "invalidate", _cut)

    def _count(self, connection: Connection, *_: object) -> None:
        self.statements += connection.get_execution_options().get("counted", True)

    async def open(self) -> None:
        """Opens the pool. Raises OSError or asyncpg errors when the server cannot be reached."""
        self._pool = await asyncpg.create_pool(
            driver_dsn(self._url),
            min_size=1,
            max_size=self._size,
            timeout=self._timeout,
            # a page query is prepared once for each of its few page sizes
            statement_cache_size=500,
            max_inactive_connection_lifetime=300,
            init=decode_json,
            connection_class=Plain,
            server_settings=_READS,
        )

    async def close(self) -> None:
        """Gives all connections back; those that hang are cut."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 2)
            except TimeoutError:
                self._pool.terminate()
        await self.engine.dispose()

    async def fetch(self, sql: str, arguments: Sequence[Any], *, counted: bool = True) -> list[asyncpg.Record]:
        """Runs one statement on the pool. Raises Unavailable when the database does not answer in time.

        What runs by the clock is not `counted`, so that it does not fall into somebody's number of queries.
        """
        assert self._pool is not None, "Database.open() was not awaited"
        self.statements += counted
        try:
            async with asyncio.timeout(self._timeout):
                return await self._fetch(self._pool, sql, arguments)
        except CONNECTION_LOST as error:
            raise Unavailable("The database does not answer. Try again shortly.") from error

    async def _fetch(self, pool: asyncpg.Pool, sql: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        connection = await pool.acquire()
        try:
            return await connection.fetch(sql, *arguments)
        except (*CONNECTION_LOST, asyncio.CancelledError):
            connection.terminate()  # one that hangs must not go back to the pool, nor be waited for
            raise
        finally:
            await pool.release(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Several reads of one moment, for what must fit together. Raises Unavailable when the database is too slow."""
        assert self._pool is not None, "Database.open() was not awaited"
        try:
            async with asyncio.timeout(self._timeout), self._pool.acquire() as connection:
                try:
                    async with connection.transaction(isolation="repeatable_read", readonly=True):
                        yield Snapshot(self, connection)
                except (*CONNECTION_LOST, asyncio.CancelledError):
                    connection.terminate()
                    raise
        except CONNECTION_LOST as error:
            raise Unavailable("The database does not answer. Try again shortly.") from error

    @asynccontextmanager
    async def write(self, *, counted: bool = True) -> AsyncIterator[Writer]:
        """One transaction: commits when the block ends, rolls back when it raises, then tells of it.

        Of what runs by the clock, `records` are not `counted`.
        """
        session = Writer(self, counted=counted)
        try:
            yield session
            await AsyncSession.commit(session)
        except (TimeoutError, asyncio.CancelledError):
            await session.invalidate()  # a rollback would wait for a server that just did not answer
            raise
        finally:
            await session.close()
        if self.after_commit and (session.wakes or session.stale or session.told):
            await self.after_commit(session)


def _cut(connection: Any, *_: object) -> None:
    """An invalid connection is dropped without a word: SQLAlchemy would wait two seconds for its farewell."""
    connection.driver_connection.terminate()
