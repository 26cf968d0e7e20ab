"""Orders in PostgreSQL: the event log is the truth, the table `orders` finds and locks them, the outbox tells.

All three are written in one transaction. Writers of one order exclude each other by its row, so that its events leave
in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop.runtime.transport import utc_now
from sqlalchemy import Row, delete, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from services.order.adapters.announcements import Cause, announce
from services.order.adapters.event_json import from_json, to_json, type_of
from services.order.adapters.tables import ORDERS, PERSONAL_DATA
from services.order.domain import Event, Order, OrderPlaced, PersonalDataErased, Purchase, Status, evolve, fold
from services.platform.database import Database
from services.platform.event_log import EventLog, NewEvent
from services.platform.inbox import first_time
from services.platform.outbox import Outbox
from services.platform.tables import EVENT_LOG

CONSUMER = "order"
Addresses = Mapping[str, Any]


class KeyReused(Exception):
    """The idempotency key, or the checkout, was used for another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An order with what is kept beside its events. Addresses are as JSON of common.v1.Address."""

    order: Order
    created_at: datetime
    updated_at: datetime
    shipping_address: Addresses | None = None
    billing_address: Addresses | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """A purchase and how to tell that it was placed before. `fingerprint` is of everything that was asked."""

    purchase: Purchase
    idempotency_key: str
    fingerprint: bytes
    shipping_address: Addresses
    billing_address: Addresses | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Orders of a customer, newest first, that come after `(created_at, order_id)` of the page before."""

    customer_id: str
    limit: int
    statuses: tuple[Status, ...] = ()
    created_after: datetime | None = None
    after: tuple[datetime, str] | None = None


class Orders:
    """All orders of the service."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._log = EventLog(database)

    async def place(self, asked: Placing) -> Stored:
        """The new order, or the one that was placed with this key or for this checkout before.

        `KeyReused` when that one is of something else.
        """
        return await self._database.run(lambda connection: self._place(connection, asked))

    async def change(
        self,
        order_id: str,
        decision: Callable[[Order], Sequence[Event]],
        *,
        cause: Cause | None = None,
        words: str = "",
    ) -> Stored | None:
        """Store and announce what `decision` decides; None when there is no such order.

        An event that is the `cause` is handled once. `words` are what the customer said about it.
        """

        async def work(connection: AsyncConnection) -> Stored | None:
            row = await _row(connection, order_id, lock=True)
            if row is None:
                return None
            seen = cause is not None and not await first_time(
                connection, consumer=CONSUMER, source=cause.source, id=cause.id
            )
            if not seen:
                order = await _order(connection, order_id)
                events = tuple(decision(order))
                await self._record(connection, order, events, cause, utc_now())
                if events and words:
                    changed = update(PERSONAL_DATA).where(PERSONAL_DATA.c.order_id == order_id)
                    await connection.execute(changed.values(cancellation_words=words))
            return (await _load(connection, [order_id]))[0]

        return await self._database.run(work)

    async def find(self, order_id: str) -> Stored | None:
        """The order as it is now."""
        async with self._database.transaction() as connection:
            return next(iter(await _load(connection, [order_id])), None)

    async def history(self, order_id: str, *, after: int = 0) -> list[tuple[datetime, Event]]:
        """The events of an order with their times, those after a version."""
        wanted = select(EVENT_LOG).where(EVENT_LOG.c.stream == order_id, EVENT_LOG.c.version > after)
        async with self._database.transaction() as connection:
            rows = (await connection.execute(wanted.order_by(EVENT_LOG.c.version))).all()
        return [(row.event_time, from_json(row.type, row.data)) for row in rows]

    async def search(self, query: Query) -> list[Stored]:
        """A page of orders."""
        wanted = select(ORDERS.c.order_id).where(ORDERS.c.customer_id == query.customer_id)
        if query.statuses:
            wanted = wanted.where(ORDERS.c.status.in_([str(status) for status in query.statuses]))
        if query.created_after is not None:
            wanted = wanted.where(ORDERS.c.created_at >= query.created_after)
        if query.after is not None:
            wanted = wanted.where(tuple_(ORDERS.c.created_at, ORDERS.c.order_id) < tuple_(*query.after))
        newest = wanted.order_by(ORDERS.c.created_at.desc(), ORDERS.c.order_id.desc()).limit(query.limit)
        async with self._database.transaction() as connection:
            found = (await connection.execute(newest)).scalars().all()
            return await _load(connection, found)

    async def of_customer(self, customer_id: str) -> list[str]:
        """Ids of all orders of a customer."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(ORDERS.c.order_id).where(ORDERS.c.customer_id == customer_id))
            return list(found.scalars())

    async def _place(self, connection: AsyncConnection, asked: Placing) -> Stored:
        purchase, now = asked.purchase, utc_now()
        inserted = await connection.execute(
            insert_or(ORDERS)
            .values(
                order_id=purchase.order_id,
                customer_id=purchase.customer_id,
                checkout_id=purchase.checkout_id,
                idempotency_key=asked.idempotency_key,
                fingerprint=asked.fingerprint,
                status=str(Status.PENDING),
                version=0,
                created_at=now,
                updated_at=now,
            )
            .on_conflict_do_nothing()
            .returning(ORDERS.c.order_id)
        )
        if inserted.first() is None:
            return await self._placed_before(connection, asked)
        await connection.execute(
            insert(PERSONAL_DATA).values(
                order_id=purchase.order_id,
                shipping_address=asked.shipping_address,
                billing_address=asked.billing_address,
            )
        )
        await self._record(connection, None, (OrderPlaced(purchase),), None, now)
        return (await _load(connection, [purchase.order_id]))[0]

    async def _placed_before(self, connection: AsyncConnection, asked: Placing) -> Stored:
        same = (ORDERS.c.idempotency_key == asked.idempotency_key) | (
            ORDERS.c.checkout_id == asked.purchase.checkout_id
        )
        rows = (await connection.execute(select(ORDERS).where(same))).all()
        if any(row.fingerprint != asked.fingerprint for row in rows):
            raise KeyReused(asked.idempotency_key)
        return (await _load(connection, [rows[0].order_id]))[0]

    async def _record(
        self,
        connection: AsyncConnection,
        order: Order | None,
        events: Sequence[Event],
        cause: Cause | None,
        now: datetime,
    ) -> None:
        transport = self._outbox.within(connection)
        known = 0 if order is None else order.version
        for event in events:
            before, order = order, evolve(order, event)
            await announce(transport, event, before, order, cause=cause, at=now)
            if isinstance(event, PersonalDataErased):
                await connection.execute(delete(PERSONAL_DATA).where(PERSONAL_DATA.c.order_id == order.id))
        if not events or order is None:
            return
        metadata = {} if cause is None else {"causationid": cause.id, "source": cause.source}
        added = [NewEvent(type=type_of(each), data=to_json(each), metadata=metadata, time=now) for each in events]
        await self._log.append(connection, order.id, added, expected_version=known)
        shown = update(ORDERS).where(ORDERS.c.order_id == order.id)
        await connection.execute(shown.values(status=str(order.status), version=order.version, updated_at=now))


