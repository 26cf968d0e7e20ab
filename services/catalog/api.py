"""How the catalog service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shop.catalog.v1.catalog_grpc import CatalogServiceHandler, add_catalog_service
from shop.runtime.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, RpcError
from shop.runtime.grpc_server import Call, GrpcServer, Interceptor

from services.catalog.domain import Invalid, Missing, Refusal, Stale, Taken
from services.platform.refusals import refusal
from services.platform.unreachable import without_database

_ERRORS: tuple[tuple[type[Refusal], type[RpcError]], ...] = (
    (Invalid, InvalidArgument),
    (Missing, NotFound),
    (Taken, AlreadyExists),
    (Stale, Aborted),
)


def bind(server: GrpcServer, handlers: CatalogServiceHandler, interceptors: Sequence[Interceptor] = ()) -> None:
    """Serve everything that the contracts say this service serves."""
    add_catalog_service(server, handlers, interceptors=(*interceptors, without_database, refusals))


@asynccontextmanager
async def refusals(call: Call) -> AsyncIterator[None]:
    """Refusals of the domain become the statuses that the contract names."""
    try:
        yield
    except Refusal as refused:
        kind = next(kind for reason, kind in _ERRORS if isinstance(refused, reason))
        fields = refused.fields if isinstance(refused, Invalid) else ()
        raise refusal(kind, refused.code, str(refused), fields=fields, facts=refused.metadata) from refused
