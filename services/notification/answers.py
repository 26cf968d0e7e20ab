"""Values of the domain as responses of NotificationService."""

from __future__ import annotations

from shop.notification.v1 import notification_pb2 as pb

from services.notification.domain.notifications import Notification, State

_STATES = {
    State.QUEUED: pb.NOTIFICATION_STATUS_QUEUED,
    State.SENT: pb.NOTIFICATION_STATUS_SENT,
    State.FAILED: pb.NOTIFICATION_STATUS_FAILED,
}


def notification(found: Notification) -> pb.Notification:
    """A notification; where it goes is not shown."""
    message = pb.Notification(
        notification_id=found.notification_id,
        customer_id=found.customer_id,
        channel=pb.NOTIFICATION_CHANNEL_EMAIL,
        template_id=found.template_id,
        status=_STATES[found.state],
        attempts=found.attempts,
        provider_message_id=found.provider_message_id or None,
        failure_code=found.failure.value if found.failure else None,
    )
    message.created_at.FromDatetime(found.created_at)
    message.updated_at.FromDatetime(found.updated_at)
    return message
