"""How the warehouse service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from shop.runtime.grpc_server import GrpcServer
from shop.warehouse.v1.warehouse_grpc import add_warehouse_service

from services.platform.unreachable import without_database
from services.warehouse.handlers import WarehouseHandlers


def bind(server: GrpcServer, handlers: WarehouseHandlers) -> None:
    """Serve everything that the contracts say this service serves."""
    add_warehouse_service(server, handlers, interceptors=[without_database])
