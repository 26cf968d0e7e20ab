"""A subscription that behaves like daprd 1.17 and 1.18 with its Redis component, to show what that means for a service.

* Every replica reads under the name of the group; nothing is kept alive. An entry that is not acknowledged within
  `processing_timeout` is claimed again although its handler may still be at work: it then runs twice at a time.
* A failure is repeated within the delivery, as a resiliency policy says (`SubscribeOptions.redelivery`; Dapr without
  a policy is `max_attempts=1`). Then the unchanged message goes to the dead letters, without a reason.
* After that the entry is acknowledged whatever happened, also when the dead letter could not be written: the message is
  lost. Only when the delivery was cut off, by the end of the process or by `processing_timeout`, it stays pending.
* No order, a new group always starts at the beginning of the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterable

from redis.asyncio import Redis
from shop.runtime.transport import (
    Acknowledge,
    GiveUp,
    Handler,
    ReceivedMessage,
    StartAt,
    SubscribeOptions,
    decide,
    run_handler,
    utc_now,
)

from services.platform.ending import end
from services.platform.redis_streams import wire
from services.platform.redis_streams.connection import FAILURES, command_of
from services.platform.redis_streams.isolation import in_new_context
from services.platform.redis_streams.reader import Fields, Reader
from services.platform.redis_streams.scripts import Scripts
from services.platform.redis_streams.settings import StreamSettings

LOG = logging.getLogger(__name__)


class DaprSubscription:
    """One replica's subscription; see `shop.runtime.transport.Subscription`."""

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
        self._command = command_of(commands)
        self._handler = handler
        self._options = options
        self._settings = settings
        self._counts = counts
        self._scripts = Scripts(commands, address, group, group)
        self._reader = Reader(url, commands, settings, stream=address, group=group, consumer=group)
        self._queue: asyncio.Queue[tuple[bytes, Fields]] = asyncio.Queue(settings.queue_depth)
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: list[asyncio.Task[None]] = []
        self._busy: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Create the group and begin to read."""
        await self._reader.create_group(StartAt.BEGINNING)
        loop = asyncio.get_running_loop()
        self._workers = [loop.create_task(self._work()) for _ in range(self._options.concurrency)]
        self._tasks = [loop.create_task(self._read_always()), loop.create_task(self._reclaim_always())]

    async def _read_always(self) -> None:
        while not self._stopping:
            try:
                found = await self._reader.read(self._settings.queue_depth)
            except FAILURES as error:
                LOG.warning("reading %s for %s: %s", self.address, self.group, error)
                self._counts["read_errors"] += 1
                await asyncio.sleep(min(0.1, self._settings.longest_pause))
                continue
            await self._enqueue(found)

    async def _enqueue(self, found: Iterable[tuple[bytes, Fields]]) -> None:
        for each in found:
            if self._stopping:
                return
            await self._queue.put(each)

    async def _reclaim_always(self) -> None:
        idle = int(self._settings.processing_timeout * 1000)
        while not self._stopping:
            try:
                found = await self._scripts.claim(idle, self._settings.queue_depth)
            except FAILURES as error:
                LOG.warning("claiming %s for %s: %s", self.address, self.group, error)
            else:
                self._counts["claimed"] += len(found.entries)
                self._counts["trimmed_pending"] += len(found.trimmed)
                await self._enqueue((id_, fields) for id_, fields, _, _ in found.entries)
            await asyncio.sleep(self._settings.redeliver_interval)

    async def _work(self) -> None:
        while not self._stopping:
            id_, fields = await self._queue.get()
            task = asyncio.current_task()
            if task is None or self._stopping:
                return
            self._busy.add(task)
            try:
                await self._deliver(id_, fields)
            finally:
                self._busy.discard(task)

    async def _deliver(self, id_: bytes, fields: Fields) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._settings.processing_timeout
        try:
            done = await self._attempts(id_, wire.decode(fields))
        except wire.Malformed as error:
            LOG.error("%s %s: %s", self.address, id_.decode(), error)
            done = False
        if not done and loop.time() >= until:
            return
        with contextlib.suppress(*FAILURES):
            await self._scripts.acknowledge([id_])

    async def _attempts(self, id_: bytes, content: wire.Content) -> bool:
        """Whether the message was handled or went to the dead letters."""
        if wire.may_expire(content.body) and wire.expired(content.body, utc_now()):
            self._counts["expired"] += 1
            return await self._bury(content)
        attempt = 0
        while True:
            attempt += 1
            message = ReceivedMessage(
                id=id_.decode(),
                address=self.address,
                body=content.body,
                content_type=content.content_type,
                headers=content.headers,
                ordering_key=content.ordering_key,
                attempt=attempt,
                first_seen=utc_now(),
            )
            outcome = await in_new_context(run_handler(self._handler, message))
            decision = decide(outcome, attempt, self._options.redelivery)
            if isinstance(decision, Acknowledge):
                self._counts["handled"] += 1
                return True
            if isinstance(decision, GiveUp):
                return await self._bury(content)
            self._counts["retried"] += 1
            await asyncio.sleep(decision.after)

    async def _bury(self, content: wire.Content) -> bool:
        """Publish the unchanged message to the dead letters, if there are any."""
        if self._options.dead_letter is None:
            self._counts["dropped"] += 1
            return False
        body, metadata = wire.encode(content.message(), utc_now())
        try:
            await self._command("XADD", self._options.dead_letter, "*", "data", body, "metadata", metadata)
        except FAILURES as error:
            LOG.error("message lost: no dead letter of %s: %s", self.address, error)
            self._counts["lost"] += 1
            return False
        self._counts["dead_letters"] += 1
        return True

    async def stop(self, *, grace: float | None = None) -> None:
        """Read nothing more, let running handlers end for `grace` seconds, cancel the rest.

        What waits in memory stays pending and is claimed after `processing_timeout`.
        """
        if self._stopping:
            return
        self._stopping = True
        reading, reclaiming = self._tasks or (None, None)
        if reading is not None and reclaiming is not None:
            reclaiming.cancel()
            while not self._queue.empty():
                self._queue.get_nowait()
            await self._reader.interrupt(reading)
        busy = self._busy - {asyncio.current_task()}
        if busy:
            await asyncio.wait(busy, timeout=grace)
        await end(task for task in (*self._workers, *self._tasks) if task is not asyncio.current_task())
        await self._reader.close()
