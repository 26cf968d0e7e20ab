"""How the customer service is called: its handlers, bound to gRPC and HTTP."""

from __future__ import annotations

from shop.customer.v1.authentication_grpc import add_authentication_service
from shop.customer.v1.customer_grpc import add_customer_service
from shop.runtime.grpc_server import GrpcServer

from services.customer.handlers import AuthenticationHandlers, CustomerHandlers


def bind(server: GrpcServer) -> None:
    """Serve everything that the contracts say this service serves."""
    add_authentication_service(server, AuthenticationHandlers())
    add_customer_service(server, CustomerHandlers())
