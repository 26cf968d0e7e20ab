"""The payment service over a database of its own and the mock of Stripe, called over gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.resilience import RetryPolicy
from sqlalchemy import select

from harness.backends.postgres import Database as TestDatabase
from harness.backends.session import Running
from harness.gateways.inprocess import RunningMock
from services.payment import api
from services.payment.adapters.locks import Locks
from services.payment.adapters.methods import Instrument
from services.payment.adapters.stripe import StripeGateway
from services.payment.app import MIGRATIONS, SCHEMA
from services.payment.charging import Charging, ChargingSettings
from services.payment.errors import UnknownMethod
from services.payment.handlers import PaymentHandlers, PaymentWork
from services.payment.lifecycle import Provider
from services.payment.refunding import Refunding
from services.payment.webhooks import Webhooks
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.migrations import migrate
from services.platform.outbox import Outbox
from services.platform.tables import OUTBOX
from tests.harness.gateways.receiver import Receiver, receiver

WEBHOOK_SECRET = "whsec_of_these_tests"
ONCE = Policy(attempts=1, first_wait=0.01, longest_wait=0.02, timeout=1.0, deadline=2.0)
"""The adapter gives up at once, so that the service sees every fault."""


@pytest.fixture(scope="session")
def postgres_template(running_backends: Running) -> str:
    """A database with the tables of the payment service."""

    async def prepare(dsn: str) -> None:
        database = Database(dsn, SCHEMA)
        await migrate(database, MIGRATIONS)
        await database.close()

    return running_backends.postgres.create_template("payment_service", lambda dsn: asyncio.run(prepare(dsn)))


@pytest.fixture
async def database(postgres: TestDatabase) -> AsyncIterator[Database]:
    """As the service sees it."""
    found = Database(postgres.dsn, SCHEMA)
    yield found
    await found.close()


class Wallets:
    """Stored payment methods: `pm_visa` and the like, named by Stripe's test card."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(self, customer_id: str, payment_method_id: str) -> Instrument:
        """The card that the name says."""
        self.asked += 1
        if payment_method_id == "pm_none":
            raise UnknownMethod(payment_method_id)
        return Instrument(Provider.STRIPE, payment_method_id.replace("pm_", "pm_card_", 1))


@dataclass
class Service:
    """One process of the service, as far as it matters."""

    database: Database
    charging: Charging
    refunding: Refunding
    webhooks: Webhooks
    wallets: Wallets
    work: PaymentWork
    handlers: PaymentHandlers

    async def told(self, address: str) -> list[dict[str, Any]]:
        """The events of an address that are in the outbox, oldest first."""
        async with self.database.transaction() as connection:
            rows = (await connection.execute(select(OUTBOX).order_by(OUTBOX.c.position))).all()
        return [json.loads(row.body) for row in rows if row.address == address]


def build(database: Database, stripe: StripeGateway, locking: Database, *, settle: float = 0.0) -> Service:
    """A service of its own over a database, as another replica, or the same after a restart, would be."""
    outbox, wallets = Outbox(database), Wallets()
    settings = ChargingSettings(deadline=2.0, settle=settle, return_url="https://shop.example/back")
    charging = Charging(database, outbox, Locks(locking), wallets, {Provider.STRIPE: stripe}, settings)
    refunding = Refunding(database, outbox, charging)
    webhooks = Webhooks(database, outbox, charging, refunding, signing_secrets=["whsec_old", WEBHOOK_SECRET])
    handlers = PaymentHandlers(database, charging, refunding, webhooks)
    return Service(database, charging, refunding, webhooks, wallets, PaymentWork(refunding, webhooks), handlers)


@pytest.fixture
async def stripe(stripe_mock: RunningMock) -> AsyncIterator[StripeGateway]:
    """The adapter, without repetitions of its own."""
    async with StripeGateway("sk_test_123", base_url=stripe_mock.url, policy=ONCE) as gateway:
        yield gateway


@pytest.fixture
async def locking(database: Database, postgres: TestDatabase) -> AsyncIterator[Database]:
    """Connections for locks."""
    found = Database(postgres.dsn, SCHEMA, pool_size=20, application="locks")
    yield found
    await found.close()


@pytest.fixture
def service(database: Database, stripe: StripeGateway, locking: Database) -> Service:
    """The service."""
    return build(database, stripe, locking)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[PaymentServiceClient]:
    """A client of the service, which repeats nothing by itself."""
    server = GrpcServer(health=False, reflection=False)
    api.bind(server, service.handlers)
    options = ClientOptions(retry=RetryPolicy(max_attempts=1), breaker=None)
    async with server, PaymentServiceClient(server.address, options=options) as found:
        yield found


@pytest.fixture
def hooks(stripe_mock: RunningMock) -> Iterator[Receiver]:
    """The shop's webhook endpoint at Stripe. It passes nothing on: tests do so when they want to."""
    with receiver("/webhooks/stripe") as found:
        stripe_mock.control.action(
            "add_webhook_endpoint",
            url=found.url,
            secret=WEBHOOK_SECRET,
            events=["payment_intent.succeeded", "payment_intent.payment_failed", "refund.updated"],
        )
        yield found
