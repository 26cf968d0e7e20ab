"""The order service over a database of its own, called over gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from shop.order.v1.order_grpc import OrderServiceClient
from shop.runtime.grpc_server import GrpcServer
from sqlalchemy import select

from harness.backends.postgres import Database as TestDatabase
from harness.backends.session import Running
from services.order import api
from services.order.adapters.orders import Orders
from services.order.app import MIGRATIONS, SCHEMA
from services.order.handlers import OrderHandlers
from services.order.reactions import OrderEventsHandlers
from services.order.watching import Watch
from services.platform.database import Database
from services.platform.migrations import migrate
from services.platform.outbox import Outbox
from services.platform.tables import OUTBOX


@pytest.fixture(scope="session")
def postgres_template(running_backends: Running) -> str:
    """A database with the tables of the order service."""

    async def prepare(dsn: str) -> None:
        database = Database(dsn, SCHEMA)
        await migrate(database, MIGRATIONS)
        await database.close()

    return running_backends.postgres.create_template("order_service", lambda dsn: asyncio.run(prepare(dsn)))


@pytest.fixture
async def database(postgres: TestDatabase) -> AsyncIterator[Database]:
    """As the service sees it."""
    found = Database(postgres.dsn, SCHEMA)
    yield found
    await found.close()


@pytest.fixture
def orders(database: Database) -> Orders:
    """The repository."""
    return Orders(database, Outbox(database))


@pytest.fixture
def reactions(orders: Orders) -> OrderEventsHandlers:
    """What the service does with events."""
    return OrderEventsHandlers(orders)


@pytest.fixture
async def client(orders: Orders) -> AsyncIterator[OrderServiceClient]:
    """A client of the service."""
    server = GrpcServer(health=False, reflection=False)
    api.bind(server, OrderHandlers(orders, Watch(orders, every=0.02)))
    async with server, OrderServiceClient(server.address) as found:
        yield found


class Told:
    """What the outbox holds: (address, CloudEvent) in their order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that is not published yet."""
        async with self._database.transaction() as connection:
            rows = (await connection.execute(select(OUTBOX).order_by(OUTBOX.c.position))).all()
        return [(row.address, json.loads(row.body)) for row in rows]

    async def of(self, address: str) -> list[dict[str, Any]]:
        """The events of one address."""
        return [event for to, event in await self.all() if to == address]

    async def statuses(self) -> list[str]:
        """The statuses that were told."""
        return [event["data"]["status"] for event in await self.of("order-status-changed")]


@pytest.fixture
def told(database: Database) -> Told:
    """What others are told."""
    return Told(database)
