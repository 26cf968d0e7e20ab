"""Waking a relay without waiting for its next poll: within the process, and in others by NOTIFY."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.platform.database import Database, quoted

LOG = logging.getLogger(__name__)


class Waker:
    """`wake` sets `woken` here at once, and tells other processes at most once per `spacing` seconds.

    The notification is a transaction of its own after the commit: NOTIFY within the transactions that write would make
    their commits wait for each other. It is a hint; whoever waits for it polls besides.
    """

    def __init__(self, database: Database, *, channel: str, spacing: float = 0.02) -> None:
        self.woken = asyncio.Event()
        self.channel = channel
        self.tell_others = True
        """Set to false while the relay that publishes runs in this process."""
        self._database = database
        self._spacing = spacing
        self._telling: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to do."""
        self.woken.set()
        if self.tell_others and self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        try:
            async with self._database.transaction() as connection:
                await connection.execute(text(f"NOTIFY {quoted(self.channel)}"))
            await asyncio.sleep(self._spacing)
        except (DBAPIError, OSError) as error:
            LOG.debug("no notification on %s: %s", self.channel, error)
        finally:
            self._telling = None

    async def wait(self, seconds: float) -> None:
        """Return when woken, or after that many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        except TimeoutError:
            pass
        self.woken.clear()

    async def close(self) -> None:
        """Let a notification that is under way end."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
