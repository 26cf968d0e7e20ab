"""A service as a process of its own, as an operator starts it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
READY_TIMEOUT = 30.0


class ServiceProcess:
    """What was started: its log, and signals to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading = asyncio.get_running_loop().create_task(self._read())
        self._read_more = asyncio.Event()
        self.log: list[str] = []

    async def logged(self, pattern: str, *, within: float = READY_TIMEOUT) -> re.Match[str]:
        """The first line of the log that matches, waited for. AssertionError with the log when none comes."""
        try:
            async with asyncio.timeout(within):
                while True:
                    for line in self.log:
                        found = re.search(pattern, line)
                        if found:
                            return found
                    if self._reading.done():
                        break
                    self._read_more.clear()
                    await self._read_more.wait()
        except TimeoutError:
            pass
        raise AssertionError(f"no {pattern!r} in the log:\n" + "".join(self.log))

    async def ended(self, number: signal.Signals | None = None, *, within: float = 20.0) -> int:
        """Send a signal, if any, and wait for the end; returns the exit code."""
        if number is not None and self._process.returncode is None:
            self._process.send_signal(number)
        async with asyncio.timeout(within):
            code = await self._process.wait()
            await self._reading
        return code

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.log.append(line.decode())
            self._read_more.set()
        self._read_more.set()


@asynccontextmanager
async def started(service: str, environment: Mapping[str, str]) -> AsyncIterator[ServiceProcess]:
    """`python -m services.<service>.app`; killed at the end if it still runs."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "generated" / "python")))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{service}.app",
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": path, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    running = ServiceProcess(process)
    try:
        yield running
    finally:
        await running.ended(signal.SIGKILL)
