"""Starts the backends for a run, and leaves nothing of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from harness.backends import native
from harness.backends.choose import Choice, Programs, choose
from harness.backends.engine import Engine, Host
from harness.backends.postgres import Postgres
from harness.backends.proxy import Listener, connect, launch
from harness.backends.redis import Redis
from harness.backends.supervised import Supervisor

DATA_VARIABLE = "HARNESS_DATA"
"""Where native engines have their data. In memory (/dev/shm) they are much faster, and survive kill -9 alike."""


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
        supervisor = Supervisor((os.environ if environ is None else environ).get(DATA_VARIABLE))
        stack.callback(supervisor.end)
        proxy = launch(supervisor)
        (postgres, password), (redis, secret) = _hosts(chosen, supervisor, stack)
        control = connect(proxy, supervisor)
        stack.callback(control.close)
        running = Running(
            chosen,
            Postgres(postgres, Listener(control, port=postgres_port), password=password),
            Redis(redis, Listener(control, port=redis_port), password=secret),
        )
        for engine in running.engines:
            stack.callback(engine.release)
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
