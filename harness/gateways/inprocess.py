"""Mocks inside a test process, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.gateways.client import GatewayControl
from harness.gateways.serving import Mocks, Options

START_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class RunningMock:
    """Where a mock listens, and what controls it."""

    name: str
    url: str
    https_url: str
    control: GatewayControl


class RunningMocks:
    """The mocks by name: `mocks.stripe.url`, `mocks.stripe.control.ledger()`."""

    def __init__(self, mocks: Mapping[str, RunningMock], proxy_url: str, ca_file: Path | None) -> None:
        self._mocks = dict(mocks)
        self.proxy_url = proxy_url
        self.ca_file = ca_file

    def __getattr__(self, name: str) -> RunningMock:
        try:
            return self._mocks[name]
        except KeyError:
            raise AttributeError(f"the mock of {name!r} is not running") from None

    def __iter__(self) -> Iterator[RunningMock]:
        return iter(self._mocks.values())

    def reset(self) -> None:
        """All of them as at the start."""
        for mock in self:
            mock.control.reset()

    def proxy_environment(self) -> dict[str, str]:
        """The variables that send an SDK with its default URL here; see `harness.gateways.proxy`."""
        from harness.gateways.proxy import environment

        return environment(self.proxy_url, self.ca_file)


@contextmanager
def running(*names: str, **options: Any) -> Iterator[RunningMocks]:
    """Run mocks, all for no name, for the length of the block; `options` are those of `serving.Options`."""
    thread = _Thread(Options(names=names, **options))
    thread.start()
    try:
        yield thread.wait()
    finally:
        thread.end()


class _Thread(threading.Thread):
    def __init__(self, options: Options) -> None:
        super().__init__(name="gateways", daemon=True)
        self._options = options
        self._ready = threading.Event()
        self._found: RunningMocks | None = None
        self._problem: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None

    def run(self) -> None:
        import uvloop

        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as problem:  # noqa: BLE001 it is raised where the thread was started
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        async with Mocks(self._options) as mocks:
            found = {
                name: RunningMock(name, mock.url, mock.https_url, GatewayControl(mock.url))
                for name, mock in mocks.running.items()
            }
            proxy = "" if mocks.proxy is None else mocks.proxy.url
            self._found = RunningMocks(found, proxy, None if mocks.authority is None else mocks.authority.ca_file)
            self._ready.set()
            await self._ending.wait()

    def wait(self) -> RunningMocks:
        """The mocks, as soon as they are up. What kept them from starting is raised."""
        if not self._ready.wait(START_TIMEOUT):
            raise TimeoutError(f"the mocks did not start within {START_TIMEOUT:g} s")
        if self._found is None:
            raise self._problem or RuntimeError("the mocks did not start")
        return self._found

    def end(self) -> None:
        """Stop them and wait for it."""
        if self._loop is not None and self._ending is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
        self.join(START_TIMEOUT)
