"""The checkout service as a process, which tests kill and start again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shop.runtime.grpc_client import ClientChannel, ClientOptions

ROOT = Path(__file__).parents[3]
START = 30.0


@dataclass
class Process:
    """One process of the service at a time, always at the same address, with the same executor id."""

    dsn: str
    redis_url: str
    peers: str
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    running: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is called."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it; returns when it serves."""
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        peers = ("CATALOG", "ORDER", "PAYMENT", "WAREHOUSE")
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'generated' / 'python'}",
            "CHECKOUT_GRPC_ADDRESS": self.address,
            "CHECKOUT_DATABASE_URL": self.dsn,
            "CHECKOUT_REDIS_URL": self.redis_url,
            **{f"CHECKOUT_{name}_ADDRESS": self.peers for name in peers},
            **self.settings,
        }
        self._launch(environment)
        channel = ClientChannel(self.address, ClientOptions())
        try:
            async with asyncio.timeout(START):
                await channel.ready()
        except TimeoutError:
            raise AssertionError(f"it did not start:\n{self.said}") from None
        finally:
            await channel.aclose()

    def _launch(self, environment: Mapping[str, str]) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "services.checkout.app"], env=environment, stdout=log, stderr=log
            )

    @property
    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """SIGKILL, from wherever the test is."""
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait(10)

    async def terminate(self) -> int:
        """SIGTERM; its exit code."""
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.running.wait, 20)


@contextmanager
def process(dsn: str, redis_url: str, peers: str, log: Path, **settings: str) -> Iterator[Process]:
    """Not started yet; killed at the end."""
    found = Process(dsn, redis_url, peers, log, settings)
    try:
        yield found
    finally:
        found.kill()
