"""Running mocks of those who send mails and text messages; the service on a database of its own."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from shop.notification.v1.events.models import NotificationDeliveryMessage
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.transport import Outcome, ReceivedMessage
from sqlalchemy import text

from harness.backends.postgres import Database as PostgresDatabase
from harness.backends.session import Running
from harness.gateways.inprocess import RunningMock, RunningMocks, running
from harness.gateways.sendgrid.gateway import API_KEY
from services.notification.adapters.contacts import Contacts
from services.notification.adapters.notifications import Notifications
from services.notification.adapters.sealing import Vault
from services.notification.adapters.sendgrid import SendGridMail
from services.notification.app import MIGRATIONS
from services.notification.consumers import DeliveryQueue
from services.notification.delivering import Delivering
from services.notification.domain import Address, MailSender
from services.notification.handlers import NotificationHandlers
from services.notification.postbox import Postbox
from services.notification.telling import Telling
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.gateways.once import Search
from services.platform.outbox import Outbox
from tests.services.schemas import migrated

DATA_KEY = base64.b64encode(bytes(range(32))).decode()
LIMIT = timedelta(seconds=40)
_IDS = count(1)


@pytest.fixture(scope="package")
def served() -> Iterator[RunningMocks]:
    with running("sendgrid", "twilio") as mocks:
        yield mocks


@pytest.fixture
def mails(served: RunningMocks) -> RunningMock:
    served.sendgrid.control.reset()
    return served.sendgrid


@pytest.fixture
def messages(served: RunningMocks) -> RunningMock:
    served.twilio.control.reset()
    return served.twilio


async def has_entries(mock: RunningMock) -> None:
    """Wait for the first effect."""
    for _ in range(500):
        if await asyncio.to_thread(mock.control.ledger):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@pytest.fixture
def empty_dsn(backends: Running) -> Iterator[str]:
    """A database without any tables."""
    with backends.postgres.database() as made:
        yield made.dsn


@dataclass
class Clock:
    """The time, and how far tests have moved it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Service:
    """The service without a process: what handles its messages, and a look at what it has stored."""

    database: Database
    rpcs: NotificationHandlers
    telling: Telling
    queue: DeliveryQueue
    clock: Clock

    def with_sender(self, sender: MailSender) -> DeliveryQueue:
        """The queue of another process, on the same database."""
        vault, outbox = Vault(DATA_KEY), Outbox(self.database)
        outbox.waker.tell_others = False
        return DeliveryQueue(
            Delivering(
                self.database, outbox, Notifications(vault), Contacts(vault), sender, limit=LIMIT, now=self.clock
            )
        )

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def published(self, address: str) -> list[dict[str, Any]]:
        """What lies in the outbox, in order."""
        rows = await self.rows("SELECT address, body FROM outbox ORDER BY position")
        return [json.loads(body) for to, body in rows if to == address]

    async def deliver(self, attempt: int = 1, queue: DeliveryQueue | None = None) -> list[Outcome | None]:
        """Hand over everything that was ever queued, as the broker may do."""
        queued = await self.published("notification-delivery")
        messages = [NotificationDeliveryMessage.from_json(json.dumps(each)) for each in queued]
        taker = queue or self.queue
        return [await taker.deliver_notification(each, delivery(attempt)) for each in messages]


@pytest.fixture
async def sendgrid(mails: RunningMock) -> AsyncIterator[SendGridMail]:
    """The sender, impatient."""
    sender = SendGridMail(
        API_KEY,
        sender=Address(email="orders@shop.example", name="The Shop"),
        base_url=mails.url,
        policy=Policy(first_wait=0.01, longest_wait=0.02, timeout=0.5, deadline=3.0),
        search=Search(settle=0.05, every=0.02),
    )
    async with sender:
        yield sender


@pytest.fixture
async def service(postgres_of_module: PostgresDatabase, sendgrid: SendGridMail) -> AsyncIterator[Service]:
    """The service, which knows nobody yet."""
    database = await migrated(postgres_of_module.dsn, "notification", MIGRATIONS)
    vault, outbox, clock = Vault(DATA_KEY), Outbox(database), Clock()
    outbox.waker.tell_others = False
    contacts, notifications = Contacts(vault), Notifications(vault)
    postbox = Postbox(outbox, notifications, now=clock)
    delivering = Delivering(database, outbox, notifications, contacts, sendgrid, limit=LIMIT, now=clock)
    yield Service(
        database,
        NotificationHandlers(database, postbox, notifications),
        Telling(database, postbox, contacts),
        DeliveryQueue(delivering),
        clock,
    )
    await database.close()


def delivery(attempt: int = 1) -> Delivery[RawHeaders]:
    """A delivery of something."""
    message = ReceivedMessage(
        id="1-0",
        address="somewhere",
        body=b"",
        content_type="application/json",
        headers={},
        attempt=attempt,
        first_seen=datetime.now(UTC),
    )
    return Delivery(headers={}, message=message)


def envelope(kind: str, subject: str, data: dict[str, Any], *, version: int = 1, source: str = "order") -> str:
    """An event as JSON."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"evt-{next(_IDS)}",
            "source": source,
            "type": kind,
            "subject": subject,
            "time": "2026-02-01T10:15:31.204Z",
            "datacontenttype": "application/json",
            "correlationid": subject,
            "aggregatetype": source,
            "aggregateversion": version,
            "data": data,
        }
    )
