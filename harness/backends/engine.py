"""One running engine behind its fault proxy: what tests and services see of Postgres and Redis.

Every method returns when it has taken effect and may be called from any thread. What a backend cannot do raises
`NotSupported`; what makes no sense in the state the engine is in (pause what is stopped), a `BackendError`.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import ClassVar, Literal, Protocol

from harness.backends.errors import BackendError
from harness.backends.faults import Blackhole
from harness.backends.proxy import Address, Applied, Listener

Kind = Literal["docker", "embedded"]
State = Literal["running", "paused", "stopped"]

READY_TIMEOUT = 60.0
"""Seconds from start to the first answer; recovery after a kill included."""
PROBE_INTERVAL = 0.01


class Host(Protocol):
    """What runs an engine: a native process or a container. Knows nothing of readiness, proxies or faults."""

    @property
    def kind(self) -> Kind:
        """How it runs."""

    def start(self) -> None:
        """Launch it; returns before it is ready."""

    def stop(self) -> None:
        """An orderly end, waited for."""

    def kill(self) -> None:
        """SIGKILL to all of its processes, waited for."""

    def pause(self) -> None:
        """None of its processes runs on."""

    def resume(self) -> None:
        """They run on."""

    def ended(self) -> str | None:
        """How it ended, when it did: "exited with 1"; None while it runs."""

    def address(self) -> Address:
        """Where it listens now."""

    def log_tail(self) -> str:
        """The last lines of its log."""


class NotReady(Exception):
    """The engine does not answer yet; the message is what it said."""


class Engine(ABC):
    """An engine that is started, stopped, killed, paused, cut off and slowed down; its address stays the same."""

    name: ClassVar[str]

    def __init__(self, host: Host, listener: Listener, *, ready_timeout: float = READY_TIMEOUT) -> None:
        self._host = host
        self._listener = listener
        self._ready_timeout = ready_timeout
        self._lock = threading.RLock()
        self._state: State = "stopped"
        self._partition: Applied | None = None
        self._version = ""
        self.faults = listener.faults

    @property
    def kind(self) -> Kind:
        """Which backend runs it."""
        return self._host.kind

    @property
    def state(self) -> State:
        """What was last asked for; an engine that died by itself is noticed by the next call."""
        return self._state

    @property
    def version(self) -> str:
        """What the engine says it is: "PostgreSQL 18.6", "Redis 7.0.15"; empty before the first start."""
        return self._version

    @property
    def host(self) -> str:
        """Where clients connect: the proxy's address."""
        return self._listener.host

    @property
    def port(self) -> int:
        """The proxy's port; the same for as long as the backends run."""
        return self._listener.port

    @property
    @abstractmethod
    def url(self) -> str:
        """What clients connect with, credentials included; through the proxy."""

    @property
    @abstractmethod
    def direct_url(self) -> str:
        """The same past the proxy, for checks that must see the truth while faults are in force.

        Only for this machine, and only until the next start.
        """

    @abstractmethod
    def _probe(self) -> str:
        """The version of an engine that answers a query, asked past the proxy; NotReady otherwise."""

    def start(self) -> None:
        """Start it, or start it again, with the data it has; ready when this returns. Nothing if it runs."""
        with self._lock:
            if self._state != "stopped":
                return
            self._host.start()
            try:
                self._await_ready()
            except BaseException:
                self._host.kill()
                raise
            self._listener.open(self._host.address())
            self._state = "running"

    def stop(self) -> None:
        """An orderly end. Clients are refused from then on. Nothing if it is stopped."""
        with self._lock:
            if self._state == "stopped":
                return
            if self._state == "paused":
                self.resume()
            self._listener.close()
            self._host.stop()
            self.release()
            self._state = "stopped"

    def kill9(self) -> None:
        """SIGKILL, no goodbye. Clients are refused from then on; `start` recovers what was committed."""
        with self._lock:
            self._demand("running", "paused")
            self._listener.close()
            self._host.kill()
            self.release()
            self._state = "stopped"

    def pause(self) -> None:
        """It stands still (SIGSTOP, the freezer): connections are accepted, nothing is answered."""
        with self._lock:
            self._demand("running")
            self._host.pause()
            self._state = "paused"

    def resume(self) -> None:
        """It goes on where it stood, with what it was sent in the meantime. Nothing if it runs."""
        with self._lock:
            self._demand("running", "paused")
            if self._state == "paused":
                self._host.resume()
                self._state = "running"

    def partition(self) -> None:
        """Clients and engine cannot hear each other; connections stay open. Nothing if they are cut off already."""
        with self._lock:
            if self._partition is None:
                self._partition = self.faults.add(Blackhole())

    def heal(self) -> None:
        """They hear each other again; what was held arrives. Other faults stay. Nothing if there is no partition."""
        with self._lock:
            if self._partition is not None:
                self._partition.remove()
                self._partition = None

    def restore(self) -> None:
        """As after the start: running, no faults. Started again if it is stopped, or has died by itself."""
        with self._lock:
            self._partition = None
            self.faults.clear()
            if self._state != "stopped" and self._host.ended() is not None:
                self._listener.close()
                self._host.kill()
                self.release()
                self._state = "stopped"
            self.start()
            self.resume()

    def log_tail(self) -> str:
        """The last lines of the engine's log."""
        return self._host.log_tail()

    @abstractmethod
    def release(self) -> None:
        """Close connections of our own to it."""

    def _demand(self, *states: State) -> None:
        if self._state not in states:
            raise BackendError(f"{self.name} is {self._state}, not {' or '.join(states)}")
        ended = self._host.ended()
        if ended is not None:
            raise BackendError(f"{self.name} {ended} by itself; the end of its log:\n{self.log_tail()}")

    def _await_ready(self) -> None:
        limit = time.monotonic() + self._ready_timeout
        while True:
            try:
                self._version = self._probe()
            except NotReady as problem:
                said = str(problem)
            else:
                return
            ended = self._host.ended()
            if ended is not None:
                raise BackendError(f"{self.name} {ended} at its start; the end of its log:\n{self.log_tail()}")
            if time.monotonic() > limit:
                raise BackendError(
                    f"{self.name} gave no answer within {self._ready_timeout:g} s ({said}); "
                    f"the end of its log:\n{self.log_tail()}"
                )
            time.sleep(PROBE_INTERVAL)
