"""A database with the checkout service's tables, and the services around it, for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from dbos import DBOS
from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.resilience import RetryPolicy
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

from harness.backends.postgres import Database as OwnDatabase
from harness.backends.session import Running
from services.checkout import api
from services.checkout.adapters.catalog import Catalog, Stock
from services.checkout.adapters.orders import Orders
from services.checkout.adapters.payments import Due, Payments
from services.checkout.app import MIGRATIONS, SCHEMA, WORKFLOW_SCHEMA
from services.checkout.domain.saga import News
from services.checkout.handlers.carts import CartHandlers
from services.checkout.handlers.checkouts import CheckoutHandlers, Terms
from services.checkout.handlers.confirming import Confirming
from services.checkout.handlers.events import CheckoutEventsHandlers
from services.checkout.handlers.once import Once
from services.platform.database import Database
from services.platform.idempotency import IdempotencyKeys
from services.platform.migrations import migrate
from tests.services.checkout.shop import Shop

QUICK = ClientOptions(timeout=3.0, retry=RetryPolicy(max_attempts=2, initial_backoff=0.01), breaker=None)


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 2, 1, 10, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        """Go on by so much: `minutes=31`."""
        self.moment += timedelta(**by)


@dataclass
class Told:
    """Workflows that only note what they are told."""

    begun: list[Due] = field(default_factory=list)
    news: list[tuple[str, News, str]] = field(default_factory=list)
    known: bool = True

    async def begin(self, due: Due) -> None:
        self.begun.append(due)

    async def tell(self, order_id: str, news: News, key: str) -> bool:
        if self.known:
            self.news.append((order_id, news, key))
        return self.known


@dataclass(frozen=True)
class Service:
    """The checkout service without its process: its own gRPC server, real clients, a real database."""

    carts: CartServiceClient
    checkouts: CheckoutServiceClient
    events: CheckoutEventsHandlers
    database: Database
    clock: Clock
    told: Told


@pytest.fixture(scope="session")
def postgres_template(running_backends: Running) -> str:
    """A database that has the tables of the service."""

    async def prepare(dsn: str) -> None:
        database = Database(dsn, SCHEMA)
        await migrate(database, MIGRATIONS)
        await database.close()
        DBOS.migrate(dsn, schema=WORKFLOW_SCHEMA)

    return running_backends.postgres.create_template("checkout_tables", lambda dsn: asyncio.run(prepare(dsn)))


@pytest.fixture
async def database(postgres_of_module: OwnDatabase) -> AsyncIterator[Database]:
    """One for all tests of a module: carts and checkouts have ids of their own."""
    found = Database(postgres_of_module.dsn, SCHEMA)
    yield found
    await found.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """The services around it."""
    found = Shop()
    await found.start()
    yield found
    await found.server.stop(0)


@pytest.fixture
async def service(database: Database, shop: Shop) -> AsyncIterator[Service]:
    clock, terms, told = Clock(), Terms(), Told()
    async with AsyncExitStack() as held:
        catalog = Catalog(await held.enter_async_context(CatalogServiceClient(shop.address, options=QUICK)))
        stock = Stock(await held.enter_async_context(WarehouseServiceClient(shop.address, options=QUICK)))
        orders = Orders(await held.enter_async_context(OrderServiceClient(shop.address, options=QUICK)))
        confirming = Confirming(
            database=database, catalog=catalog, orders=orders, tariff=terms.tariff, lifetime=terms.checkout, now=clock
        )
        checkouts = CheckoutHandlers(
            database=database,
            catalog=catalog,
            stock=stock,
            confirming=confirming,
            once=Once(database, IdempotencyKeys(database)),
            terms=terms,
            now=clock,
        )
        server = GrpcServer(health=False, reflection=False)
        api.bind(server, CartHandlers(database, catalog, clock), checkouts)
        await held.enter_async_context(server)
        yield Service(
            await held.enter_async_context(CartServiceClient(server.address, options=QUICK)),
            await held.enter_async_context(CheckoutServiceClient(server.address, options=QUICK)),
            CheckoutEventsHandlers(database, told, clock),
            database,
            clock,
            told,
        )


@pytest.fixture
async def payments(shop: Shop) -> AsyncIterator[Payments]:
    """The payment service as this one sees it."""
    async with PaymentServiceClient(shop.address, options=QUICK) as client:
        yield Payments(client)
