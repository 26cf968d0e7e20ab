"""PostgreSQL of one service: an engine bound to the service's schema, a bounded wait at start, transactions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

LOG = logging.getLogger(__name__)
T = TypeVar("T")

GIVE_BACK = 5.0
_AFTER_COMMIT = "treaty_after_commit"
_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"


class DatabaseUnavailable(Exception):
    """PostgreSQL did not answer in the time that was given."""


class Conflict(Exception):
    """The transaction lost to another one; the same work may succeed when it is done again from the start."""


class Database:
    """One schema of one database. Times in seconds.

    `url` is `postgresql://user:password@host:port/name`. Names without a schema mean `schema`, which the migrations
    create. `statement_timeout` ends statements on the server, so that no call waits longer for a lock.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        pool_size: int = 10,
        connect_timeout: float = 5.0,
        statement_timeout: float = 30.0,
        application: str | None = None,
    ) -> None:
        self.schema = schema
        self.url = _with_driver(url)
        settings = {
            "search_path": quoted(schema),
            "statement_timeout": str(int(statement_timeout * 1000)),
            "idle_in_transaction_session_timeout": str(int(statement_timeout * 2000)),
            "timezone": "UTC",
        }
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=connect_timeout,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": max(1, int(connect_timeout)),
                "application_name": application or schema,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
                "options": " ".join(f"-c{name}={_escaped(value)}" for name, value in settings.items()),
            },
        )

    @property
    def place(self) -> str:
        """Where it is, without credentials: `127.0.0.1:5432/shop, schema order`."""
        return f"{self.url.host}:{self.url.port or 5432}/{self.url.database}, schema {self.schema}"

    async def wait(self, limit: float = 30.0, *, pause: float = 0.2) -> None:
        """Return when the database answers; say every few seconds that it does not yet.

        `DatabaseUnavailable` after `limit` seconds.
        """
        loop = asyncio.get_running_loop()
        began, said = loop.time(), 0.0
        while True:
            try:
                async with asyncio.timeout(max(0.05, began + limit - loop.time())):
                    await self.ping()
            except (DBAPIError, OSError, TimeoutError) as error:
                waited = loop.time() - began
                reason = _reason(error)
                if waited + pause >= limit:
                    raise DatabaseUnavailable(
                        f"no PostgreSQL at {self.place} after {waited:.1f} s: {reason}"
                    ) from error
                if said == 0.0 or waited - said >= 5.0:
                    said = max(waited, 0.001)
                    LOG.warning("waiting for PostgreSQL at %s (%.0f of %.0f s): %s", self.place, waited, limit, reason)
                await asyncio.sleep(pause)
            else:
                return

    async def ping(self) -> None:
        """`SELECT 1`."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        async with self.engine.connect() as connection:
            todo: list[Callable[[], None]] = []
            connection.sync_connection.info[_AFTER_COMMIT] = todo  # type: ignore[union-attr] # it is connected
            async with connection.begin():
                yield connection
        for call in todo:
            call()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, attempts: int = 5) -> T:
        """Do `work` in a transaction; do it again when it lost to another one (`Conflict`, deadlock, serialization).

        After `attempts` the error is raised. `work` must have no effect outside the transaction.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self.transaction() as connection:
                    return await work(connection)
            except (Conflict, DBAPIError) as error:
                if attempt >= attempts or not _lost(error):
                    raise
                await asyncio.sleep(0.005 * 2**attempt)

    async def close(self) -> None:
        """Close all connections, after those in use were given back; waits `GIVE_BACK` seconds for that at most."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + GIVE_BACK
        pool = self.engine.pool
        # A task that was cancelled gives its connection back a moment after it has ended.
        while isinstance(pool, QueuePool) and pool.checkedout() and loop.time() < limit:  # noqa: ASYNC110 it has no event
            await asyncio.sleep(0.01)
        await self.engine.dispose()


def after_commit(connection: AsyncConnection, call: Callable[[], None]) -> None:
    """Call it once the transaction of the connection, begun by `Database.transaction`, is committed."""
    todo: list[Callable[[], None]] | None = connection.sync_connection.info.get(_AFTER_COMMIT)  # type: ignore[union-attr] # it is connected
    if todo is not None and call not in todo:
        todo.append(call)


def _lost(error: Conflict | DBAPIError) -> bool:
    if isinstance(error, Conflict):
        return True
    cause: Any = error.orig
    return getattr(cause, "sqlstate", None) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def _with_driver(url: str) -> URL:
    found = make_url(url)
    if found.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"{found.render_as_string()} is no PostgreSQL URL")
    return found.set(drivername="postgresql+psycopg")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(value: str) -> str:
    """A value within the `options` of a connection."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
