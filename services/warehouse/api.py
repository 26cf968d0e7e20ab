"""How the warehouse service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from shop.runtime.grpc_server import GrpcServer, Interceptor
from shop.warehouse.v1.warehouse_grpc import add_warehouse_service

from services.platform.unreachable import without_database
from services.warehouse.handlers import WarehouseHandlers


def bind(server: GrpcServer, handlers: WarehouseHandlers, *around: Interceptor) -> None:
    """Serve everything that the contracts say this service serves, with `around` around every call."""
    add_warehouse_service(server, handlers, interceptors=[*around, without_database])
