"""Starts the backends for a run, and leaves nothing of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.backends import native
from harness.backends.choose import Choice, Programs, choose
from harness.backends.engine import Engine, Host
from harness.backends.errors import BackendError
from harness.backends.postgres import Postgres
from harness.backends.proxy import Control, Listener
from harness.backends.redis import Redis
from harness.backends.supervised import Process, Supervisor

PROXY_TIMEOUT = 30.0
POLL_INTERVAL = 0.005


@dataclass(frozen=True, slots=True)
class Running:
    """The engines of a run. Their addresses hold until the run ends, for other processes, too."""

    choice: Choice
    postgres: Postgres
    redis: Redis

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All of them."""
        return (self.postgres, self.redis)

    def restore(self) -> None:
        """All running, without faults."""
        for engine in self.engines:
            engine.restore()

    @property
    def report(self) -> str:
        """For people: "embedded: PostgreSQL 18.6, Valkey 9.1.2 (no Docker daemon answers)"."""
        versions = ", ".join(engine.version for engine in self.engines)
        return f"{self.choice.kind}: {versions} ({self.choice.reason})"


@contextmanager
def backends(
    *, postgres_port: int = 0, redis_port: int = 0, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run Postgres and Redis for the length of the block; ready when it begins.

    Port 0 is a free one. `environ` (of this process) has HARNESS_BACKEND and the other HARNESS_ variables. A
    `BackendError` says what cannot be had, or what kept an engine from starting.
    """
    chosen = choose(environ)
    with ExitStack() as stack:
        supervisor = Supervisor()
        stack.callback(supervisor.end)
        proxy = _launched_proxy(supervisor)
        (postgres, password), (redis, secret) = _hosts(chosen, supervisor, stack)
        control = _connected(proxy, supervisor)
        stack.callback(control.close)
        running = Running(
            chosen,
            Postgres(postgres, Listener(control, port=postgres_port), password=password),
            Redis(redis, Listener(control, port=redis_port), password=secret),
        )
        with ThreadPoolExecutor(len(running.engines)) as pool:
            for started in [pool.submit(engine.start) for engine in running.engines]:
                started.result()
        yield running


def _hosts(chosen: Choice, supervisor: Supervisor, stack: ExitStack) -> tuple[tuple[Host, str], tuple[Host, str]]:
    """What runs Postgres and what runs Redis, each with the password it will have."""
    runs = chosen.runs
    if isinstance(runs, Programs):
        return native.postgres(runs.postgres, supervisor), native.redis(runs.redis, supervisor)
    from harness.backends import containers

    containers.clean_up(supervisor)
    stack.callback(supervisor.nothing_at_end)
    postgres, redis = containers.postgres(runs.postgres, supervisor), containers.redis(runs.redis, supervisor)
    stack.callback(postgres[0].remove)
    stack.callback(redis[0].remove)
    return postgres, redis


def _launched_proxy(supervisor: Supervisor) -> Process:
    above = str(Path(harness.__file__).parents[1])
    return supervisor.spawn(
        [sys.executable, "-m", "harness.backends.relay", supervisor.folder / "proxy"],
        log=supervisor.folder / "proxy.log",
        env={**os.environ, "PYTHONPATH": above},
    )


def _connected(proxy: Process, supervisor: Supervisor) -> Control:
    limit = time.monotonic() + PROXY_TIMEOUT
    while True:
        try:
            return Control(supervisor.folder / "proxy")
        except OSError as problem:
            if proxy.returned() is not None or time.monotonic() > limit:
                log = (supervisor.folder / "proxy.log").read_text(encoding="utf-8", errors="replace")
                raise BackendError(f"the fault proxy did not start: {problem}\n{log}") from problem
            time.sleep(POLL_INTERVAL)
