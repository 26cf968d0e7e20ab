"""The relay of an outbox: takes what is committed in order, publishes it, removes it. One at a time per service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from shop.runtime.errors import TreatyError
from shop.runtime.transport import PublishedMessage, Transport
from sqlalchemy import Row, delete, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from services.platform.database import Database, quoted
from services.platform.ending import end
from services.platform.outbox import Outbox
from services.platform.tables import OUTBOX

LOG = logging.getLogger(__name__)

_TAKE = (
    select(OUTBOX).where(text("transaction_id < pg_snapshot_xmin(pg_current_snapshot())")).order_by(OUTBOX.c.position)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """Times in seconds. `parallel` is how many ordering keys are published at the same time."""

    batch: int = 200
    parallel: int = 8
    poll: float = 0.25
    """Between looks at the table when nothing wakes the relay."""
    standby: float = 1.0
    """Between tries to become the one relay of the service."""
    longest_pause: float = 5.0
    """After failures in a row."""


class Relay:
    """A part of a process (`shop.runtime.process.Part`). Replicas run one each; one of them publishes at a time."""

    services = ("outbox",)

    def __init__(
        self, database: Database, outbox: Outbox, transport: Transport, settings: RelaySettings | None = None
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._transport = transport
        self._settings = settings or RelaySettings()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.active = False
        """Whether this relay is the one that publishes."""
        self.published = 0

    async def start(self) -> str:
        """Run until `stop`; the relay waits by itself while the database or the broker is away."""
        self._stopping = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="outbox relay")
        return f"{self._database.place} to {type(self._transport).__name__}"

    async def stop(self, grace: float | None = None) -> None:
        """Publish what is committed by now, for at most `grace` seconds, then stop."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping = True
        self._outbox.waker.woken.set()
        _, late = await asyncio.wait({task}, timeout=grace)
        await end(late)
        await self._outbox.waker.close()

    async def lag(self) -> float:
        """Seconds since the oldest message that is not published was written; 0 when there is none."""
        async with self._database.transaction() as connection:
            age = func.extract("epoch", func.clock_timestamp() - func.min(OUTBOX.c.created_at))
            found = (await connection.execute(select(age))).scalar_one()
            return float(found or 0.0)

    async def _run(self) -> None:
        pause = self._settings.poll
        while not self._stopping:
            try:
                async with self._turn() as lost:
                    if lost is not None:
                        pause = self._settings.poll
                        await self._publish_until(lost)
                        return
            except Exception as error:
                known = isinstance(error, (SQLAlchemyError, psycopg.Error, OSError))
                LOG.warning(
                    "outbox %s: %s; again in %.1f s",
                    self._database.schema,
                    _line(error),
                    pause,
                    exc_info=None if known else error,
                )
                await self._pause(pause)
                pause = min(pause * 2, self._settings.longest_pause)
            else:
                await self._pause(self._settings.standby)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[asyncio.Task[None] | None]:
        """Be the one relay: hold a lock that PostgreSQL frees when the connection is gone. None when another has it.

        What is yielded is done when the connection breaks; until then notifications wake the relay.
        """
        waker = self._outbox.waker
        async with self._database.engine.connect() as pooled:
            connection = await pooled.execution_options(isolation_level="AUTOCOMMIT")
            lock = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
            if not (await connection.execute(lock, {"name": waker.channel})).scalar_one():
                yield None
                return
            await connection.execute(text(f"LISTEN {quoted(waker.channel)}"))
            raw: Any = (await connection.get_raw_connection()).driver_connection
            listening = asyncio.get_running_loop().create_task(_listen(raw, waker.woken))
            listening.add_done_callback(lambda _: waker.woken.set())
            self.active, waker.tell_others = True, False
            try:
                yield listening
            finally:
                self.active, waker.tell_others = False, True
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                await connection.invalidate()

    async def _publish_until(self, lost: asyncio.Task[None]) -> None:
        """Publish what comes until told to stop. The error of the connection that holds the lock is raised."""
        pause = 0.0
        while True:
            if lost.done():
                lost.result()
            taken, failed = await self._publish_batch()
            if failed is not None:
                pause = min(max(pause * 2, 0.05), self._settings.longest_pause)
                LOG.warning("outbox %s: not published: %s; again in %.2f s", self._database.schema, failed, pause)
            if self._stopping and (failed is not None or taken < self._settings.batch):
                return
            if failed is not None:
                await self._pause(pause)
            elif taken < self._settings.batch:
                pause = 0.0
                await self._outbox.waker.wait(self._settings.poll)

    async def _publish_batch(self) -> tuple[int, TreatyError | None]:
        """How many messages were taken, and why one of them could not be published."""
        async with self._database.transaction() as connection:
            rows = (await connection.execute(_TAKE.limit(self._settings.batch))).all()
        if not rows:
            return 0, None
        slots = asyncio.Semaphore(self._settings.parallel)
        lanes = [self._publish_lane(lane, slots) for lane in _lanes(rows)]
        done: list[int] = []
        failed: TreatyError | None = None
        for sent, error in await asyncio.gather(*lanes):
            done += sent
            failed = failed or error
        if done:
            async with self._database.transaction() as connection:
                await connection.execute(delete(OUTBOX).where(OUTBOX.c.position == func.any(done)))
            self.published += len(done)
        return len(rows), failed

    async def _publish_lane(
        self, rows: Sequence[Row[Any]], slots: asyncio.Semaphore
    ) -> tuple[list[int], TreatyError | None]:
        """Publish in order until one fails: those behind it must not overtake it."""
        sent: list[int] = []
        async with slots:
            for row in rows:
                try:
                    await self._transport.publish(row.address, _message(row))
                except TreatyError as error:
                    return sent, error
                sent.append(row.position)
        return sent, None

    async def _pause(self, seconds: float) -> None:
        if not self._stopping:
            await self._outbox.waker.wait(seconds)


async def _listen(connection: psycopg.AsyncConnection[Any], woken: asyncio.Event) -> None:
    async for _ in connection.notifies():
        woken.set()


def _lanes(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """Rows that must stay in order, together; in order of their first one."""
    lanes: dict[tuple[str, str | None], list[Row[Any]]] = {}
    for row in rows:
        lanes.setdefault((row.address, row.ordering_key), []).append(row)
    return list(lanes.values())


def _message(row: Row[Any]) -> PublishedMessage:
    return PublishedMessage(
        body=row.body, content_type=row.content_type, headers=row.headers, ordering_key=row.ordering_key
    )


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
