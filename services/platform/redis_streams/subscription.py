"""A subscription in mode `durable`.

Order of keys. Within a subscription, messages of one key are handled one after the other, retries included. Across
replicas a consumer group gives no order by itself, so where the subscription states its ordering key (or
`StreamSettings.exclusive` says so), one of them reads at a time, by a lease of `processing_timeout`; the next one
takes over what is pending, oldest first, before it reads on. Elsewhere all of them compete.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter

from redis.asyncio import Redis
from shop.runtime.transport import Handler, SubscribeOptions

from services.platform.ending import end
from services.platform.redis_streams import upkeep
from services.platform.redis_streams.connection import FAILURES
from services.platform.redis_streams.handling import Handling
from services.platform.redis_streams.reader import Reader
from services.platform.redis_streams.scripts import Scripts
from services.platform.redis_streams.settings import StreamSettings

LOG = logging.getLogger(__name__)


class DurableSubscription:
    """One member of a group; see `shop.runtime.transport.Subscription`."""

    def __init__(
        self,
        url: str,
        commands: Redis,
        address: str,
        group: str,
        handler: Handler,
        options: SubscribeOptions,
        settings: StreamSettings,
        counts: Counter[str],
    ) -> None:
        if options.concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        self.address = address
        self.group = group
        self.consumer = f"{group}-{uuid.uuid4().hex[:12]}"
        self._commands = commands
        self._start = options.start
        self._settings = settings
        self._counts = counts
        self._exclusive = settings.exclusive if settings.exclusive is not None else options.ordering_key is not None
        self._scripts = Scripts(commands, address, group, self.consumer)
        self._reader = Reader(url, commands, settings, stream=address, group=group, consumer=self.consumer)
        self._handling = Handling(
            self._scripts,
            address=address,
            group=group,
            handler=handler,
            options=options,
            settings=settings,
            counts=counts,
        )
        self._stopping = False
        self._stopped = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._leased_at: float | None = None
        self._looked_at = float("-inf")
        self._missed = 0

    async def start(self) -> None:
        """Create the group, so that nothing published from now on is missed, and begin to read."""
        await self._reader.create_group(self._start)
        loop = asyncio.get_running_loop()
        self._reading = loop.create_task(self._read_always(), name=f"read {self.address} for {self.group}")
        self._keeping = loop.create_task(self._keep_up(), name=f"keep {self.address} for {self.group}")

    async def _read_always(self) -> None:
        pause = 0.02
        while not self._stopping:
            try:
                if self._exclusive and not await self._lease():
                    await asyncio.sleep(min(0.25, self._settings.keep_alive))
                    continue
                await self._watch()
                # What is pending and not in our hands: left by the reader before us, or by an answer that was lost.
                await self._claim(0, owner="" if self._exclusive else self.consumer)
                while self._may_read():
                    await self._read_once()
                    pause = 0.02
            except FAILURES as error:
                LOG.warning("reading %s for %s: %s; again in %.2f s", self.address, self.group, error, pause)
                self._counts["read_errors"] += 1
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._settings.longest_pause)

    def _may_read(self) -> bool:
        return not self._stopping and (not self._exclusive or self._has_lease())

    async def _read_once(self) -> None:
        lanes, depth = self._handling.lanes, self._settings.queue_depth
        if len(lanes.ready) > depth // 2 or len(lanes.held) >= self._settings.max_held:
            self._handling.room.clear()
            await self._handling.room.wait()
            return
        found = await self._reader.read(depth - len(lanes.ready))
        if self._exclusive and not self._has_lease():
            await self._scripts.release([(id_, 0) for id_, _ in found], int(self._settings.processing_timeout * 1000))
            return
        self._handling.admit((id_, fields, 1, None) for id_, fields in found)

    async def _claim(self, idle: int, owner: str = "") -> None:
        """Take over all entries that were idle for so many milliseconds, but for those in custody."""
        after = b""
        while True:
            held = self._handling.in_custody
            found = await self._scripts.claim(idle, self._settings.queue_depth, after=after, owner=owner, held=held)
            self._report_trimmed(found.trimmed)
            self._counts["claimed"] += len(found.entries)
            self._handling.admit(found.entries)
            if not found.last:
                return
            after = found.last

    async def _keep_up(self) -> None:
        interval = min(self._settings.keep_alive, self._settings.redeliver_interval)
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._renew()
                if loop.time() - self._looked_at >= self._settings.redeliver_interval:
                    self._looked_at = loop.time()
                    await self._look_around()
            except FAILURES as error:
                LOG.warning("upkeep of %s for %s: %s", self.address, self.group, error)
            await asyncio.sleep(interval)

    async def _look_around(self) -> None:
        if not self._exclusive or self._has_lease():
            await self._claim(int(self._settings.processing_timeout * 1000))
        await self._scripts.tidy(int(self._settings.processing_timeout * 10_000))
        await self._watch()
        keep = self._settings.keep.get(self.address)
        if keep is not None:
            self._counts["trimmed"] += await upkeep.trim(self._commands, self.address, keep=keep)

    async def _renew(self) -> None:
        if self._leased_at is not None and not await self._lease():
            LOG.warning("%s for %s is read by another replica now", self.address, self.group)
            self._leased_at = None
            self._handling.cancel()
            return
        lanes, unsent = self._handling.lanes, self._handling.acks.unsent
        ids = [*(id_ for id_, entry in lanes.held.items() if not entry.trimmed), *unsent]
        for begin in range(0, len(ids), 1000):
            lost, trimmed = await self._scripts.renew(ids[begin : begin + 1000])
            for id_ in lost:
                lanes.lose(id_)
            self._report_trimmed(trimmed)
        self._handling.dispatch()

    async def _lease(self) -> bool:
        """Become or stay the one reader."""
        now = asyncio.get_running_loop().time()
        if not await self._scripts.lease(int(self._settings.processing_timeout * 1000)):
            return False
        self._leased_at = now
        return True

    def _has_lease(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._leased_at is not None and now - self._leased_at < self._settings.processing_timeout

    async def _watch(self) -> None:
        """Tell of entries that somebody trimmed before the group read them."""
        figures = await upkeep.figures(self._commands, self.address)
        missed = next((group.trimmed_unread for group in figures.groups if group.name == self.group), 0)
        if missed > self._missed:
            self._counts["trimmed_unread"] += missed - self._missed
            LOG.error("%d entries of %s were trimmed before %s read them", missed, self.address, self.group)
        self._missed = missed

    def _report_trimmed(self, ids: list[bytes]) -> None:
        """Entries that were removed from the stream while they were pending: those not in memory are lost."""
        if not ids:
            return
        held = self._handling.lanes.held
        for id_ in ids:
            if id_ in held:
                held[id_].trimmed = True
        self._counts["trimmed_pending"] += len(ids)
        LOG.error(
            "%d entries of %s were trimmed while pending for %s, %d of them are lost: %s",
            len(ids),
            self.address,
            self.group,
            sum(id_ not in held for id_ in ids),
            b" ".join(ids[:10]).decode(),
        )

    async def stop(self, *, grace: float | None = None) -> None:
        """Read nothing more, let running handlers end for `grace` seconds, cancel the rest, give back what is left.

        A handler may stop its own subscription: it is not waited for. Redis being away does not hold it up for long.
        """
        if self._stopping:
            await self._stopped.wait()
            return
        self._stopping = self._handling.ending = True
        self._handling.room.set()
        if self._reading is not None:
            await self._reader.interrupt(self._reading)
        await self._handling.end(grace)
        if self._keeping is not None:
            await end([self._keeping])
        await self._handling.acks.flush(self._settings.command_timeout)
        left = self._handling.unfinished()
        try:
            await self._scripts.release(left, int(self._settings.processing_timeout * 1000))
        except FAILURES as error:
            LOG.warning("%d entries of %s stay with %s: %s", len(left), self.address, self.consumer, error)
        await self._reader.close()
        self._stopped.set()
