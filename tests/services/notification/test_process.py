"""The notification service as a process of its own, killed in the middle; on PostgreSQL, Redis and the mock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeAlias

import psycopg
import pytest
from shop.customer.v1.events.publishers import CustomerEventsPublisher
from shop.order.v1.events.publishers import OrderEventsPublisher

from harness.backends.redis import Redis
from harness.gateways.inprocess import RunningMock
from harness.gateways.sendgrid.gateway import API_KEY
from services.platform.redis_streams import RedisStreams
from tests.services.notification.conftest import DATA_KEY
from tests.services.notification.events import moved, registered
from tests.services.processes import ServiceProcess, service_process

pytestmark = pytest.mark.slow
Start: TypeAlias = Callable[[], AbstractContextManager[ServiceProcess]]


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    found = RedisStreams(redis.url)
    yield found
    await found.close()


@pytest.fixture
def notification(
    empty_dsn: str, redis: Redis, mails: RunningMock
) -> Callable[[], AbstractContextManager[ServiceProcess]]:
    """Starts the service."""
    settings = {
        "DATA_KEY": DATA_KEY,
        "SENDGRID_KEY": API_KEY,
        "SENDGRID_URL": mails.url,
        "SENDGRID_SETTLE": "0.2",
        "CALL_TIMEOUT": "2",
        "SEND_DEADLINE": "2",
        "PROCESSING_TIMEOUT": "1.5",
        "REDELIVER_INTERVAL": "0.3",
    }
    return partial(service_process, "notification", database_url=empty_dsn, redis_url=redis.url, settings=settings)


async def registers(streams: RedisStreams) -> None:
    event = registered()
    await CustomerEventsPublisher(streams).publish_customer_created(
        event.data, subject="cus_1", correlationid="cus_1", aggregateversion=1, id=event.id
    )


async def confirms(streams: RedisStreams) -> str:
    """An order is confirmed; returns the id of the event."""
    event = moved("CONFIRMED")
    await OrderEventsPublisher(streams).publish_order_status_changed(
        event.data, subject="ord_1", correlationid="ord_1", aggregateversion=3, id=event.id
    )
    return event.id


def mails_of(mails: RunningMock, key: str) -> int:
    return sum(each["key"] == key for each in mails.control.ledger("mail"))


async def until_sent(dsn: str, count: int) -> None:
    """Wait until so many notifications are noted as sent."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for _ in range(600):
            found = await connection.execute("SELECT count(*) FROM notification.notifications WHERE state = 'SENT'")
            row = await found.fetchone()
            if row is not None and row[0] == count:
                return
            await asyncio.sleep(0.05)
    raise TimeoutError


async def test_a_process_that_is_killed_between_sending_and_committing_leads_to_one_mail(
    notification: Start,
    empty_dsn: str,
    streams: RedisStreams,
    mails: RunningMock,
) -> None:
    with notification() as process:
        await registers(streams)
        await until_sent(empty_dsn, 1)
        mails.control.script({"delay": 0.7}, operation="sendMail")
        key = await confirms(streams)
        async with await psycopg.AsyncConnection.connect(empty_dsn) as holding:
            # While this transaction holds the row, the process can send the mail but not note it.
            await _attempt_begins(holding)
            async with asyncio.timeout(10):
                while not mails_of(mails, key):  # noqa: ASYNC110 the mock is asked over HTTP
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.3)
            process.kill()
            await holding.rollback()
    with notification() as process:
        await until_sent(empty_dsn, 2)
        assert mails_of(mails, key) == 1
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0


async def test_a_process_that_is_killed_while_the_answer_is_on_its_way_leads_to_one_mail(
    notification: Start,
    empty_dsn: str,
    streams: RedisStreams,
    mails: RunningMock,
) -> None:
    with notification() as process:
        await registers(streams)
        await until_sent(empty_dsn, 1)
        mails.control.script({"hang": 1.8}, operation="sendMail")
        key = await confirms(streams)
        async with asyncio.timeout(10):
            while not mails_of(mails, key):  # noqa: ASYNC110 the mock is asked over HTTP
                await asyncio.sleep(0.02)
        process.kill()
    with notification():
        await until_sent(empty_dsn, 2)
        assert mails_of(mails, key) == 1


def test_without_its_secrets_the_process_ends_and_says_which() -> None:
    with service_process("notification", ready=False) as process:
        assert process.wait() != 0
        assert "NOTIFICATION_DATA_KEY and NOTIFICATION_SENDGRID_KEY must be set" in process.output()


async def _attempt_begins(holding: psycopg.AsyncConnection) -> None:
    """Wait until an attempt to send is noted, and lock its row."""
    for _ in range(500):
        found = await holding.execute(
            "SELECT 1 FROM notification.notifications WHERE busy_until IS NOT NULL FOR UPDATE"
        )
        if await found.fetchone():
            return
        await holding.rollback()
        await asyncio.sleep(0.01)
    raise TimeoutError
