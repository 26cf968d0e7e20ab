"""Refusing a call, as the contracts say: a gRPC status with `common.v1.ErrorDetail` in `error-detail-bin`.

What the server's runtime sends besides, google.rpc.BadRequest, names the same fields for programs that know it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError
from shop.common.v1.error_pb2 import ErrorDetail, FieldViolation
from shop.runtime import error_details
from shop.runtime.errors import InvalidArgument, RpcError

LOG = logging.getLogger(__name__)

TRAILER = "error-detail-bin"
"""The trailing metadata that carries the detail."""

_ErrorT = TypeVar("_ErrorT", bound=RpcError)


def refusal(
    kind: type[_ErrorT],
    code: str,
    message: str,
    *,
    fields: Sequence[tuple[str, str]] = (),
    facts: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> _ErrorT:
    """The error to raise in a handler. `fields` are (path, rule that was broken); `retry_after` is in seconds."""
    detail = ErrorDetail(
        code=code,
        errors=[FieldViolation(field=field, detail=rule) for field, rule in fields],
        metadata=facts or {},
    )
    if retry_after is not None:
        detail.retry_after.FromNanoseconds(round(retry_after * 1e9))
    violations = tuple(error_details.FieldViolation(field=field, description=rule) for field, rule in fields)
    return kind(
        message,
        details=(error_details.BadRequest(field_violations=violations),) if violations else (),
        trailing_metadata=((TRAILER, detail.SerializeToString()),),
        retry_after=retry_after,
    )


def invalid(field: str, rule: str) -> InvalidArgument:
    """INVALID_ARGUMENT for one field of the request."""
    return refusal(InvalidArgument, "INVALID_ARGUMENT", f"{field} {rule}", fields=((field, rule),))


def detail_of(error: RpcError) -> ErrorDetail | None:
    """What a peer said besides the status; None when it said nothing, or nothing that can be read."""
    for name, value in error.trailing_metadata:
        if name == TRAILER and isinstance(value, bytes):
            try:
                return ErrorDetail.FromString(value)
            except DecodeError:
                LOG.warning("%s of a peer cannot be read", TRAILER)
    return None


def code_of(error: RpcError) -> str:
    """The stable reason that a peer gave; empty when it gave none."""
    detail = detail_of(error)
    return detail.code if detail is not None else ""
