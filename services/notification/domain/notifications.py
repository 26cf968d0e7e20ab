"""A notification on its way to a customer: when it may be sent, and what an attempt leaves behind."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.notification.domain import Address, Earlier

_KEY = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class State(StrEnum):
    """How far a notification has come; the last two are final."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


class Failure(StrEnum):
    """Why a notification was given up."""

    INVALID_RECIPIENT = "INVALID_RECIPIENT"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    PROVIDER_ERROR = "PROVIDER_ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What attempts have left behind whose outcome nobody saw. Times with a time zone.

    `since` is when the first of them began, `until` when the last one can have sent something at the latest.
    """

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One mail to one customer. `key` is its idempotency key at the provider; `recipient` None: the contact data's.

    `busy_until` is set while an attempt is under way, which is called `attempt`; an attempt ends by then, come what
    may. `version` counts what was told of it.
    """

    notification_id: str
    key: str
    customer_id: str = ""
    template_id: str
    order_id: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    locale: str = ""
    recipient: Address | None = field(default=None, repr=False)
    correlation_id: str
    send_after: datetime | None = None
    state: State = State.QUEUED
    attempts: int = 0
    attempt: str = ""
    busy_until: datetime | None = None
    trace: Trace | None = None
    provider_message_id: str = ""
    failure: Failure | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now."""

    seconds: float
    why: str


def id_of(source: str, event_id: str, template_id: str) -> str:
    """The notification that an event leads to: the same whenever it comes."""
    digest = hashlib.sha256(f"{source}\0{event_id}\0{template_id}".encode()).hexdigest()
    return f"ntf_{digest[:24]}"


def key_of(event_id: str) -> str:
    """The key at the provider of what an event leads to: its id, or a digest where that is no key."""
    return event_id if _KEY.fullmatch(event_id) else hashlib.sha256(event_id.encode()).hexdigest()


def begun(notification: Notification, attempt: str, now: datetime, limit: timedelta) -> Notification | Wait | None:
    """The notification with an attempt under way, which ends within `limit`; None when nothing is left to do.

    An attempt that began and did not say how it ended (its process died) holds the next one up until its limit:
    before that it might still send.
    """
    if notification.state is not State.QUEUED:
        return None
    if notification.send_after is not None and notification.send_after > now:
        return Wait((notification.send_after - now).total_seconds(), "it is to be sent later")
    if notification.busy_until is not None and notification.busy_until > now:
        return Wait((notification.busy_until - now).total_seconds(), "another attempt may be under way")
    return replace(
        notification,
        attempts=notification.attempts + 1,
        attempt=attempt,
        busy_until=now + limit,
        trace=_trace(notification),
        updated_at=now,
    )


def earlier(notification: Notification) -> Earlier | None:
    """What the provider is to be asked about before anything is sent."""
    trace = notification.trace
    return None if trace is None else Earlier(first=trace.since, last=trace.until)


def sent(notification: Notification, provider_message_id: str, now: datetime) -> Notification:
    """The provider has taken it."""
    return _final(notification, State.SENT, now, provider_message_id=provider_message_id)


def failed(notification: Notification, failure: Failure, now: datetime) -> Notification:
    """It is given up."""
    return _final(notification, State.FAILED, now, failure=failure)


def undone(notification: Notification, now: datetime) -> Notification:
    """The attempt did nothing; what attempts before it may have done stays as it was."""
    return replace(notification, attempt="", busy_until=None, updated_at=now)


def in_doubt(notification: Notification, limit: timedelta, now: datetime) -> Notification:
    """The attempt has ended, and nobody knows what it did."""
    began = notification.busy_until - limit if notification.busy_until else now
    since = notification.trace.since if notification.trace else began
    return replace(
        notification, attempt="", busy_until=None, trace=Trace(since=min(since, now), until=now), updated_at=now
    )


def _trace(notification: Notification) -> Trace | None:
    """What is in doubt when an attempt begins, an attempt included that never said how it ended."""
    lost, known = notification.busy_until, notification.trace
    if lost is None:
        return known
    return Trace(since=known.since if known else notification.updated_at, until=lost)


def _final(
    notification: Notification,
    state: State,
    now: datetime,
    *,
    provider_message_id: str = "",
    failure: Failure | None = None,
) -> Notification:
    return replace(
        notification,
        state=state,
        attempt="",
        busy_until=None,
        recipient=None,
        provider_message_id=provider_message_id,
        failure=failure,
        version=notification.version + 1,
        updated_at=now,
    )
