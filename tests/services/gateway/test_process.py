"""The gateway as a process: it starts, serves and drains."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from harness.backends.redis import Redis
from services.platform.security import TokenIssuer
from tests.services.gateway.behind import ADA, DEFAULTS, Behind

ROOT = Path(__file__).parents[3]
PEERS = ("CUSTOMER", "CATALOG", "CHECKOUT", "ORDER", "PAYMENT", "WAREHOUSE")


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def launch(log: Path, **settings: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'generated' / 'python'}", **settings}
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "services.gateway.app"], env=environment, stdout=out, stderr=out)


def said_in(log: Path) -> str:
    return log.read_text(encoding="utf-8")


async def ready(client: httpx.AsyncClient, log: Path) -> None:
    for _ in range(300):
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(said_in(log))


@pytest.mark.slow
async def test_it_serves_and_lets_a_request_under_way_end_when_it_is_told_to_stop(
    behind: Behind, issuer: TokenIssuer, redis: Redis, tmp_path: Path
) -> None:
    address, health, log = free_address(), free_address(), tmp_path / "gateway.log"
    running = launch(
        log,
        GATEWAY_HTTP_ADDRESS=address,
        GATEWAY_HEALTH_ADDRESS=health,
        GATEWAY_REDIS_URL=redis.url,
        **{f"GATEWAY_{name}_ADDRESS": behind.server.address for name in PEERS},
    )
    held = asyncio.Event()

    async def slowly() -> object:
        held.set()
        await asyncio.sleep(1.0)
        return DEFAULTS["ListPaymentMethods"]

    behind.answers["ListPaymentMethods"] = slowly  # type: ignore[assignment] # what it returns is a message
    token = issuer.issue(ADA, lifetime=60)
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=10.0) as client:
            await ready(client, log)
            asked = asyncio.create_task(
                client.get(f"/api/v1/customers/{ADA}/payment-methods", headers={"authorization": f"Bearer {token}"})
            )
            await asyncio.wait_for(held.wait(), 10)
            metrics = await client.get(f"http://{health}/metrics")
            assert "response_time" in metrics.text
            running.send_signal(signal.SIGTERM)
            assert (await asked).status_code == 200
        assert await asyncio.to_thread(running.wait, 20) == 0
    finally:
        running.kill()
        running.wait()
    said = said_in(log)
    assert token not in said
    assert redis.url not in said


@pytest.mark.slow
async def test_without_redis_at_start_it_waits_and_then_says_so(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    running = launch(
        log,
        GATEWAY_HTTP_ADDRESS=free_address(),
        GATEWAY_REDIS_URL=f"redis://:secret@{free_address()}/0",
        GATEWAY_START_TIMEOUT="1",
    )
    assert await asyncio.to_thread(running.wait, 30) != 0
    said = said_in(log)
    assert "no Redis at" in said
    assert "secret" not in said
