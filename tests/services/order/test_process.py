"""The order service as a process, with real engines."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator

import pytest
from shop.order.v1 import order_pb2
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.events.publishers import PaymentEventsPublisher

from harness.backends.postgres import Database
from harness.backends.redis import Redis
from services.platform.redis_streams import RedisStreams
from tests.services.order.examples import create, succeeded
from tests.services.processes import service_process
from tests.services.streamed import events

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PAID = order_pb2.ORDER_STATUS_PAID


@pytest.fixture
def environment(postgres: Database, redis: Redis) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres.dsn,
        "REDIS_URL": redis.url,
        "PROCESSING_TIMEOUT": "2",
        "DRAIN": "5",
    }


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    found = RedisStreams(redis.url)
    yield found
    await found.close()


async def order_with(client: OrderServiceClient, order_id: str, status: int) -> order_pb2.Order:
    async with asyncio.timeout(30):
        while True:
            order = (await client.get_order(order_pb2.GetOrderRequest(order_id=order_id))).order
            if order.status == status:
                return order
            await asyncio.sleep(0.05)


async def test_it_publishes_what_it_stores_hears_what_others_say_and_drains(
    environment: dict[str, str], redis: Redis, streams: RedisStreams
) -> None:
    with service_process("order", settings=environment) as process:
        async with OrderServiceClient(process.address) as client:
            order = (await client.create_order(create())).order
            (created,) = await events(redis, "order-created", 1)
            assert created["data"]["order_id"] == order.order_id
            assert len(await events(redis, "order-processing", 1)) == 1
            publisher = PaymentEventsPublisher(streams)
            await publisher.publish_payment_succeeded(
                succeeded(order.order_id).data, subject="pay_1", correlationid=order.order_id, aggregateversion=2
            )
            assert (await order_with(client, order.order_id, PAID)).payment_id == "pay_1"
            (changed,) = await events(redis, "order-status-changed", 1)
            assert changed["data"]["status"] == "ORDER_STATUS_PAID"
            metrics = await asyncio.to_thread(_read, f"http://{process.addresses()['health and metrics']}/metrics")
            assert 'operation="order.v1.OrderService/CreateOrder"' in metrics
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 on loopback
        text: str = answer.read().decode()
        return text


async def test_a_process_that_is_killed_loses_nothing_and_does_nothing_twice(
    environment: dict[str, str], redis: Redis, streams: RedisStreams
) -> None:
    with service_process("order", settings=environment) as process:
        async with OrderServiceClient(process.address) as client:
            orders = [(await client.create_order(create(f"chk_{number}"))).order for number in range(10)]
            publisher = PaymentEventsPublisher(streams)
            for number, order in enumerate(orders):
                payment = f"pay_{number}"
                await publisher.publish_payment_succeeded(
                    succeeded(order.order_id, payment).data,
                    subject=payment,
                    correlationid=order.order_id,
                    aggregateversion=2,
                )
        process.kill()
    with service_process("order", settings=environment) as restarted:
        async with OrderServiceClient(restarted.address) as client:
            for order in orders:
                await order_with(client, order.order_id, PAID)
        found = await events(redis, "order-status-changed", 10)
        assert len({event["id"] for event in found}) == 10
        assert {event["subject"] for event in found} == {order.order_id for order in orders}
        restarted.terminate()
        assert await asyncio.to_thread(restarted.wait) == 0


async def test_without_postgres_it_waits_then_says_so_and_ends(environment: dict[str, str]) -> None:
    environment |= {"DATABASE_URL": "postgresql://u:hidden@127.0.0.1:1/none", "START_TIMEOUT": "1"}
    with service_process("order", settings=environment, ready=False) as process:
        assert await asyncio.to_thread(process.wait, 60) != 0
        assert "no PostgreSQL at 127.0.0.1:1" in process.output()
        assert "hidden" not in process.output()
