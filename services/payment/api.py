"""How the payment service is called and told: its handlers, bound to gRPC and to its queue.

It does not listen to payment-method-added and customer-deleted: tokens are looked up when they are charged, and are
kept nowhere in this service.
"""

from __future__ import annotations

from shop.payment.v1.events.consumers import subscribe_process_payment_work
from shop.payment.v1.payment_grpc import add_payment_service
from shop.runtime.grpc_server import GrpcServer, Interceptor
from shop.runtime.transport import Subscription, Transport

from services.payment.handlers import PaymentHandlers, PaymentWork
from services.platform.unreachable import without_database


def bind(server: GrpcServer, handlers: PaymentHandlers, *interceptors: Interceptor) -> None:
    """Serve everything that the contracts say this service serves."""
    add_payment_service(server, handlers, interceptors=(*interceptors, without_database))


async def subscribe(transport: Transport, work: PaymentWork) -> tuple[Subscription, ...]:
    """Take the work of the queue."""
    return (await subscribe_process_payment_work(transport, work.process_payment_work),)
