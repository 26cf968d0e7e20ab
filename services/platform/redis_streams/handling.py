"""Handlers at work on the entries that a subscription in mode `durable` holds, and what follows each outcome."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

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

from services.platform.ending import end
from services.platform.redis_streams import wire
from services.platform.redis_streams.connection import FAILURES
from services.platform.redis_streams.isolation import in_new_context
from services.platform.redis_streams.lanes import Entry, Lanes
from services.platform.redis_streams.reader import Fields
from services.platform.redis_streams.scripts import Scripts
from services.platform.redis_streams.settings import StreamSettings
from services.platform.redis_streams.settling import Acknowledger

LOG = logging.getLogger(__name__)


class Handling:
    """At most `options.concurrency` handlers at a time. An entry stays held until it is acknowledged or buried."""

    def __init__(
        self,
        scripts: Scripts,
        *,
        address: str,
        group: str,
        handler: Handler,
        options: SubscribeOptions,
        settings: StreamSettings,
        counts: Counter[str],
    ) -> None:
        self.lanes = Lanes()
        self.acks = Acknowledger(scripts, longest_pause=settings.longest_pause)
        self.room = asyncio.Event()
        """Set when there may be room for more entries."""
        self.ending = False
        self._scripts = scripts
        self._address = address
        self._group = group
        self._handler = handler
        self._options = options
        self._counts = counts
        self._low_water = settings.queue_depth // 2
        self._longest_pause = settings.longest_pause
        self._workers: set[asyncio.Task[None]] = set()

    @property
    def in_custody(self) -> tuple[bytes, ...]:
        """Ids of all entries that are this subscription's."""
        return (*self.lanes.held, *self.acks.unsent)

    def admit(self, entries: Iterable[tuple[bytes, Fields, int, int | None]]) -> None:
        """Take (id, fields, attempt, milliseconds since 1970 when it was first seen); begin to handle them."""
        key_of = self._options.ordering_key
        now, nothing = utc_now(), wire.Content(b"", "application/octet-stream")
        for id_, fields, attempt, seen in entries:
            malformed = None
            try:
                content = wire.decode(fields)
            except wire.Malformed as error:
                content, malformed = nothing, f"malformed: {error}"
            message = ReceivedMessage(
                id=id_.decode(),
                address=self._address,
                body=content.body,
                content_type=content.content_type,
                headers=content.headers,
                ordering_key=content.ordering_key,
                attempt=attempt,
                first_seen=now if seen is None else datetime.fromtimestamp(seen / 1000, UTC),
            )
            key = content.ordering_key if key_of is None else key_of(message)
            self.lanes.admit(Entry(id_, message, key, doomed=malformed))
        self.dispatch()

    def dispatch(self) -> None:
        """Start handlers for what is ready."""
        wanted = min(len(self.lanes.ready), self._options.concurrency - len(self._workers))
        if wanted <= 0 or self.ending:
            return
        loop = asyncio.get_running_loop()
        for _ in range(wanted):
            worker = loop.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._worker_done)

    def cancel(self) -> None:
        """Cancel what runs, forget what is held: it is another reader's now."""
        for worker in self._workers:
            worker.cancel()
        self.lanes.clear()
        self.room.set()

    async def end(self, grace: float | None) -> None:
        """Start nothing more, wait `grace` seconds for the handlers that run, cancel the rest.

        A handler that ends its own subscription is not waited for.
        """
        self.ending = True
        self.room.set()
        running = self._workers - {asyncio.current_task()}
        if running:
            _, late = await asyncio.wait(running, timeout=grace)
            await end(late)

    def unfinished(self) -> list[tuple[bytes, int]]:
        """Forget what is held: (id, attempts made); those that waited have not begun theirs.

        What the current task is handling is not among them: it will be done with it.
        """
        mine = asyncio.current_task() in self._workers
        return [
            (entry.id, entry.message.attempt if entry.running else entry.message.attempt - 1)
            for entry in self.lanes.clear()
            if not (mine and entry.running)
        ]

    def _worker_done(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None:
            LOG.error("a worker of %s for %s failed", self._address, self._group, exc_info=worker.exception())
        self.dispatch()

    async def _work(self) -> None:
        while not self.ending:
            entry = self.lanes.take()
            if entry is None:
                return
            try:
                await self._handle(entry)
            except FAILURES as error:
                LOG.warning("%s %s waits for Redis: %s", self._address, entry.id.decode(), error)
                self._later(entry, min(1.0, self._longest_pause))
            if len(self.lanes.ready) <= self._low_water:
                self.room.set()

    async def _handle(self, entry: Entry) -> None:
        message = entry.message
        reason = entry.doomed or self._hopeless(message)
        if reason is None:
            if message.attempt > 1 and not entry.trimmed and not await self._scripts.begin(*entry.attempt_begins):
                self.lanes.done(entry)
                return
            outcome = await in_new_context(run_handler(self._handler, message))
            decision = decide(outcome, message.attempt, self._options.redelivery)
            if isinstance(decision, Acknowledge):
                self._acknowledge(entry, "handled")
                return
            if isinstance(decision, Redeliver):
                self._counts["retried"] += 1
                entry.message = replace(message, attempt=message.attempt + 1)
                self._later(entry, decision.after)
                return
            reason = decision.reason
        entry.doomed = reason
        await self._give_up(entry, message, reason)

    def _hopeless(self, message: ReceivedMessage) -> str | None:
        """Why the handler is not even called."""
        if wire.may_expire(message.body) and wire.expired(message.body, utc_now()):
            self._counts["expired"] += 1
            return "expired"
        if message.attempt > self._options.redelivery.max_attempts:
            return f"delivered {message.attempt - 1} times without an outcome"
        return None

    async def _give_up(self, entry: Entry, message: ReceivedMessage, reason: str) -> None:
        """Write the dead letter and acknowledge; while that fails the entry stays pending."""
        if self._options.dead_letter is None:
            LOG.error("message dropped: address=%s id=%s reason=%s", message.address, message.id, reason)
            self._acknowledge(entry, "dropped")
            return
        body, metadata = wire.encode(dead_letter(message, reason, group=self._group), utc_now())
        written = await self._scripts.bury(entry.id, self._options.dead_letter, body, metadata, surely=entry.trimmed)
        if written:
            LOG.warning("dead letter: address=%s id=%s reason=%s", message.address, message.id, reason)
            self._counts["dead_letters"] += 1
        self.lanes.done(entry)

    def _acknowledge(self, entry: Entry, counter: str) -> None:
        self._counts[counter] += 1
        self.acks.acknowledge(entry.id, retried=entry.message.attempt > 1)
        self.lanes.done(entry)

    def _later(self, entry: Entry, after: float) -> None:
        entry.running = False
        asyncio.get_running_loop().call_later(after, self._again, entry)

    def _again(self, entry: Entry) -> None:
        self.lanes.again(entry)
        self.dispatch()