async def _row(connection: AsyncConnection, order_id: str, *, lock: bool) -> Row[Any] | None:
    wanted = select(ORDERS).where(ORDERS.c.order_id == order_id)
    return (await connection.execute(wanted.with_for_update() if lock else wanted)).first()


async def _events(connection: AsyncConnection, order_ids: Sequence[str]) -> Sequence[Row[Any]]:
    wanted = select(EVENT_LOG).where(EVENT_LOG.c.stream.in_(order_ids))
    return (await connection.execute(wanted.order_by(EVENT_LOG.c.stream, EVENT_LOG.c.version))).all()


async def _order(connection: AsyncConnection, order_id: str) -> Order:
    return _folded(await _events(connection, [order_id]), order_id)


def _folded(rows: Sequence[Row[Any]], order_id: str) -> Order:
    order = fold(from_json(row.type, row.data) for row in rows)
    if order is None:
        raise LookupError(f"order {order_id} has no events")
    return order


async def _load(connection: AsyncConnection, order_ids: Sequence[str]) -> list[Stored]:
    """Those of the orders that there are, in the order of the ids."""
    histories: dict[str, list[Row[Any]]] = {}
    for row in await _events(connection, order_ids):
        histories.setdefault(row.stream, []).append(row)
    kept = select(PERSONAL_DATA).where(PERSONAL_DATA.c.order_id.in_(order_ids))
    personal = {row.order_id: row for row in (await connection.execute(kept)).all()}
    return [_stored(histories[id_], personal.get(id_)) for id_ in order_ids if id_ in histories]


def _stored(rows: Sequence[Row[Any]], personal: Row[Any] | None) -> Stored:
    return Stored(
        order=_folded(rows, rows[0].stream),
        created_at=rows[0].event_time,
        updated_at=rows[-1].event_time,
        shipping_address=None if personal is None else personal.shipping_address,
        billing_address=None if personal is None else personal.billing_address,
    )
