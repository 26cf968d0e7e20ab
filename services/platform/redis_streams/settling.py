"""Acknowledgements, many in one command: those that come while one is on its way go together with the next."""

from __future__ import annotations

import asyncio
import logging

from services.platform.ending import end
from services.platform.redis_streams.connection import FAILURES
from services.platform.redis_streams.scripts import Scripts

LOG = logging.getLogger(__name__)


class Acknowledger:
    """Sends acknowledgements until they arrive. `unsent` are entries that are handled, but pending in Redis."""

    def __init__(self, scripts: Scripts, *, longest_pause: float) -> None:
        self.unsent: dict[bytes, bool] = {}
        self._scripts = scripts
        self._longest_pause = longest_pause
        self._sending: asyncio.Task[None] | None = None

    def acknowledge(self, id_: bytes, *, retried: bool) -> None:
        """The group is done with the entry; `retried`: it took more than one attempt."""
        self.unsent[id_] = retried
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        pause = 0.01
        try:
            while self.unsent:
                batch = dict(self.unsent)
                try:
                    await self._scripts.acknowledge(
                        list(batch), retried=[id_ for id_, retried in batch.items() if retried]
                    )
                except FAILURES as error:
                    LOG.warning("%d acknowledgements wait for Redis: %s", len(batch), error)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, self._longest_pause)
                else:
                    pause = 0.01
                    for id_ in batch:
                        self.unsent.pop(id_, None)
        finally:
            self._sending = None

    async def flush(self, seconds: float) -> None:
        """Return when everything is sent, or after that many seconds; what is left is delivered again to somebody."""
        task = self._sending
        if task is None:
            return
        await asyncio.wait({task}, timeout=seconds)
        await end([task])
