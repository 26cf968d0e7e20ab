"""The warehouse as a process of its own, on PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from shop.order.v1.events.consumers import subscribe_confirm_order_on_stock_reserved
from shop.order.v1.events.publishers import OrderEventsPublisher
from shop.runtime.consuming import Delivery, RawHeaders
from shop.warehouse.v1 import warehouse_pb2 as pb
from shop.warehouse.v1.events.models import StockReservedEvent
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

from harness.backends.redis import Redis
from services.platform.redis_streams import RedisStreams
from tests.services.processes import service_process
from tests.services.warehouse.conftest import status_changed

pytestmark = pytest.mark.slow


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    redis.flush()
    found = RedisStreams(redis.url)
    yield found
    await found.close()


async def test_the_process_migrates_seeds_reserves_what_is_paid_and_drains(
    empty_dsn: str, redis: Redis, streams: RedisStreams
) -> None:
    reserved: asyncio.Queue[StockReservedEvent] = asyncio.Queue()

    async def note(event: StockReservedEvent, _: Delivery[RawHeaders]) -> None:
        reserved.put_nowait(event)

    subscription = await subscribe_confirm_order_on_stock_reserved(streams, note)
    settings = {"SEED_DEMO": "true"}
    with service_process("warehouse", database_url=empty_dsn, redis_url=redis.url, settings=settings) as process:
        paid = status_changed("ord_1", "PAID", 2, prd_tea_green=2)
        for _ in range(2):
            await OrderEventsPublisher(streams).publish_order_status_changed(
                paid.data, subject="ord_1", correlationid="ord_1", aggregateversion=2, id=paid.id
            )
        event = await asyncio.wait_for(reserved.get(), 20)
        assert (event.data.order_id, event.causationid) == ("ord_1", paid.id)
        watched = process.addresses()["health and metrics"]
        async with httpx.AsyncClient(base_url=f"http://{watched}") as http:
            assert [(await http.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]
            figures = (await http.get("/metrics")).text
        assert 'operation="handle order-status-changed",outcome="success"' in figures
        async with WarehouseServiceClient(process.address) as client:
            wanted = pb.CheckAvailabilityRequest(lines=[pb.StockLine(product_id="prd_tea_green", quantity=1)])
            assert (await client.check_availability(wanted)).lines[0].available == 998
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0
        assert "stopping" in process.output()
    assert reserved.empty()
    await subscription.stop()


def test_without_a_database_the_process_says_so_and_ends(redis: Redis) -> None:
    nowhere = "postgresql://treaty:secret-word@127.0.0.1:9/none"
    settings = {"START_TIMEOUT": "1"}
    with service_process(
        "warehouse", database_url=nowhere, redis_url=redis.url, settings=settings, ready=False
    ) as process:
        assert process.wait() != 0
        assert "no PostgreSQL at 127.0.0.1:9/none" in process.output()
        assert "secret-word" not in process.output()
