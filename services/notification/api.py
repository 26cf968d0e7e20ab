"""How the notification service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from shop.notification.v1.notification_grpc import add_notification_service
from shop.runtime.grpc_server import GrpcServer

from services.notification.handlers import NotificationHandlers
from services.platform.unreachable import without_database


def bind(server: GrpcServer, handlers: NotificationHandlers) -> None:
    """Serve everything that the contracts say this service serves."""
    add_notification_service(server, handlers, interceptors=[without_database])
