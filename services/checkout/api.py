"""How the checkout service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from collections.abc import Sequence

from shop.checkout.v1.cart_grpc import CartServiceHandler, add_cart_service
from shop.checkout.v1.checkout_grpc import CheckoutServiceHandler, add_checkout_service
from shop.runtime.grpc_server import GrpcServer, Interceptor


def bind(
    server: GrpcServer,
    carts: CartServiceHandler,
    checkouts: CheckoutServiceHandler,
    interceptors: Sequence[Interceptor] = (),
) -> None:
    """Serve everything that the contracts say this service serves."""
    add_cart_service(server, carts, interceptors=interceptors)
    add_checkout_service(server, checkouts, interceptors=interceptors)
