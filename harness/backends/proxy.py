"""The fault proxy as its users see it: a listener for each engine, and the faults in force on it.

The proxy is a process of its own (`relay`), so that it keeps its pace whatever the test process does. It listens on
ports that stay the same while engines come and go.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import harness
from harness.backends.errors import BackendError
from harness.backends.faults import Fault, line, to_wire
from harness.backends.supervised import Process, Supervisor

Address = tuple[str, int] | Path
"""(host, port), or a Unix socket."""

START_TIMEOUT = 30.0
CONTROL_TIMEOUT = 10.0
POLL_INTERVAL = 0.01


class Control:
    """The connection to the proxy's process; one request at a time, from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(CONTROL_TIMEOUT)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._answers = self._socket.makefile("rb")

    def ask(self, **members: Any) -> dict[str, Any]:
        """What the proxy answered; a `BackendError` when it cannot do that, or is gone."""
        with self._lock:
            try:
                self._socket.sendall(line(members))
                said = self._answers.readline()
            except OSError as problem:
                raise BackendError(f"the fault proxy does not answer: {problem}") from problem
        if not said:
            raise BackendError("the fault proxy has ended")
        answer: dict[str, Any] = json.loads(said)
        if "error" in answer:
            raise BackendError(answer["error"])
        return answer

    def close(self) -> None:
        """The proxy goes on."""
        self._answers.close()
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Applied:
    """A fault in force; a context manager that removes it."""

    faults: Faults
    number: int
    fault: Fault

    def remove(self) -> None:
        """It is in force no more. Nothing if it was removed before."""
        self.faults.control.ask(do="remove", listener=self.faults.listener, number=self.number)

    @property
    def hits(self) -> int:
        """How often it struck: chunks delayed or held, connections reset or cut, answers lost."""
        answer = self.faults.control.ask(do="hits", listener=self.faults.listener, number=self.number)
        return int(answer["hits"])

    def wait(self, hits: int = 1, timeout: float = 10.0) -> None:
        """Until it has struck so often; TimeoutError otherwise."""
        limit = time.monotonic() + timeout
        while self.hits < hits:
            if time.monotonic() > limit:
                raise TimeoutError(f"{self.fault} struck {self.hits} times in {timeout:g} s, not {hits}")
            time.sleep(POLL_INTERVAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passed a listener so far."""

    accepted: int
    open: int
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one engine's network."""

    control: Control
    listener: int

    def add(self, fault: Fault) -> Applied:
        """In force for every byte that reaches the proxy from now on."""
        answer = self.control.ask(do="add", listener=self.listener, fault=to_wire(fault))
        return Applied(self, int(answer["number"]), fault)

    def clear(self) -> None:
        """Remove all of them."""
        self.control.ask(do="clear", listener=self.listener)

    def traffic(self) -> Traffic:
        """Counted since the start."""
        return Traffic(**self.control.ask(do="traffic", listener=self.listener))


class Listener:
    """One port of the proxy. Refuses until it is opened; keeps its port when it is closed."""

    def __init__(self, control: Control, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0: a free one. A `BackendError` says so when the port is taken."""
        answer = control.ask(do="listen", host=host, port=port)
        self._control = control
        self._number = int(answer["listener"])
        self.host = host
        self.port = int(answer["port"])
        self.faults = Faults(control, self._number)

    def open(self, upstream: Address) -> None:
        """Accept clients, and pass each on to `upstream`."""
        target = str(upstream) if isinstance(upstream, Path) else list(upstream)
        self._control.ask(do="open", listener=self._number, upstream=target)

    def close(self) -> None:
        """Refuse clients; connections that are open stay until either side ends them."""
        self._control.ask(do="close", listener=self._number)


def launch(supervisor: Supervisor) -> Process:
    """Start the proxy's process; it is up when `connect` returns."""
    path = (str(Path(harness.__file__).parents[1]), os.environ.get("PYTHONPATH"))
    return supervisor.spawn(
        [sys.executable, "-m", "harness.backends.relay", supervisor.folder / "proxy"],
        log=supervisor.folder / "proxy.log",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
    )


def connect(proxy: Process, supervisor: Supervisor) -> Control:
    """The control connection, as soon as the process takes it."""
    limit = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return Control(supervisor.folder / "proxy")
        except OSError as problem:
            if proxy.returned() is not None or time.monotonic() > limit:
                log = (supervisor.folder / "proxy.log").read_text(encoding="utf-8", errors="replace")
                raise BackendError(f"the fault proxy did not start: {problem}\n{log}") from problem
            time.sleep(POLL_INTERVAL)
