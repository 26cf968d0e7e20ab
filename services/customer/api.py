"""How the customer service is called: its handlers, bound to gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shop.customer.v1.authentication_grpc import AuthenticationServiceHandler, add_authentication_service
from shop.customer.v1.customer_grpc import CustomerServiceHandler, add_customer_service
from shop.runtime import errors
from shop.runtime.grpc_server import Call, GrpcServer, Interceptor

from services.customer.domain import (
    EmailTaken,
    Invalid,
    Missing,
    NotAllowed,
    NotPossible,
    Refusal,
    Stale,
    TooMany,
    Unknown,
)
from services.platform.gateways.errors import GatewayError
from services.platform.refusals import refusal
from services.platform.unreachable import without_database

_ERRORS: tuple[tuple[type[Refusal], type[errors.RpcError]], ...] = (
    (Invalid, errors.InvalidArgument),
    (Missing, errors.NotFound),
    (EmailTaken, errors.AlreadyExists),
    (Stale, errors.Aborted),
    (NotPossible, errors.FailedPrecondition),
    (Unknown, errors.Unauthenticated),
    (NotAllowed, errors.PermissionDenied),
    (TooMany, errors.ResourceExhausted),
)


def bind(
    server: GrpcServer,
    customers: CustomerServiceHandler,
    authentication: AuthenticationServiceHandler,
    interceptors: Sequence[Interceptor] = (),
) -> None:
    """Serve everything that the contracts say this service serves."""
    around = (*interceptors, without_database, refusals)
    add_authentication_service(server, authentication, interceptors=around)
    add_customer_service(server, customers, interceptors=around)


@asynccontextmanager
async def refusals(call: Call) -> AsyncIterator[None]:
    """Refusals of the domain become the statuses that the contract names; a silent provider becomes UNAVAILABLE."""
    try:
        yield
    except Refusal as refused:
        kind = next(kind for reason, kind in _ERRORS if isinstance(refused, reason))
        raise refusal(
            kind,
            refused.code,
            str(refused),
            fields=refused.fields if isinstance(refused, Invalid) else (),
            facts=refused.metadata,
            retry_after=refused.retry_after,
        ) from refused
    except GatewayError as failed:
        message = f"{failed.gateway} does not answer"
        raise refusal(errors.Unavailable, "PROVIDER_UNAVAILABLE", message) from failed
