"""How messages are carried: the interface between generated publishers and consumers and a broker.

A transport keeps a log of messages per address. A *group* reads an address
once: every message goes to each group, and within a group to one of its
subscriptions (competing consumers). Delivery is at least once. A message is
acknowledged only after its handler succeeded, or after its dead letter was
written; until then it belongs to the group and is delivered again, also when
the process that had it is gone.

What happens after a handler is decided in one place, `decide`, so that all
transports redeliver and give up alike.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol, TypeAlias

from .errors import TreatyError

logger = logging.getLogger(__name__)

DLQ_REASON = "x-dlq-reason"
ATTEMPTS = "x-attempts"
FIRST_SEEN = "x-first-seen"
ORIGIN_TOPIC = "x-origin-topic"
ORIGIN_ID = "x-origin-id"
ORIGIN_GROUP = "x-origin-group"
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedMessage:
    """What a publisher hands over. Messages with one `ordering_key` are handled in the order they were published."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """One delivery. `id` is the transport's own name for the message, `attempt` counts deliveries from 1."""

    id: str
    address: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    ordering_key: str | None = None
    attempt: int = 1
    first_seen: datetime
    """When the message was first delivered to this group, UTC."""


@dataclass(frozen=True, slots=True)
class Success:
    """Done: the message is acknowledged."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Deliver it again, `after` seconds, or when the redelivery policy says. Counts as an attempt."""

    reason: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """It can never be handled: to the dead letters, or away when there are none."""

    reason: str


Outcome: TypeAlias = Success | Retry | Drop
Handler: TypeAlias = Callable[[ReceivedMessage], Awaitable[Outcome]]
"""What a subscription calls. An exception means `Retry`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redelivery:
    """When a message whose handler failed is delivered again. Delays in seconds.

    After attempt n it waits `initial_delay * multiplier ** (n - 1)`, at most `max_delay`; after `max_attempts` it
    is a dead letter.
    """

    max_attempts: int = 5
    initial_delay: float = 1.0
    max_delay: float = 60.0
    multiplier: float = 2.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` (from 1) failed."""
        try:
            return min(self.max_delay, self.initial_delay * self.multiplier ** (attempt - 1))
        except OverflowError:
            return self.max_delay


class StartAt(Enum):
    """Where a group begins that the transport does not know yet."""

    BEGINNING = "beginning"
    """With the oldest message there is: a new group replays history."""
    NOW = "now"
    """With what is published from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeOptions:
    """How a group reads an address. The subscriptions of one group must agree on all but `concurrency`.

    `concurrency` is how many messages this subscription handles at a time. `ordering_key` says which messages must be
    handled one after the other; the one given at publication counts when it is None. It must not raise.
    """

    concurrency: int = 10
    redelivery: Redelivery = field(default_factory=Redelivery)
    dead_letter: str | None = None
    """Address for messages that are given up; None = they are logged and dropped."""
    ordering_key: Callable[[ReceivedMessage], str | None] | None = None
    start: StartAt = StartAt.BEGINNING

    def key_of(self, message: ReceivedMessage) -> str | None:
        """The key that orders the message, None for one that may be handled at any time."""
        return message.ordering_key if self.ordering_key is None else self.ordering_key(message)


class Subscription(Protocol):
    """A running reader."""

    async def stop(self, *, grace: float | None = None) -> None:
        """Take no new message, let running handlers end for `grace` seconds (None = as long as they need), cancel
        the rest. What was not handled stays with the group. May be called twice.
        """


class Transport(Protocol):
    """A broker. Implementations are safe to use from all tasks of one event loop."""

    async def publish(self, address: str, message: PublishedMessage) -> str:
        """Store the message; return the id the transport gave it. `TransportError` when it may not have been stored:
        the message may then be there or not, and publishing it again may store it twice.
        """

    async def subscribe(
        self, address: str, group: str, handler: Handler, options: SubscribeOptions | None = None
    ) -> Subscription:
        """Deliver the messages of an address to `handler`, as a member of `group`."""

    async def close(self) -> None:
        """Stop all subscriptions and release what the transport holds."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Done with the message."""


@dataclass(frozen=True, slots=True)
class Redeliver:
    """Deliver again after that many seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Write the dead letter, then acknowledge."""

    reason: str


Decision: TypeAlias = Acknowledge | Redeliver | GiveUp


def decide(outcome: Outcome, attempt: int, redelivery: Redelivery) -> Decision:
    """What follows the outcome of attempt number `attempt`."""
    if isinstance(outcome, Success):
        return Acknowledge()
    if isinstance(outcome, Drop):
        return GiveUp(outcome.reason)
    if attempt >= redelivery.max_attempts:
        return GiveUp(outcome.reason or "the handler asked for another attempt")
    return Redeliver(redelivery.delay(attempt) if outcome.after is None else max(0.0, outcome.after))


async def run_handler(handler: Handler, message: ReceivedMessage) -> Outcome:
    """The handler's outcome; an exception is logged and becomes `Retry`, cancellation of the task passes through.

    A handler that waited for something else that was cancelled has failed like any other.
    """
    try:
        return await handler(message)
    except (Exception, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling()):
            raise
        logger.exception("handler failed: address=%s id=%s attempt=%d", message.address, message.id, message.attempt)
        after = error.retry_after if isinstance(error, TreatyError) else None
        reason = f"{type(error).__name__}: {error}"
        return Retry(reason, after if after is not None and after >= 0 else None)


def dead_letter(message: ReceivedMessage, reason: str, *, group: str) -> PublishedMessage:
    """The message unchanged, with headers that say why it was given up, after how many attempts, and where it was."""
    return PublishedMessage(
        body=message.body,
        content_type=message.content_type,
        ordering_key=message.ordering_key,
        headers={
            **message.headers,
            DLQ_REASON: _one_line(reason),
            ATTEMPTS: str(message.attempt),
            FIRST_SEEN: message.first_seen.isoformat(),
            ORIGIN_TOPIC: message.address,
            ORIGIN_ID: message.id,
            ORIGIN_GROUP: group,
        },
    )


def _one_line(reason: str) -> str:
    text = " ".join(reason.split())
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def utc_now() -> datetime:
    """The time, with microseconds, in UTC."""
    return datetime.now(UTC)
