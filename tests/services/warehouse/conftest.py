"""The warehouse service on a database of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from shop.order.v1.events.models import OrderStatus, OrderStatusChangedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.transport import ReceivedMessage
from sqlalchemy import text

from harness.backends.postgres import Database as PostgresDatabase
from harness.backends.session import Running
from services.platform.database import Database
from services.platform.outbox import Outbox
from services.warehouse.app import MIGRATIONS
from services.warehouse.handlers import WarehouseEventsHandlers, WarehouseHandlers
from services.warehouse.stockroom import Stockroom
from tests.services.schemas import migrated

_IDS = count(1)


@pytest.fixture
def empty_dsn(backends: Running) -> Iterator[str]:
    """A database without any tables."""
    with backends.postgres.database() as made:
        yield made.dsn


@dataclass
class Clock:
    """The time, as tests set it."""

    time: datetime = field(default_factory=lambda: datetime(2026, 2, 1, 10, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Warehouse:
    """The service without a process: its handlers, and a look at what it has stored."""

    database: Database
    stockroom: Stockroom
    rpcs: WarehouseHandlers
    events: WarehouseEventsHandlers

    async def deliver(self, product_id: str, pieces: int, warehouse_id: str = "whs_berlin") -> None:
        """Goods come in."""
        async with self.database.transaction() as connection:
            await self.stockroom.adjust(connection, product_id, warehouse_id, pieces, reason="test")

    async def told(self, *events: OrderStatusChangedEvent) -> None:
        """Events arrive, one after the other."""
        for event in events:
            assert await self.events.reserve_and_settle_stock_on_order_status(event, delivery()) is None

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def levels(self) -> dict[str, tuple[int, int]]:
        """Place -> (on hand, reserved)."""
        query = "SELECT product_id || '.' || warehouse_id, on_hand, reserved FROM stock_levels"
        return {place: (on_hand, reserved) for place, on_hand, reserved in await self.rows(query)}

    async def published(self, address: str | None = None) -> list[dict[str, Any]]:
        """What lies in the outbox, in order."""
        rows = await self.rows("SELECT address, body FROM outbox ORDER BY position")
        return [json.loads(body) for to, body in rows if address in (None, to)]

    async def is_balanced(self) -> bool:
        """Levels are the sums of their movements, and what is reserved is what active reservations hold."""
        wrong = await self.rows(
            """
            SELECT product_id FROM stock_levels AS l
            LEFT JOIN LATERAL (
                SELECT sum(on_hand) AS on_hand, sum(reserved) AS reserved, count(*) AS bookings
                FROM stock_movements AS m WHERE (m.product_id, m.warehouse_id) = (l.product_id, l.warehouse_id)
            ) AS moved ON true
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(quantity), 0) AS held FROM reservation_shares AS s JOIN reservations AS r
                USING (reservation_id) WHERE r.status = 'ACTIVE'
                AND (s.product_id, s.warehouse_id) = (l.product_id, l.warehouse_id)
            ) AS holding ON true
            WHERE (l.on_hand, l.reserved, l.version, l.reserved)
                IS DISTINCT FROM (moved.on_hand, moved.reserved, moved.bookings, holding.held)
            """
        )
        return not wrong


@pytest.fixture
async def warehouse(postgres_of_module: PostgresDatabase, clock: Clock) -> AsyncIterator[Warehouse]:
    """An empty warehouse."""
    database = await migrated(postgres_of_module.dsn, "warehouse", MIGRATIONS)
    outbox = Outbox(database)
    outbox.waker.tell_others = False
    stockroom = Stockroom(outbox, now=clock)
    yield Warehouse(
        database, stockroom, WarehouseHandlers(database, stockroom), WarehouseEventsHandlers(database, stockroom)
    )
    await database.close()


def delivery() -> Delivery[RawHeaders]:
    """A first delivery."""
    message = ReceivedMessage(
        id="1-0",
        address="order-status-changed",
        body=b"",
        content_type="application/json",
        headers={},
        first_seen=datetime.now(UTC),
    )
    return Delivery(headers={}, message=message)


def status_changed(order_id: str, status: str, version: int, **pieces: int) -> OrderStatusChangedEvent:
    """An order with a line for each product moved to a status."""
    items = [
        {
            "product_id": product,
            "sku": product,
            "name": product,
            "quantity": quantity,
            "unit_price": {"minor_units": 1250, "currency_code": "EUR"},
        }
        for product, quantity in (pieces or {"tea": 1}).items()
    ]
    return OrderStatusChangedEvent.model_validate(
        {
            "specversion": "1.0",
            "id": f"evt-{next(_IDS)}",
            "source": "order",
            "type": "order-status-changed",
            "subject": order_id,
            "time": datetime.now(UTC),
            "datacontenttype": "application/json",
            "correlationid": order_id,
            "aggregatetype": "order",
            "aggregateversion": version,
            "data": {
                "order_id": order_id,
                "customer_id": "cus_1",
                "previous_status": OrderStatus.ORDER_STATUS_PENDING,
                "status": OrderStatus(f"ORDER_STATUS_{status}"),
                "items": items,
                "total": {"minor_units": 1250, "currency_code": "EUR"},
                "changed_at": datetime.now(UTC),
            },
        }
    )
