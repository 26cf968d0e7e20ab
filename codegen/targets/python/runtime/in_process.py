"""A transport within one process and event loop, for tests and for programs without a broker.

It keeps the promises of `Transport` except durability: messages live as long
as the object. Time is a parameter: with a `ManualClock` no test waits.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from .transport import (
    Acknowledge,
    Handler,
    PublishedMessage,
    ReceivedMessage,
    Redeliver,
    StartAt,
    SubscribeOptions,
    dead_letter,
    decide,
    run_handler,
    utc_now,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Pending:
    """A message that a group has not acknowledged."""

    id: str
    message: PublishedMessage
    attempts: int = 0
    first_seen: datetime | None = None
    key: str | None = None


class InProcessTransport:
    """Addresses, groups, competing consumers, order per key, redelivery and dead letters in memory."""

    def __init__(
        self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._sleep = sleep
        self._now = now
        self._logs: dict[str, list[tuple[str, PublishedMessage]]] = {}
        self._groups: dict[tuple[str, str], _Group] = {}
        self._ids = itertools.count(1)
        self._activity = asyncio.Event()
        self.dropped: list[tuple[ReceivedMessage, str]] = []
        """(message, reason) of what was given up without a dead-letter address."""

    async def publish(self, address: str, message: PublishedMessage) -> str:
        """Append the message and offer it to every group of the address."""
        id_ = str(next(self._ids))
        self._logs.setdefault(address, []).append((id_, message))
        for (of, _), group in self._groups.items():
            if of == address:
                group.admit(_Pending(id_, message))
        return id_

    async def subscribe(
        self, address: str, group: str, handler: Handler, options: SubscribeOptions | None = None
    ) -> InProcessSubscription:
        """Join the group; the first member creates it, with the history of the address unless told otherwise."""
        options = options or SubscribeOptions()
        joined = self._groups.get((address, group))
        if joined is None:
            joined = self._groups[address, group] = _Group(self, address, group, options)
            history = self._logs.get(address, []) if options.start is StartAt.BEGINNING else []
            for id_, message in history:
                joined.admit(_Pending(id_, message))
        return joined.join(handler, options)

    async def close(self) -> None:
        """Stop all subscriptions at once: running handlers are cancelled."""
        for group in list(self._groups.values()):
            await group.close()

    async def wait_idle(self) -> None:
        """Wait until no message is being handled, or could be. Those that wait for their retry are left alone."""
        await self._wait_while(lambda: any(group.busy for group in self._groups.values()))

    async def drain(self) -> None:
        """Wait until every group that has members has acknowledged everything, retries included."""
        await self._wait_while(lambda: any(group.members and group.backlog for group in self._groups.values()))

    def messages(self, address: str) -> tuple[PublishedMessage, ...]:
        """All that was published to the address, in order."""
        return tuple(message for _, message in self._logs.get(address, ()))

    def backlog(self, address: str, group: str) -> int:
        """How many messages the group has not acknowledged."""
        found = self._groups.get((address, group))
        return found.backlog if found else 0

    async def _wait_while(self, condition: Callable[[], bool]) -> None:
        while condition():
            self._activity.clear()
            await self._activity.wait()

    def _changed(self) -> None:
        self._activity.set()


class _Group:
    """The unacknowledged messages of one group: ready, being handled, waiting for their key, or for their retry."""

    def __init__(self, transport: InProcessTransport, address: str, name: str, options: SubscribeOptions) -> None:
        self.transport = transport
        self.address = address
        self.name = name
        self.members: list[InProcessSubscription] = []
        self.backlog = 0
        self._options = options
        self._ready: deque[_Pending] = deque()
        self._lanes: dict[str, deque[_Pending]] = {}
        self._delayed: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether something runs, or is ready and has somebody to run it."""
        return any(member.running for member in self.members) or bool(self._ready and self.members)

    def join(self, handler: Handler, options: SubscribeOptions) -> InProcessSubscription:
        member = InProcessSubscription(self, handler, options)
        self.members.append(member)
        self.dispatch()
        return member

    def admit(self, pending: _Pending) -> None:
        """Take a new message: behind those of its key, when one of them is not done."""
        self.backlog += 1
        pending.key = self._options.key_of(self.delivery(pending))
        if pending.key is not None:
            lane = self._lanes.get(pending.key)
            if lane is not None:
                lane.append(pending)
                return
            self._lanes[pending.key] = deque()
        self._ready.append(pending)
        self.dispatch()

    def delivery(self, pending: _Pending) -> ReceivedMessage:
        message = pending.message
        return ReceivedMessage(
            id=pending.id,
            address=self.address,
            body=message.body,
            content_type=message.content_type,
            headers=dict(message.headers),
            ordering_key=message.ordering_key,
            attempt=max(1, pending.attempts),
            first_seen=pending.first_seen or self.transport._now(),
        )

    def begin(self, pending: _Pending) -> ReceivedMessage:
        pending.attempts += 1
        pending.first_seen = pending.first_seen or self.transport._now()
        return self.delivery(pending)

    def acknowledge(self, pending: _Pending) -> None:
        self.backlog -= 1
        if pending.key is not None:
            lane = self._lanes[pending.key]
            if lane:
                self._ready.append(lane.popleft())
            else:
                del self._lanes[pending.key]
        self.dispatch()

    def put_back(self, pending: _Pending) -> None:
        """Its handler was cancelled: the next free member gets it first."""
        self._ready.appendleft(pending)
        self.dispatch()

    def redeliver(self, pending: _Pending, after: float) -> None:
        """Make it ready again later; its key stays taken, so that later messages of the key do not overtake it."""
        task = asyncio.get_running_loop().create_task(self._ready_after(pending, after))
        self._delayed.add(task)
        task.add_done_callback(self._delayed.discard)

    async def _ready_after(self, pending: _Pending, after: float) -> None:
        await self.transport._sleep(after)
        self._ready.append(pending)
        self.dispatch()

    async def give_up(
        self, pending: _Pending, message: ReceivedMessage, reason: str, options: SubscribeOptions
    ) -> None:
        if options.dead_letter is not None:
            await self.transport.publish(options.dead_letter, dead_letter(message, reason, group=self.name))
        else:
            logger.error("message dropped: address=%s id=%s reason=%s", message.address, message.id, reason)
            self.transport.dropped.append((message, reason))
        self.acknowledge(pending)

    def dispatch(self) -> None:
        """Give what is ready to the members that are least busy."""
        while self._ready:
            free = [member for member in self.members if member.free > 0]
            if not free:
                break
            max(free, key=lambda member: member.free).start(self._ready.popleft())
        self.transport._changed()

    def leave(self, member: InProcessSubscription) -> None:
        if member in self.members:
            self.members.remove(member)
        self.dispatch()

    async def close(self) -> None:
        for member in list(self.members):
            await member.stop(grace=0)
        delayed = list(self._delayed)
        for task in delayed:
            task.cancel()
        await asyncio.gather(*delayed, return_exceptions=True)


