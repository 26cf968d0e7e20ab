"""Whether a service can work: checks of what it depends on, with the architecture document's times.

    database: SELECT 1, 5 s, every 30 s;  redis: PING, 3 s, every 30 s;  external API: GET /health, 10 s, every 60 s

Liveness is that the process answers at all (`/livez` of `HttpServer`): what a restart would not mend must not cause
one. Readiness is that every critical check succeeded when it was last made (`/readyz`, gRPC health). A check that
failed is made again every `recheck` seconds until it succeeds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx
from redis.asyncio import Redis
from shop.runtime.transport import utc_now

from services.platform.database import Database
from services.platform.ending import end

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A probe that raises when something is wrong. Times in seconds."""

    name: str
    probe: Callable[[], Awaitable[object]]
    timeout: float
    interval: float
    critical: bool = True


def database_check(database: Database) -> Check:
    """`SELECT 1`."""
    return Check(name="database", probe=database.ping, timeout=5.0, interval=30.0)


def redis_check(client: Redis) -> Check:
    """`PING`."""

    async def ping() -> None:
        await client.ping()

    return Check(name="redis", probe=ping, timeout=3.0, interval=30.0)


def external_api_check(client: httpx.AsyncClient, name: str = "external_api", *, path: str = "/health") -> Check:
    """`GET /health`, anything but 2xx is wrong. Not critical: a service answers without its vendor, in its way."""

    async def get() -> None:
        (await client.get(path)).raise_for_status()

    return Check(name=name, probe=get, timeout=10.0, interval=60.0, critical=False)


@dataclass(frozen=True, slots=True)
class Status:
    """The last result of a check; `problem` is None when it succeeded."""

    problem: str | None
    at: datetime


class ServingFlags(Protocol):
    """What tells gRPC clients, such as `shop.runtime.grpc_server.GrpcServer`."""

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the services."""

    async def set_serving(self, service: str, *, serving: bool) -> None:
        """Change what is said of a service; of the whole server for an empty name."""


class Health:
    """A part of a process that makes the checks; to be started before the servers that ask it, stopped after them."""

    services = ("health",)

    def __init__(self, checks: Iterable[Check], *, recheck: float = 2.0) -> None:
        self.checks = tuple(checks)
        self.status: dict[str, Status] = {}
        self._recheck = recheck
        self._tasks: list[asyncio.Task[None]] = []
        self._followers: list[ServingFlags] = []
        self._told: bool | None = None

    async def start(self) -> str:
        """Make every check once, then go on in the background."""
        await asyncio.gather(*(self._make(check) for check in self.checks))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._repeat(check), name=f"check {check.name}") for check in self.checks]
        return ", ".join(check.name for check in self.checks)

    async def stop(self, grace: float | None = None) -> None:
        """Make no more checks."""
        tasks, self._tasks = self._tasks, []
        await end(tasks)

    async def ready(self) -> bool:
        """Whether every critical check succeeded; false before the start. For `HttpServer(ready=...)`."""
        return self.problems() == {}

    def problems(self, *, all_checks: bool = False) -> dict[str, str]:
        """What is wrong, by check: of the critical ones, or of all."""
        found = {}
        for check in self.checks:
            status = self.status.get(check.name)
            problem = "not checked yet" if status is None else status.problem
            if problem is not None and (check.critical or all_checks):
                found[check.name] = problem
        return found

    async def tell(self, server: ServingFlags) -> None:
        """Keep the health service of a gRPC server, which runs, up to date."""
        self._followers.append(server)
        await _set(server, serving=await self.ready())

    async def _repeat(self, check: Check) -> None:
        while True:
            well = self.status[check.name].problem is None
            await asyncio.sleep(check.interval if well else min(self._recheck, check.interval))
            await self._make(check)

    async def _make(self, check: Check) -> None:
        problem: str | None = None
        try:
            async with asyncio.timeout(check.timeout):
                await check.probe()
        except TimeoutError:
            problem = f"no answer within {check.timeout:g} s"
        except Exception as error:  # noqa: BLE001 whatever a probe raises means that something is wrong
            lines = str(error).strip().splitlines()
            problem = lines[0] if lines else type(error).__name__
        before = self.status.get(check.name)
        self.status[check.name] = Status(problem, utc_now())
        if problem is not None and (before is None or before.problem is None):
            LOG.warning("check %s fails: %s", check.name, problem)
        elif problem is None and before is not None and before.problem is not None:
            LOG.info("check %s succeeds again", check.name)
        await self._tell_all()

    async def _tell_all(self) -> None:
        serving = await self.ready()
        if serving != self._told:
            self._told = serving
            for server in self._followers:
                await _set(server, serving=serving)


async def _set(server: ServingFlags, *, serving: bool) -> None:
    for service in ("", *server.services):
        await server.set_serving(service, serving=serving)
