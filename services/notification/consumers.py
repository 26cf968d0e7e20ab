"""The messages that the notification service receives, bound to what handles them."""

from __future__ import annotations

from shop.notification.v1.events import consumers as events
from shop.notification.v1.events.models import NotificationChannel, NotificationDeliveryMessage
from shop.runtime.consuming import Delivery, RawHeaders, Subscriptions
from shop.runtime.transport import Drop, Outcome, Redelivery, Retry, Transport

from services.notification.delivering import Again, Delivering, GivenUp
from services.notification.telling import Telling

PATIENT = Redelivery(max_attempts=1000, initial_delay=0.2, max_delay=30.0)
"""Of events: there are no dead letters for them, and one that is lost is a mail that nobody misses in time."""
QUEUE = Redelivery(max_attempts=6, initial_delay=1.0, max_delay=60.0)
"""Of notification-delivery, as the contract says."""
DELIVERIES = 5
"""Mails that are sent at a time."""


class DeliveryQueue:
    """Takes what is queued on notification-delivery."""

    def __init__(self, delivering: Delivering) -> None:
        self._delivering = delivering

    async def deliver_notification(
        self, event: NotificationDeliveryMessage, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Hands a mail to SendGrid."""
        if event.data.channel != NotificationChannel.NOTIFICATION_CHANNEL_EMAIL:
            return Drop("only mails are offered yet")
        last = delivery.attempt >= QUEUE.max_attempts
        result = await self._delivering.deliver(event.data.notification_id, last=last)
        if isinstance(result, Again):
            return Retry(result.reason, result.after)
        return Drop(result.reason) if isinstance(result, GivenUp) else None


async def start(transport: Transport, telling: Telling, queue: DeliveryQueue) -> tuple[Subscriptions, ...]:
    """Subscribe to what is sent in this slice.

    Left for later, when something publishes them: shipment-created, shipment-status-changed, loyalty-points-changed.
    Their groups then begin with the oldest event there is.
    """
    return (
        await Subscriptions.start(
            events.subscribe_acknowledge_order(transport, telling.acknowledge_order, redelivery=PATIENT),
            events.subscribe_tell_order_status(transport, telling.tell_order_status, redelivery=PATIENT),
            events.subscribe_tell_payment_failed(transport, telling.tell_payment_failed, redelivery=PATIENT),
            events.subscribe_tell_payment_refunded(transport, telling.tell_payment_refunded, redelivery=PATIENT),
            events.subscribe_welcome_customer(transport, telling.welcome_customer, redelivery=PATIENT),
            events.subscribe_refresh_contact_data(transport, telling.refresh_contact_data, redelivery=PATIENT),
            events.subscribe_erase_contact_data(transport, telling.erase_contact_data, redelivery=PATIENT),
            events.subscribe_deliver_notification(
                transport, queue.deliver_notification, concurrency=DELIVERIES, redelivery=QUEUE
            ),
        ),
    )
