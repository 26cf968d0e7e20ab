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
from collections.abc import Iterable
from datetime import UTC, datetime

from redis.asyncio import Redis
from shop.runtime.transport import (
    Acknowledge,
    Handler,
    ReceivedMessage,
    Redeliver,
    SubscribeOptions,
    dead_letter,
    decide,
    run_handler,
    utc_now,
)

from services.platform.redis_streams import wire
from services.platform.redis_streams.connection import FAILURES
from services.platform.redis_streams.isolation import in_new_context
from services.platform.redis_streams.lanes import Entry, Lanes
from services.platform.redis_streams.reader import Fields, Reader
from services.platform.redis_streams.scripts import Scripts
from services.platform.redis_streams.settings import StreamSettings
from services.platform.redis_streams.settling import Acknowledger

LOG = logging.getLogger(__name__)
_LONGEST_ERROR_PAUSE = 30.0


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
        self._handler = handler
        self._options = options
        self._settings = settings
        self._counts = counts
        self._exclusive = settings.exclusive if settings.exclusive is not None else options.ordering_key is not None
        self._scripts = Scripts(commands, address, group, self.consumer)
        self._reader = Reader(url, commands, settings, stream=address, group=group, consumer=self.consumer)
        self._acks = Acknowledger(self._scripts, longest_pause=settings.longest_pause)
        self._lanes = Lanes()
        self._workers: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._stopping = False
        self._stopped = asyncio.Event()
        self._upkeep: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._claimed_at = 0.0
        self._leased_at = 0.0

    async def start(self) -> None:
        """Create the group, so that nothing published from now on is missed, and begin to read."""
        await self._reader.create_group(self._options.start)
        loop = asyncio.get_running_loop()
        self._reading = loop.create_task(self._read_always(), name=f"read {self.address} for {self.group}")
        self._upkeep = loop.create_task(self._keep_up(), name=f"keep {self.address} for {self.group}")

    # Reading

    async def _read_always(self) -> None:
        pause = 0.02
        while not self._stopping:
            try:
                if self._exclusive and not await self._lease():
                    await asyncio.sleep(min(0.25, self._settings.keep_alive))
                    continue
                await self._take_over()
                pause = 0.02
                while self._may_read():
                    await self._read_once()
            except FAILURES as error:
                LOG.warning("reading %s for %s: %s; again in %.2f s", self.address, self.group, error, pause)
                self._counts["read_errors"] += 1
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._settings.longest_pause)

    def _may_read(self) -> bool:
        return not self._stopping and (not self._exclusive or self._has_lease())

    async def _read_once(self) -> None:
        depth = self._settings.queue_depth
        if len(self._lanes.ready) > depth // 2 or len(self._lanes.held) >= self._settings.max_held:
            self._room.clear()
            await self._room.wait()
            return
        self._admit((id_, fields, 1, None) for id_, fields in await self._reader.read(depth - len(self._lanes.ready)))

    async def _take_over(self) -> None:
        """Before the first read, and after an answer may have been lost: what is pending and not in our hands.

        The one reader of a group takes all that is pending, so that it comes before what it reads next.
        """
        owner = "" if self._exclusive else self.consumer
        await self._claim_all(0, owner)
        self._claimed_at = 0.0

    async def _claim_all(self, idle: int, owner: str = "") -> None:
        after = b""
        while True:
            held = (*self._lanes.held, *self._acks.unsent)
            found = await self._scripts.claim(idle, self._settings.queue_depth, after=after, owner=owner, held=held)
            if found.trimmed:
                self._report_trimmed(found.trimmed)
            self._counts["claimed"] += len(found.entries)
            self._admit(found.entries)
            if not found.last:
                return
            after = found.last

    def _admit(self, entries: Iterable[tuple[bytes, Fields, int, int | None]]) -> None:
        key_of, given = self._options.key_of, self._options.ordering_key
        now = utc_now()
        for id_, fields, attempt, seen in entries:
            first_seen = now if seen is None else datetime.fromtimestamp(seen / 1000, UTC)
            try:
                entry = Entry(id_, wire.decode(fields), attempt, first_seen)
            except wire.Malformed as error:
                entry = Entry(id_, wire.Content(b"", "application/octet-stream", {}, None), attempt, first_seen)
                entry.doomed = f"malformed: {error}"
            entry.key = entry.content.ordering_key if given is None else key_of(self._received(entry))
            self._lanes.admit(entry)
        self._dispatch()

    # Handling

    def _dispatch(self) -> None:
        wanted = min(len(self._lanes.ready), self._options.concurrency - len(self._workers))
        if wanted <= 0 or self._stopping:
            return
        loop = asyncio.get_running_loop()
        for _ in range(wanted):
            worker = loop.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._worker_done)

    def _worker_done(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            LOG.error("a worker of %s for %s failed", self.address, self.group, exc_info=worker.exception())
        self._dispatch()

    async def _work(self) -> None:
        while not self._stopping:
            entry = self._lanes.take()
            if entry is None:
                return
            try:
                await self._settle(entry)
            except FAILURES as error:
                LOG.warning("%s %s waits for Redis: %s", self.address, entry.id.decode(), error)
                self._later(entry, min(1.0, self._settings.longest_pause))
            if len(self._lanes.ready) <= self._settings.queue_depth // 2:
                self._room.set()

    async def _settle(self, entry: Entry) -> None:
        """Handle an entry and do what follows; it stays held while that fails."""
        message = self._received(entry)
        reason = entry.doomed or self._hopeless(entry, message)
        if reason is None:
            if entry.attempt > 1 and not entry.trimmed:
                seen = int((entry.first_seen or utc_now()).timestamp() * 1000)
                if not await self._scripts.begin(entry.id, entry.attempt, seen):
                    self._lanes.done(entry)
                    return
            outcome = await in_new_context(run_handler(self._handler, message))
            decision = decide(outcome, entry.attempt, self._options.redelivery)
            if isinstance(decision, Acknowledge):
                self._acknowledge(entry, "handled")
                return
            if isinstance(decision, Redeliver):
                self._counts["retried"] += 1
                entry.attempt += 1
                self._later(entry, decision.after)
                return
            reason = decision.reason
        entry.doomed = reason
        await self._give_up(entry, message, reason)

    def _hopeless(self, entry: Entry, message: ReceivedMessage) -> str | None:
        """Why the handler is not even called."""
        if wire.expired(message.body, utc_now()):
            self._counts["expired"] += 1
            return "expired"
        if entry.attempt > self._options.redelivery.max_attempts:
            return f"delivered {entry.attempt - 1} times without an outcome"
        return None

    async def _give_up(self, entry: Entry, message: ReceivedMessage, reason: str) -> None:
        if self._options.dead_letter is None:
            LOG.error("message dropped: address=%s id=%s reason=%s", message.address, message.id, reason)
            self._acknowledge(entry, "dropped")
            return
        body, metadata = wire.encode(dead_letter(message, reason, group=self.group), utc_now())
        written = await self._scripts.bury(entry.id, self._options.dead_letter, body, metadata, surely=entry.trimmed)
        if written:
            LOG.warning("dead letter: address=%s id=%s reason=%s", message.address, message.id, reason)
            self._counts["dead_letters"] += 1
        self._lanes.done(entry)

    def _acknowledge(self, entry: Entry, counter: str) -> None:
        self._counts[counter] += 1
        self._acks.acknowledge(entry.id, retried=entry.attempt > 1)
        self._lanes.done(entry)

    def _later(self, entry: Entry, after: float) -> None:
        asyncio.get_running_loop().call_later(after, self._again, entry)

    def _again(self, entry: Entry) -> None:
        self._lanes.again(entry)
        self._dispatch()

    def _received(self, entry: Entry) -> ReceivedMessage:
        content = entry.content
        return ReceivedMessage(
            id=entry.id.decode(),
            address=self.address,
            body=content.body,
            content_type=content.content_type,
            headers=content.headers,
            ordering_key=content.ordering_key,
            attempt=entry.attempt,
            first_seen=entry.first_seen or utc_now(),
        )

    # Upkeep

    async def _keep_up(self) -> None:
        interval = min(self._settings.keep_alive, self._settings.redeliver_interval)
        loop = asyncio.get_running_loop()
        while not self._stopping:
            try:
                await self._renew()
                if not self._exclusive and loop.time() - self._claimed_at >= self._settings.redeliver_interval:
                    self._claimed_at = loop.time()
                    await self._claim_all(int(self._settings.processing_timeout * 1000))
                    await self._scripts.tidy(int(self._settings.processing_timeout * 10_000))
            except FAILURES as error:
                LOG.warning("upkeep of %s for %s: %s", self.address, self.group, error)
            await asyncio.sleep(interval)

    async def _renew(self) -> None:
        if self._exclusive and self._leased_at and not await self._lease():
            self._yield_all()
            return
        ids = [id_ for id_, entry in self._lanes.held.items() if not entry.trimmed]
        ids += self._acks.unsent
        for begin in range(0, len(ids), 1000):
            lost, trimmed = await self._scripts.renew(ids[begin : begin + 1000])
            for id_ in lost:
                if id_ not in self._acks.unsent:
                    self._lanes.lose(id_)
            if trimmed:
                self._report_trimmed(trimmed)
        self._dispatch()

    async def _lease(self) -> bool:
        now = asyncio.get_running_loop().time()
        if not await self._scripts.lease(int(self._settings.processing_timeout * 1000)):
            return False
        self._leased_at = now
        return True

    def _has_lease(self) -> bool:
        return asyncio.get_running_loop().time() - self._leased_at < self._settings.processing_timeout

    def _yield_all(self) -> None:
        """Another subscription reads the stream now: what we hold is its."""
        LOG.warning("%s for %s is read by another replica now", self.address, self.group)
        self._leased_at = 0.0
        for worker in self._workers:
            worker.cancel()
        self._lanes.clear()
        self._room.set()

    def _report_trimmed(self, ids: list[bytes]) -> None:
        """Entries that were removed from the stream while they were pending: those not in memory are lost."""
        lost = [id_ for id_ in ids if id_ not in self._lanes.held]
        for id_ in ids:
            entry = self._lanes.held.get(id_)
            if entry is not None:
                entry.trimmed = True
        self._counts["trimmed_pending"] += len(ids)
        LOG.error(
            "%d entries of %s were trimmed while pending for %s, %d of them are lost: %s",
            len(ids),
            self.address,
            self.group,
            len(lost),
            b" ".join(ids[:10]).decode(),
        )

    # Stopping

    async def stop(self, *, grace: float | None = None) -> None:
        """Read nothing more, let running handlers end for `grace` seconds, cancel the rest, give back what is left.

        A handler may stop its own subscription: it is not waited for. Redis being away does not hold it up for long.
        """
        if self._stopping:
            await self._stopped.wait()
            return
        self._stopping = True
        self._room.set()
        if self._reading is not None:
            await self._reader.interrupt(self._reading)
        running = self._workers - {asyncio.current_task()}
        if running:
            _, late = await asyncio.wait(running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        await self._acks.flush(self._settings.command_timeout)
        await self._give_back()
        await self._reader.close()
        self._stopped.set()

    async def _give_back(self) -> None:
        """Entries whose handler was cancelled have made their attempt; those that waited have not."""
        mine = asyncio.current_task() in self._workers
        left = [
            (entry.id, entry.attempt if entry.running else entry.attempt - 1)
            for entry in self._lanes.clear()
            if not (mine and entry.running)
        ]
        try:
            await self._scripts.release(left, int(self._settings.processing_timeout * 1000))
        except FAILURES as error:
            LOG.warning(
                "%d entries of %s stay with %s until they are claimed: %s",
                len(left),
                self.address,
                self.consumer,
                error,
            )
