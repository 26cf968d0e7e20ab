"""Work that a service does again and again beside serving."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shop.runtime.errors import TreatyError
from sqlalchemy.exc import SQLAlchemyError

from services.platform.ending import end

LOG = logging.getLogger(__name__)


class Repeated:
    """A part of a process that does something every `interval` seconds; after a failure, which is logged, too."""

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], *, interval: float) -> None:
        self.services = (name,)
        self._work = work
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """The first turn comes after one interval."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.services[0])
        return f"a turn every {self._interval:g} s"

    async def stop(self, grace: float | None = None) -> None:
        """A turn under way is cancelled; what it did is rolled back by its transaction."""
        task, self._task = self._task, None
        if task is not None:
            await end([task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self._work()
            except (SQLAlchemyError, TreatyError, OSError) as error:
                lines = str(error).strip().splitlines() or [type(error).__name__]
                LOG.warning("%s: %s; again in %g s", self.services[0], lines[0], self._interval)
