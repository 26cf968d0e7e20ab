"""How the checkout service is called: its handlers, bound to gRPC and HTTP."""

from __future__ import annotations

from shop.checkout.v1.cart_grpc import add_cart_service
from shop.checkout.v1.checkout_grpc import add_checkout_service
from shop.runtime.grpc_server import GrpcServer

from services.checkout.handlers import CartHandlers, CheckoutHandlers


def bind(server: GrpcServer) -> None:
    """Serve everything that the contracts say this service serves."""
    add_cart_service(server, CartHandlers())
    add_checkout_service(server, CheckoutHandlers())
