"""Events of aggregates, the truth of an event-sourced service: added with an expected version, read in order.

Reading goes by `Position`, the transaction that wrote the event and its number within the log. `read` returns only
what is older than every transaction that still writes, so that nothing appears later in front of what was read:
going on from the last position skips nothing. Events of one stream always come in the order of their versions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from shop.runtime.events import new_event_id
from shop.runtime.transport import utc_now
from sqlalchemy import Row, bindparam, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.database import Conflict, Database, after_commit
from services.platform.tables import EVENT_LOG as LOG
from services.platform.waking import Waker

_STATE = text(
    "SELECT version, transaction_id > pg_current_xact_id() AS overtaken "
    "FROM event_log WHERE stream = :stream ORDER BY version DESC LIMIT 1"
)
_AFTER = text(
    "(transaction_id, position) > (CAST(:transaction AS xid8), :number) "
    "AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())"
)


class WrongVersion(Conflict):
    """The stream is not at the version that the writer had seen; read it again and decide anew."""


class Position(NamedTuple):
    """A place in the log. Grows with each event that is read, with gaps."""

    transaction: int = 0
    number: int = 0


START = Position()
"""Before the first event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be added. `data` and `metadata` are JSON."""

    type: str
    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=new_event_id)
    time: datetime = field(default_factory=utc_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event as it is in the log. `time` is when it happened, `recorded_at` when it was added."""

    position: Position
    stream: str
    version: int
    id: str
    type: str
    data: Mapping[str, Any]
    metadata: Mapping[str, Any]
    time: datetime
    recorded_at: datetime


class EventLog:
    """The log of one service. A stream is one aggregate: its versions count from 1 without gaps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waker = Waker(database, channel=f"event log {database.schema}")
        self._waker.tell_others = False

    async def append(
        self, connection: AsyncConnection, stream: str, events: Sequence[NewEvent], *, expected_version: int
    ) -> int:
        """Add events to a stream that is at `expected_version` (0 = it is new); returns its version then.

        `WrongVersion` when it is elsewhere, or was written by a transaction that began later than this one: do the
        work again, as `Database.run` does.
        """
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 1))"),
            {"name": f"{self._database.schema}/{stream}"},
        )
        state = (await connection.execute(_STATE, {"stream": stream})).first()
        version = 0 if state is None else state.version
        if version != expected_version:
            raise WrongVersion(f"{stream} is at version {version}, not {expected_version}")
        if state is not None and state.overtaken:
            raise WrongVersion(f"{stream} was written by a transaction that began after this one")
        if not events:
            return expected_version
        rows = [
            {
                "stream": stream,
                "version": expected_version + number,
                "event_id": event.id,
                "type": event.type,
                "data": event.data,
                "metadata": event.metadata,
                "event_time": event.time,
            }
            for number, event in enumerate(events, 1)
        ]
        await connection.execute(insert(LOG), rows)
        after_commit(connection, self._waker.wake)
        return expected_version + len(events)

    async def load(
        self, connection: AsyncConnection, stream: str, *, until_version: int | None = None
    ) -> list[LoggedEvent]:
        """The events of a stream in order, those of this transaction included."""
        query = select(LOG).where(LOG.c.stream == stream).order_by(LOG.c.version)
        if until_version is not None:
            query = query.where(LOG.c.version <= until_version)
        return [_logged(row) for row in await connection.execute(query)]

    async def read(
        self, connection: AsyncConnection, after: Position = START, *, limit: int = 500
    ) -> list[LoggedEvent]:
        """Events of all streams behind a position, in the order of the log."""
        query = (
            select(LOG)
            .where(_AFTER.bindparams(bindparam("transaction", str(after.transaction)), number=after.number))
            .order_by(LOG.c.transaction_id, LOG.c.position)
            .limit(limit)
        )
        return [_logged(row) for row in await connection.execute(query)]

    async def follow(self, after: Position = START, *, poll: float = 0.25) -> AsyncGenerator[LoggedEvent, None]:
        """Events behind a position, those to come included, for as long as they are asked for.

        What waits for it, such as a projection, keeps the position with what it made of the events. `poll` is how
        many seconds writes of other processes may wait.
        """
        while True:
            async with self._database.transaction() as connection:
                found = await self.read(connection, after)
            for event in found:
                yield event
                after = event.position
            if not found:
                await self._waker.wait(poll)
                await asyncio.sleep(0)

    async def size(self) -> int:
        """How many events the log has."""
        async with self._database.transaction() as connection:
            return int((await connection.execute(select(func.count()).select_from(LOG))).scalar_one())


def _logged(row: Row[Any]) -> LoggedEvent:
    return LoggedEvent(
        position=Position(int(row.transaction_id), row.position),
        stream=row.stream,
        version=row.version,
        id=row.event_id,
        type=row.type,
        data=row.data,
        metadata=row.metadata,
        time=row.event_time,
        recorded_at=row.recorded_at,
    )
