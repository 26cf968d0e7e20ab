"""Gives back reservations past their time, beside everything else that runs in the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import SQLAlchemyError

from services.platform.database import Database
from services.warehouse.stockroom import Stockroom

LOG = logging.getLogger(__name__)


class Expiry:
    """A part of a process (`shop.runtime.process.Part`). `every` is how many seconds it sleeps between looks.

    Replicas run one each: they pass over what another one works on.
    """

    services = ("expiry",)

    def __init__(self, database: Database, stockroom: Stockroom, *, every: float = 5.0) -> None:
        self._database = database
        self._stockroom = stockroom
        self._every = every
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Look now, and then again and again."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="expiry")
        return f"{self._database.place}, every {self._every:g} s"

    async def stop(self, grace: float | None = None) -> None:
        """Let the reservation at hand be given back, for at most `grace` seconds."""
        self._stopping.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=grace)
            for each in late:
                each.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> int:
        """Give back all that is past its time by now; returns how many there were."""
        count = 0
        while not self._stopping.is_set():
            found = await self._database.run(self._stockroom.lapse_one)
            if found is None:
                break
            LOG.info("reservation %s of order %s has lapsed", found.reservation_id, found.order_id)
            count += 1
        return count

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.sweep()
            except (SQLAlchemyError, OSError) as error:
                LOG.warning("cannot look for reservations past their time: %s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._every)
