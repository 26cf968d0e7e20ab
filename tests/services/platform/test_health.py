"""Readiness follows the checks; liveness does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
from fastapi import FastAPI
from grpc_health.v1 import health_pb2, health_pb2_grpc
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.http_host import HttpServer

from harness.backends.redis import Redis
from harness.backends.session import Running
from services.platform.database import Database
from services.platform.health import Check, Health, database_check, external_api_check, redis_check
from services.platform.redis_streams import RedisStreams
from tests.services.platform.reading import until


class Probe:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0
        self.pause = 0.0

    async def __call__(self) -> None:
        self.calls += 1
        await asyncio.sleep(self.pause)
        if self.error is not None:
            raise self.error


@pytest.fixture
async def probe() -> Probe:
    return Probe()


@pytest.fixture
async def health(probe: Probe) -> AsyncIterator[Health]:
    found = Health([Check(name="thing", probe=probe, timeout=0.1, interval=0.05)], recheck=0.02)
    yield found
    await found.stop()


async def test_the_checks_of_the_architecture_document_have_its_numbers(streams: RedisStreams) -> None:
    checks = [
        database_check(Database("postgresql://h/d", "order")),
        redis_check(streams.client),
        external_api_check(httpx.AsyncClient()),
    ]
    assert [(check.name, check.timeout, check.interval, check.critical) for check in checks] == [
        ("database", 5.0, 30.0, True),
        ("redis", 3.0, 30.0, True),
        ("external_api", 10.0, 60.0, False),
    ]


async def test_a_service_is_ready_once_its_checks_succeeded_and_only_while_they_do(
    health: Health, probe: Probe
) -> None:
    assert not await health.ready()
    await health.start()
    assert await health.ready()
    probe.error = ConnectionError("connection refused\nwith details")
    await until(health.problems)
    assert health.problems() == {"thing": "connection refused"}
    assert not await health.ready()
    probe.error = None
    await until(health.ready)


async def test_a_check_without_an_answer_fails_after_its_time(health: Health, probe: Probe) -> None:
    probe.pause = 5.0
    await health.start()
    assert health.problems() == {"thing": "no answer within 0.1 s"}


async def test_a_check_that_is_not_critical_is_told_of_but_takes_nothing_out_of_service() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(503 if request.url.path == "/health" else 404))
    async with httpx.AsyncClient(transport=transport, base_url="http://vendor") as client:
        health = Health([external_api_check(client)])
        await health.start()
        assert await health.ready()
        assert "503" in health.problems(all_checks=True)["external_api"]
        await health.stop()


async def test_http_and_grpc_clients_are_told_the_same(health: Health, probe: Probe) -> None:
    server, http = GrpcServer(), HttpServer(FastAPI(title="order"), ready=health.ready)
    await health.start()
    async with server, http, grpc.aio.insecure_channel(server.address) as channel, httpx.AsyncClient() as client:
        await health.tell(server)
        asking = health_pb2_grpc.HealthStub(channel)
        serving = health_pb2.HealthCheckResponse.SERVING

        async def answers() -> tuple[Any, ...]:
            said = await asking.Check(health_pb2.HealthCheckRequest(service=""))
            paths = [(await client.get(f"http://{http.address}{path}")).status_code for path in ("/readyz", "/livez")]
            return said.status == serving, *paths

        assert await answers() == (True, 200, 200)
        probe.error = ConnectionError("away")
        await until(health.problems)
        assert await answers() == (False, 503, 200)
        probe.error = None
        await until(health.ready)
        assert await answers() == (True, 200, 200)


async def test_engines_that_die_and_come_back_are_noticed(
    backends: Running, redis: Redis, database: Database, streams: RedisStreams
) -> None:
    health = Health([database_check(database), redis_check(streams.client)], recheck=0.05)
    await health.start()
    assert await health.ready()
    await health.stop()
    await asyncio.to_thread(backends.postgres.kill9)
    await asyncio.to_thread(redis.kill9)
    await health.start()
    assert set(health.problems()) == {"database", "redis"}
    await asyncio.to_thread(backends.postgres.start)
    await asyncio.to_thread(redis.start)
    await until(health.ready)
    await health.stop()
