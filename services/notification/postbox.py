"""Queues notifications, in the transaction of whatever they tell of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification.adapters.news import News
from services.notification.adapters.notifications import Notifications
from services.notification.domain import Address
from services.notification.domain.notifications import Notification, id_of, key_of
from services.platform.outbox import Outbox


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The event that a notification tells of."""

    source: str
    id: str
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to tell whom. `recipient` None: the address of the contact data, when the mail is sent."""

    template_id: str
    customer_id: str = ""
    order_id: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    locale: str = ""
    recipient: Address | None = field(default=None, repr=False)
    send_after: datetime | None = None


class Postbox:
    """Works in transactions of its callers."""

    def __init__(self, outbox: Outbox, notifications: Notifications, *, now: Callable[[], datetime] = utc_now) -> None:
        self._outbox = outbox
        self._notifications = notifications
        self._now = now

    async def tell(self, connection: AsyncConnection, wish: Wish, cause: Cause) -> Notification:
        """Because of an event: the same notification, whenever the event comes, is queued once."""
        notification_id = id_of(cause.source, cause.id, wish.template_id)
        key = key_of(cause.id)
        return await self._queue(connection, wish, notification_id, key, cause.correlation_id, cause.id)

    async def send(self, connection: AsyncConnection, wish: Wish, notification_id: str) -> Notification:
        """Because of a request, which has chosen the id of the notification."""
        correlation_id = wish.order_id or notification_id
        return await self._queue(connection, wish, notification_id, notification_id, correlation_id, None)

    async def _queue(
        self,
        connection: AsyncConnection,
        wish: Wish,
        notification_id: str,
        key: str,
        correlation_id: str,
        cause: str | None,
    ) -> Notification:
        now = self._now()
        made = Notification(
            notification_id=notification_id,
            key=key,
            customer_id=wish.customer_id,
            template_id=wish.template_id,
            order_id=wish.order_id,
            variables=wish.variables,
            locale=wish.locale,
            recipient=wish.recipient,
            correlation_id=correlation_id,
            send_after=wish.send_after,
            created_at=now,
            updated_at=now,
        )
        if await self._notifications.add(connection, made):
            await News(self._outbox.within(connection)).queued(made, cause=cause)
        return made
