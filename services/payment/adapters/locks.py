"""One attempt at a time for each name, across replicas; a process that dies holds nothing any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select

from services.platform.database import Database


class Locks:
    """PostgreSQL's advisory locks, each on a connection of its own while it is held.

    `database` is for locks only: holding one while waiting for a connection of the same pool could wait for ever.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[bool]:
        """Whether the lock could be had, without waiting for it; it is held until the block ends."""
        number = func.hashtextextended(f"{self._database.schema} {name}", 0)
        async with self._database.engine.connect() as pooled:
            connection = await pooled.execution_options(isolation_level="AUTOCOMMIT")
            got = bool((await connection.execute(select(func.pg_try_advisory_lock(number)))).scalar_one())
            try:
                yield got
            finally:
                if got:
                    try:
                        await connection.execute(select(func.pg_advisory_unlock(number)))
                    except BaseException:
                        await connection.invalidate()
                        raise
