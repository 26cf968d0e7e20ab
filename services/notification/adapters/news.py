"""What the notification service queues and tells, written into the outbox with the change that it tells of."""

from __future__ import annotations

from shop.notification.v1.events.models import (
    NotificationChannel,
    NotificationDeliveryData,
    NotificationFailedData,
    NotificationFailedDataFailureCode,
    NotificationSentData,
)
from shop.notification.v1.events.publishers import NotificationEventsPublisher
from shop.runtime.transport import Transport

from services.notification.domain.notifications import Notification

_MAIL = NotificationChannel.NOTIFICATION_CHANNEL_EMAIL


class News:
    """Messages of one transaction. `transport` is that of the outbox within it."""

    def __init__(self, transport: Transport) -> None:
        self._publisher = NotificationEventsPublisher(transport)

    async def queued(self, notification: Notification, *, cause: str | None) -> None:
        """To be delivered. `cause` is the id of the event that led to it, None for a request."""
        data = NotificationDeliveryData(
            notification_id=notification.notification_id,
            customer_id=notification.customer_id or None,
            channel=_MAIL,
            template_id=notification.template_id,
            order_id=notification.order_id or None,
            variables=dict(notification.variables),
            locale=notification.locale or None,
            send_after=notification.send_after,
        )
        await self._publisher.enqueue_notification_delivery(
            data,
            subject=notification.notification_id,
            correlationid=notification.correlation_id,
            aggregateversion=notification.version,
            causationid=cause,
        )

    async def sent(self, notification: Notification) -> None:
        """The provider has taken it."""
        data = NotificationSentData(
            notification_id=notification.notification_id,
            customer_id=notification.customer_id or None,
            channel=_MAIL,
            template_id=notification.template_id,
            order_id=notification.order_id or None,
            provider_message_id=notification.provider_message_id,
            sent_at=notification.updated_at,
        )
        await self._publisher.publish_notification_sent(
            data,
            subject=notification.notification_id,
            correlationid=notification.correlation_id,
            aggregateversion=notification.version,
        )

    async def failed(self, notification: Notification) -> None:
        """It is given up."""
        if notification.failure is None:
            raise ValueError("a notification that did not fail")
        data = NotificationFailedData(
            notification_id=notification.notification_id,
            customer_id=notification.customer_id or None,
            channel=_MAIL,
            template_id=notification.template_id,
            order_id=notification.order_id or None,
            failure_code=NotificationFailedDataFailureCode(notification.failure.value),
            attempts=max(1, notification.attempts),
        )
        await self._publisher.publish_notification_failed(
            data,
            subject=notification.notification_id,
            correlationid=notification.correlation_id,
            aggregateversion=notification.version,
        )