class InProcessSubscription:
    """One member of a group."""

    def __init__(self, group: _Group, handler: Handler, options: SubscribeOptions) -> None:
        if options.concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        self._group = group
        self._handler = handler
        self._options = options
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def running(self) -> int:
        """Handlers at work."""
        return len(self._tasks)

    @property
    def free(self) -> int:
        """How many more messages it would take now."""
        return 0 if self._stopping else self._options.concurrency - len(self._tasks)

    def start(self, pending: _Pending) -> None:
        """Handle one message in a task that inherits nothing from whoever published it."""
        message = self._group.begin(pending)
        task = asyncio.get_running_loop().create_task(self._handle(pending, message), context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, pending))

    def _done(self, pending: _Pending, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._group.put_back(pending)
        else:
            self._group.dispatch()

    async def _handle(self, pending: _Pending, message: ReceivedMessage) -> None:
        outcome = await run_handler(self._handler, message)
        decision = decide(outcome, pending.attempts, self._options.redelivery)
        if isinstance(decision, Acknowledge):
            self._group.acknowledge(pending)
        elif isinstance(decision, Redeliver):
            self._group.redeliver(pending, decision.after)
        else:
            await self._group.give_up(pending, message, decision.reason, self._options)

    async def stop(self, *, grace: float | None = None) -> None:
        """Take nothing new, wait for the running handlers, cancel those that need longer than `grace` seconds.

        A handler may stop its own subscription: it is not waited for.
        """
        self._stopping = True
        running = self._tasks - {asyncio.current_task()}
        if running:
            _, late = await asyncio.wait(running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._group.leave(self)


class ManualClock:
    """Time that only moves when told to: `sleep` and `now` for `InProcessTransport`, and `monotonic` for others."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def now(self) -> datetime:
        """The time of day, UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by that much."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float, *, settle: Callable[[], Awaitable[None]] | None = None) -> None:
        """Move on, waking sleepers in order; after each, `settle` (such as `transport.wait_idle`) is awaited."""
        until = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            self._elapsed, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await asyncio.sleep(0)
            if settle is not None:
                await settle()
        self._elapsed = until
