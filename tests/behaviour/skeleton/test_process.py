"""What a skeleton's process stands on: its parts, their order, one time limit for the drain, and health over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest
from fastapi import FastAPI

from codegen.targets.python.runtime.http_host import HttpServer
from codegen.targets.python.runtime.process import Consumers, serve


class Part:
    """Notes when it is started and stopped, in the journal of all."""

    def __init__(self, name: str, journal: list[str], *, stops_in: float = 0.0, fails: bool = False) -> None:
        self.services = (name,)
        self.given: float | None = None
        self._journal = journal
        self._stops_in = stops_in
        self._fails = fails

    async def start(self) -> str:
        if self._fails:
            raise OSError("the port is taken")
        self._journal.append(f"start {self.services[0]}")
        return "here"

    async def stop(self, grace: float | None = None) -> None:
        self.given = grace
        await asyncio.sleep(self._stops_in)
        self._journal.append(f"stop {self.services[0]}")


async def told_to_stop(*parts: Part, grace: float) -> None:
    """Serve the parts until a SIGTERM that is sent at once."""
    running = asyncio.create_task(serve(*parts, grace=grace))
    await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    await running


async def test_parts_stop_in_the_reverse_of_the_order_in_which_they_start() -> None:
    journal: list[str] = []
    await told_to_stop(*(Part(name, journal) for name in ("events", "grpc", "http")), grace=1.0)
    assert journal == ["start events", "start grpc", "start http", "stop http", "stop grpc", "stop events"]


async def test_all_parts_share_the_time_to_stop() -> None:
    journal: list[str] = []
    first, last = Part("first", journal), Part("last", journal, stops_in=0.2)
    await told_to_stop(first, last, grace=0.5)
    assert last.given == pytest.approx(0.5, abs=0.05)
    assert first.given == pytest.approx(0.3, abs=0.1)


async def test_when_a_part_cannot_start_those_before_it_are_stopped() -> None:
    journal: list[str] = []
    with pytest.raises(OSError, match="the port is taken"):
        await serve(Part("grpc", journal), Part("http", journal, fails=True))
    assert journal == ["start grpc", "stop grpc"]


async def test_consumers_stop_before_their_transport_is_closed() -> None:
    journal: list[str] = []

    class Subscription:
        async def stop(self, *, grace: float | None = None) -> None:
            journal.append(f"stop within {grace}")

    class Broker:
        async def close(self) -> None:
            journal.append("close")

    async def subscribe(_: Broker) -> tuple[Subscription, ...]:
        return (Subscription(),)

    consumers = Consumers(Broker(), subscribe)
    assert await consumers.start() == "Broker"
    await consumers.stop(3.0)
    assert journal == ["stop within 3.0", "close"]


async def asked(server: HttpServer, path: str) -> tuple[int, object]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{server.address}{path}")
    return answer.status_code, answer.json()


async def test_readiness_depends_on_a_condition_of_the_service_and_liveness_does_not() -> None:
    ready = False

    async def connected() -> bool:
        return ready

    async with HttpServer(FastAPI(), ready=connected) as server:
        assert await asked(server, "/readyz") == (503, {"status": "unavailable"})
        assert await asked(server, "/livez") == (200, {"status": "ok"})
        ready = True
        assert await asked(server, "/readyz") == (200, {"status": "ok"})


async def test_a_path_of_the_application_goes_before_that_of_its_health() -> None:
    app = FastAPI()

    async def own() -> dict[str, str]:
        return {"own": "answer"}

    app.add_api_route("/livez", own)
    async with HttpServer(app) as server:
        assert await asked(server, "/livez") == (200, {"own": "answer"})


async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    async with HttpServer(FastAPI()) as first:
        with pytest.raises(OSError, match="Address already in use"):
            await HttpServer(FastAPI(), first.address).start()


async def test_a_request_that_outlasts_the_drain_is_cut_off() -> None:
    app = FastAPI()
    begun = asyncio.Event()

    async def slow() -> None:
        begun.set()
        await asyncio.sleep(60)

    app.add_api_route("/slow", slow)
    server = HttpServer(app)
    await server.start()
    asking = asyncio.create_task(asked(server, "/slow"))
    await begun.wait()
    await asyncio.wait_for(server.stop(0), timeout=5)
    with pytest.raises((httpx.HTTPError, ValueError)):
        await asking
