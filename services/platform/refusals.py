"""Errors as the contracts word them: a gRPC status with a `common.v1.ErrorDetail` in `error-detail-bin`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from shop.common.v1.error_pb2 import ErrorDetail, FieldViolation
from shop.runtime.errors import InvalidArgument, RpcError, Unavailable
from shop.runtime.grpc_server import Call
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

LOG = logging.getLogger(__name__)
TRAILER = "error-detail-bin"
INVALID = "INVALID_ARGUMENT"
RpcErrorT = TypeVar("RpcErrorT", bound=RpcError)


def refused(
    kind: type[RpcErrorT],
    code: str,
    message: str,
    *,
    facts: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> RpcErrorT:
    """An error to raise in a handler. `code` is the stable reason, `retry_after` in seconds."""
    detail = ErrorDetail(code=code, metadata=facts or {})
    if retry_after is not None:
        detail.retry_after.CopyFrom(Duration(nanos=round(retry_after % 1 * 1e9), seconds=int(retry_after)))
    return kind(message, trailing_metadata=((TRAILER, detail.SerializeToString()),))


def invalid(violations: Mapping[str, str]) -> InvalidArgument:
    """What is wrong with a request: path of the field -> the rule that it breaks."""
    errors = [FieldViolation(field=field, detail=detail) for field, detail in violations.items()]
    message = "; ".join(f"{field} {detail}" for field, detail in violations.items())
    body = ErrorDetail(code=INVALID, errors=errors).SerializeToString()
    return InvalidArgument(message, trailing_metadata=((TRAILER, body),))


def detail_of(error: RpcError) -> ErrorDetail | None:
    """What a peer said besides the status."""
    found = next((value for name, value in error.trailing_metadata if name == TRAILER), None)
    return ErrorDetail.FromString(found) if isinstance(found, bytes) else None


@asynccontextmanager
async def without_database(call: Call) -> AsyncIterator[None]:
    """An interceptor: UNAVAILABLE when the database cannot be reached, which the caller may repeat."""
    try:
        yield
    except (OperationalError, InterfaceError, TimeoutError) as error:
        LOG.warning("%s: no database: %s", call.method.path, type(error.__cause__ or error).__name__)
        raise refused(Unavailable, "DATABASE_UNAVAILABLE", "the database is not available", retry_after=1.0) from error
