"""Refusals on the wire: a gRPC status with `common.v1.ErrorDetail` in the trailer `error-detail-bin`.

What the contract says about errors (contracts/common/v1/error.proto): the code is for programs, the message for people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

from shop.common.v1.error_pb2 import ErrorDetail
from shop.runtime.error_details import BadRequest, Detail, FieldViolation, RetryInfo
from shop.runtime.errors import RpcError

TRAILER = "error-detail-bin"
RpcErrorT = TypeVar("RpcErrorT", bound=RpcError)


def refusal(
    kind: type[RpcErrorT],
    code: str,
    message: str,
    *,
    fields: Iterable[tuple[str, str]] = (),
    metadata: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> RpcErrorT:
    """The error to raise in a handler. `fields` are (path in the request, broken rule); `retry_after` in seconds."""
    violations = tuple(fields)
    detail = ErrorDetail(code=code, metadata=dict(metadata or {}))
    for field, rule in violations:
        detail.errors.add(field=field, detail=rule)
    details: list[Detail] = []
    if violations:
        found = tuple(FieldViolation(field=field, description=rule) for field, rule in violations)
        details.append(BadRequest(field_violations=found))
    if retry_after is not None:
        detail.retry_after.FromSeconds(math.ceil(retry_after))
        details.append(RetryInfo(retry_delay=retry_after))
    return kind(message, details=details, trailing_metadata=((TRAILER, detail.SerializeToString()),))


def detail_of(error: RpcError) -> ErrorDetail | None:
    """What a service of the platform said about its refusal; None when it said nothing that can be read."""
    packed = next((value for name, value in error.trailing_metadata if name == TRAILER), None)
    if not isinstance(packed, bytes):
        return None
    try:
        return ErrorDetail.FromString(packed)
    except ValueError:  # DecodeError is one
        return None
