"""How the notification service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from shop.notification.v1.notification_grpc import add_notification_service
from shop.runtime.grpc_server import GrpcServer, Interceptor

from services.notification.handlers import NotificationHandlers
from services.platform.unreachable import without_database


def bind(server: GrpcServer, handlers: NotificationHandlers, *around: Interceptor) -> None:
    """Serve everything that the contracts say this service serves, with `around` around every call."""
    add_notification_service(server, handlers, interceptors=[*around, without_database])
