"""Service processes with real engines: started, waited for, read, stopped.

    with service_process("catalog", database_url=dsn, redis_url=redis.url, settings={"SEED": "true"}) as catalog:
        async with CatalogServiceClient(catalog.address) as client: ...
        catalog.terminate()
        assert catalog.wait() == 0

All ports are chosen by the system; the service is ready when its gRPC health service, or for an HTTP service a TCP
connection, answers. Whatever happens in the block, nothing is left running after it.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 30.0
STOP_TIMEOUT = 20.0
_SERVING = re.compile(r"serving (?P<what>[^\"\n]+?) on (?P<address>[\w.\[\]:-]+:\d+)(?=[\s\"]|$)")
_GRPC = re.compile(r"\.v\d+\w*\.\w+")
"""A full name of a proto service."""


@dataclass
class ServiceProcess:
    """A running service."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    http: bool = False
    """Whether it is called over HTTP, as the gateway is, and not over gRPC."""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    def output(self) -> str:
        """Everything it wrote so far, standard output and error in one."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def addresses(self) -> dict[str, str]:
        """`host:port` by what is served there, as the log says."""
        return {found["what"]: found["address"] for found in _SERVING.finditer(self.output())}

    @property
    def address(self) -> str:
        """Where its gRPC services, or else its HTTP operations, are served."""
        found = self.addresses()
        served = [address for what, address in found.items() if self._is_main(what)]
        if not served:
            raise RuntimeError(f"{self.name} serves nothing yet")
        return served[0]

    def _is_main(self, what: str) -> bool:
        return (_GRPC.search(what) is not None) is not self.http and "health" not in what

    def running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def terminate(self) -> None:
        """SIGTERM: drain and stop."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(timeout=STOP_TIMEOUT)

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Its exit code; `AssertionError` with its log when it does not end in time."""
        try:
            return self.process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not stop within {timeout} s:\n{self.output()}") from None

    def wait_for_log(self, text: str, timeout: float = START_TIMEOUT) -> None:
        """Return when the log has the text."""
        until = time.monotonic() + timeout
        while text not in self.output():
            assert self.running() or text in self.output(), f"{self.name} ended:\n{self.output()}"
            assert time.monotonic() < until, f"{self.name} did not log {text!r} in {timeout} s:\n{self.output()}"
            time.sleep(0.02)

    def wait_until_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Return when it serves; `AssertionError` with its log when it ends before, or takes longer."""
        until = time.monotonic() + timeout
        while not self._is_ready():
            assert self.running(), f"{self.name} ended with {self.process.returncode}:\n{self.output()}"
            assert time.monotonic() < until, f"{self.name} is not ready after {timeout} s:\n{self.output()}"
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        if not any(self._is_main(what) for what in self.addresses()):
            return False
        if self.http:
            with suppress(OSError), socket.create_connection(_split(self.address), 1.0):
                return True
            return False
        with grpc.insecure_channel(self.address) as channel, suppress(grpc.RpcError):
            asked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1.0)
            return bool(asked.status == health_pb2.HealthCheckResponse.SERVING)
        return False


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


@contextmanager
def service_process(
    name: str,
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    settings: Mapping[str, str] | None = None,
    ready: bool = True,
    http: bool = False,
    module: str | None = None,
    arguments: Sequence[str] = (),
) -> Iterator[ServiceProcess]:
    """`python -m services.NAME.app`, ready to be called; with `ready=False` as soon as it was started.

    `settings` are put into its environment as `<NAME>_<KEY>`. Nothing of a `<SERVICE>_` setting of this process's own
    environment reaches it.
    """
    prefix = f"{name.upper()}_"
    chosen = {"GRPC_ADDRESS": "127.0.0.1:0", "HTTP_ADDRESS": "127.0.0.1:0", "HEALTH_ADDRESS": "127.0.0.1:0"}
    if database_url is not None:
        chosen["DATABASE_URL"] = database_url
    if redis_url is not None:
        chosen["REDIS_URL"] = redis_url
    environment = {key: value for key, value in os.environ.items() if not key.startswith(prefix)}
    environment |= {f"{prefix}{key}": value for key, value in {**chosen, **(settings or {})}.items()}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "generated/python")])
    with tempfile.TemporaryDirectory(prefix=f"treaty-{name}-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module or f"services.{name}.app", *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        service = ServiceProcess(name, process, log, http)
        try:
            if ready:
                service.wait_until_ready()
            yield service
        finally:
            if service.running():
                service.kill()
