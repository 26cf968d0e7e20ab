"""One service as a process: started, asked whether it is ready, stopped, killed, started again."""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from harness.backends.supervised import Process, Supervisor
from harness.environment.services import Service

READY_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
POLL_INTERVAL = 0.02
_KEPT_OF_LOG = 4000
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServiceError(RuntimeError):
    """A service did not start, or ended by itself; the message has the end of its log."""


class ServiceProcess:
    """A service that can be stopped and killed; its addresses stay the same."""

    def __init__(
        self, service: Service, supervisor: Supervisor, variables: Mapping[str, str], health: str, path: str
    ) -> None:
        self.service = service
        self.variables = dict(variables)
        self._supervisor = supervisor
        self._health = health
        self._path = path
        self._process: Process | None = None
        self.log = supervisor.folder / f"{service.name}.log"

    @property
    def name(self) -> str:
        """Of the service."""
        return self.service.name

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returned() is None

    def start(self) -> None:
        """Launch it; returns before it is ready."""
        if self.running:
            return
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "PYTHONPATH": self._path,
            "PYTHONUNBUFFERED": "1",
            **self.variables,
        }
        self._process = self._supervisor.spawn(
            [sys.executable, "-m", self.service.module], log=self.log, env=environment
        )

    def ready(self) -> bool:
        """Whether it says so. `ServiceError` when it has ended."""
        if not self.running:
            raise ServiceError(f"{self.name} has ended:\n{self.log_tail()}")
        try:
            with _OPENER.open(f"http://{self._health}/readyz", timeout=2.0) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """`ServiceError` when it is not ready in time (seconds)."""
        limit = time.monotonic() + timeout
        while not self.ready():
            if time.monotonic() > limit:
                raise ServiceError(f"{self.name} was not ready within {timeout:g} s:\n{self.log_tail()}")
            time.sleep(POLL_INTERVAL)

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """SIGTERM, waited for; SIGKILL when that takes too long."""
        if self._process is not None and self._process.returned() is None:
            self._process.signal(signal.SIGTERM)
            if not self._process.wait(timeout):
                self._process.kill()

    def kill9(self) -> None:
        """SIGKILL, no goodbye."""
        if self._process is not None:
            self._process.kill()

    def log_tail(self) -> str:
        """The last lines of its log."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return text[-_KEPT_OF_LOG:]


def source_path() -> str:
    """Where `services` and the generated package are found."""
    import harness

    root = Path(harness.__file__).resolve().parents[1]
    return os.pathsep.join([str(root), str(root / "generated" / "python")])
