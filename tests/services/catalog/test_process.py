"""The catalog as a process: real engines, calls over gRPC, events over Redis, SIGTERM and SIGKILL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from redis import Redis as RedisClient
from shop.catalog.v1 import catalog_pb2
from shop.catalog.v1.catalog_grpc import CatalogServiceClient

from harness.backends.postgres import Database
from harness.backends.redis import Redis
from tests.services.catalog.conftest import eur
from tests.services.processes import service_process

pytestmark = pytest.mark.slow


async def published(url: str, count: int) -> list[dict[str, object]]:
    """The events on `price-changed`, once there are so many."""
    entries: list[tuple[bytes, dict[bytes, bytes]]] = []
    with RedisClient.from_url(url) as client:
        for _ in range(200):
            entries = client.xrange("price-changed")
            if len(entries) >= count:
                return [json.loads(fields[b"data"]) for _, fields in entries]
            await asyncio.sleep(0.05)
    raise AssertionError(f"only {len(entries)} of {count} events were published")


async def test_it_migrates_seeds_serves_publishes_and_drains(postgres: Database, redis: Redis) -> None:
    settings = {"SEED_DEMO": "true", "INDEX_INTERVAL": "0.2"}
    with service_process("catalog", database_url=postgres.dsn, redis_url=redis.url, settings=settings) as catalog:
        async with CatalogServiceClient(catalog.address) as client:
            listed = await client.list_products(catalog_pb2.ListProductsRequest())
            assert len(listed.products) == 5
            change = catalog_pb2.UpdatePriceRequest(product_id="prd_tea_green", amount=eur(999), idempotency_key="k")
            await client.update_price(change)
            told = await published(redis.url, 11)
            assert [each["data"]["price_version"] for each in told if each["subject"] == "prd_tea_green"] == [1, 1, 2]  # type: ignore[index] # JSON
            query = catalog_pb2.SearchProductsRequest(query="green tea", max_price_minor_units=999)
            for _ in range(100):
                if (await client.search_products(query)).hits:
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("the search index did not follow the price")
        catalog.terminate()
        assert catalog.wait() == 0


async def test_what_was_stored_before_a_kill_is_published_after_it_and_seeding_again_adds_nothing(
    service_database: Callable[[str], str], redis: Redis
) -> None:
    dsn = service_database("catalog")
    for amount in (900, 800):
        settings = {"SEED_DEMO": "true"}
        with service_process("catalog", database_url=dsn, redis_url=redis.url, settings=settings) as catalog:
            async with CatalogServiceClient(catalog.address) as client:
                change = catalog_pb2.UpdatePriceRequest(
                    product_id="prd_mug_white", amount=eur(amount), idempotency_key=f"k{amount}"
                )
                await client.update_price(change)
            catalog.kill()
    with service_process("catalog", database_url=dsn, redis_url=redis.url):
        told = await published(redis.url, 12)
    seen = {(each["id"], each["subject"]) for each in told}
    assert len(seen) == 12


def test_without_postgres_it_waits_and_then_says_so(redis: Redis) -> None:
    nowhere = "postgresql://treaty:hidden@127.0.0.1:1/treaty"
    settings = {"START_TIMEOUT": "1"}
    with service_process(
        "catalog", database_url=nowhere, redis_url=redis.url, settings=settings, ready=False
    ) as catalog:
        assert catalog.wait() != 0
        assert "waiting for PostgreSQL at 127.0.0.1:1" in catalog.output()
        assert "no PostgreSQL at 127.0.0.1:1" in catalog.output()
        assert "hidden" not in catalog.output()


def test_without_redis_it_waits_and_then_says_so(service_database: Callable[[str], str]) -> None:
    nowhere = "redis://:hidden@127.0.0.1:1/0"
    settings = {"START_TIMEOUT": "1"}
    with service_process(
        "catalog", database_url=service_database("catalog"), redis_url=nowhere, settings=settings, ready=False
    ) as catalog:
        assert catalog.wait() != 0
        assert "waiting for Redis" in catalog.output()
        assert "hidden" not in catalog.output()
