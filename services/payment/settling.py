"""Charges that nobody asks about any more: neither their answer nor a webhook came, so Stripe is asked."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from shop.runtime.transport import utc_now

from services.payment.adapters import payments
from services.payment.charging import Charging
from services.payment.errors import NotConfigured, ProviderUnavailable
from services.platform.database import Database
from services.platform.ending import end

LOG = logging.getLogger(__name__)
_AT_ONCE = 100


class Settler:
    """A part of a process. Looks every `every` seconds for charges that are pending, `idle` seconds after the last
    attempt was over; one that is not known at the provider is given up `abandon` seconds after it."""

    services = ("open charges",)

    def __init__(
        self, database: Database, charging: Charging, *, every: float = 5.0, idle: float = 5.0, abandon: float = 60.0
    ) -> None:
        self._database = database
        self._charging = charging
        self._every = every
        self._idle = timedelta(seconds=idle)
        self._abandon = timedelta(seconds=abandon)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Look from now on."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="open charges")
        return f"every {self._every:g} s"

    async def stop(self, grace: float | None = None) -> None:
        """Look no more; an open charge is found again after the next start."""
        task, self._task = self._task, None
        if task is not None:
            await end([task])

    async def settle_once(self) -> int:
        """Ask about all that are open now; returns how many that were."""
        async with self._database.transaction() as connection:
            found = await payments.pending_since(connection, utc_now() - self._idle, limit=_AT_ONCE)
        for charge in found:
            try:
                await self._charging.recheck(charge, give_up=utc_now() - self._abandon)
            except (ProviderUnavailable, NotConfigured) as problem:
                LOG.info("payment %s stays open: %s", charge.payment_id, problem)
        return len(found)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.settle_once()
            except Exception:
                LOG.exception("open charges could not be settled; again in %g s", self._every)
