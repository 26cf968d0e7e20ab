"""What the notification service does when it is called."""

from __future__ import annotations

import secrets

from shop.notification.v1 import notification_pb2
from shop.runtime.errors import NotFound
from shop.runtime.grpc_server import Call
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification import answers, requests
from services.notification.adapters.notifications import Notifications
from services.notification.postbox import Postbox, Wish
from services.platform.commands import Command, fingerprint_of
from services.platform.database import Database
from services.platform.refusals import refusal


class NotificationHandlers:
    """Serves notification.v1.NotificationService."""

    def __init__(self, database: Database, postbox: Postbox, notifications: Notifications) -> None:
        self._database = database
        self._postbox = postbox
        self._notifications = notifications

    async def send_notification(
        self, request: notification_pb2.SendNotificationRequest, call: Call, /
    ) -> notification_pb2.SendNotificationResponse:
        """Accepts a notification and queues it on notification-delivery. What became of it is seen
        in notification-sent, notification-failed and GetNotificationStatus.
        Errors: INVALID_ARGUMENT (recipient does not fit the channel), NOT_FOUND (template).
        """
        wish, key = requests.checked(request, call)
        command = Command(scope="SendNotification", key=key, fingerprint=fingerprint_of(request, "idempotency_key"))
        notification_id = await self._database.run(lambda connection: self._queue(connection, command, wish))
        return notification_pb2.SendNotificationResponse(notification=await self._shown(notification_id))

    async def get_notification_status(
        self, request: notification_pb2.GetNotificationStatusRequest, call: Call, /
    ) -> notification_pb2.GetNotificationStatusResponse:
        """Returns a notification. Errors: NOT_FOUND."""
        shown = await self._shown(requests.notification_id_of(request))
        return notification_pb2.GetNotificationStatusResponse(notification=shown)

    async def _queue(self, connection: AsyncConnection, command: Command, wish: Wish) -> str:
        """The id of the notification, that of the first call when this one is a repetition."""
        earlier = await command.earlier_answer(connection)
        if earlier is not None:
            return earlier.decode()
        notification_id = f"ntf_{secrets.token_hex(12)}"
        await self._postbox.send(connection, wish, notification_id)
        await command.answered(connection, notification_id.encode())
        return notification_id

    async def _shown(self, notification_id: str) -> notification_pb2.Notification:
        async with self._database.transaction() as connection:
            found = await self._notifications.find(connection, notification_id)
        if found is None:
            raise refusal(NotFound, "NOT_FOUND", "there is no such notification")
        return answers.notification(found)
