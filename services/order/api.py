"""How the order service is called and told: its handlers, bound to gRPC and to the events it receives."""

from __future__ import annotations

from shop.order.v1.events.consumers import subscribe_order_events
from shop.order.v1.order_grpc import add_order_service
from shop.runtime.consuming import Subscriptions
from shop.runtime.grpc_server import GrpcServer, Interceptor
from shop.runtime.transport import Transport

from services.order.handlers import OrderHandlers
from services.order.reactions import OrderEventsHandlers
from services.platform.unreachable import without_database


def bind(server: GrpcServer, handlers: OrderHandlers, *interceptors: Interceptor) -> None:
    """Serve everything that the contracts say this service serves."""
    add_order_service(server, handlers, interceptors=(*interceptors, without_database))


async def subscribe(transport: Transport, handlers: OrderEventsHandlers) -> tuple[Subscriptions, ...]:
    """Subscribe to everything that the contracts say this service receives."""
    return (await subscribe_order_events(transport, handlers),)
