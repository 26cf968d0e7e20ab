"""What can go wrong with a call, as exceptions that say whether repeating it may help.

    TreatyError
      DeadlineExceeded, CircuitOpen, TransportError, ProtocolError
      RpcError   -> NotFound, InvalidArgument, ... one class per canonical gRPC code
      HttpError  -> HttpClientError -> HttpNotFound, ...; HttpServerError -> HttpServiceUnavailable, ...

Clients raise them; a server turns those that its handlers raise into statuses.
Standard library only: raising an error needs neither grpc nor pydantic. All of them can be pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from .error_details import BadRequest, Detail, FieldViolation, RetryInfo

_DetailT = TypeVar("_DetailT", bound=Detail)


class Code(IntEnum):
    """Canonical status codes (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class TreatyError(Exception):
    """Base of everything that a generated client raises."""

    retryable: bool = False
    """Whether the same call may succeed when repeated. Says nothing on whether repeating it is harmless."""
    trips_breaker: bool = False
    """Whether the error is a sign that the peer is not well."""
    retry_after: float | None = None
    """Seconds the peer asked to wait; negative when it asked not to retry at all."""


class DeadlineExceeded(TreatyError):
    """No answer in time. The peer may or may not have done what was asked."""

    trips_breaker = True


class CircuitOpen(TreatyError):
    """Not sent: the circuit breaker of the peer is open. `retry_after` says when it admits a call again."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(name, retry_after)
        self.name = name
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"circuit breaker {self.name!r} is open for another {self.retry_after:.1f} s"


class TransportError(TreatyError):
    """The connection could not be made, or broke."""

    retryable = True
    trips_breaker = True


class ProtocolError(TreatyError):
    """The peer broke the contract: an answer that cannot be read, a response the contract does not have."""


class RpcError(TreatyError):
    """A gRPC status other than OK. Raise a subclass in a handler to answer with that status.

    `message` is for developers; a program decides by `code` and `details`.
    `remote` is true for an error that a peer sent: a server does not pass it on to its own caller.
    """

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(
        self,
        message: str = "",
        *,
        details: Iterable[Detail] = (),
        trailing_metadata: tuple[tuple[str, str | bytes], ...] = (),
        retry_after: float | None = None,
        remote: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.trailing_metadata = trailing_metadata
        self.remote = remote
        if retry_after is None:
            advice = self.detail(RetryInfo)
            retry_after = advice.retry_delay if advice else None
        self.retry_after = retry_after
        if self.code is Code.RESOURCE_EXHAUSTED:
            self.retryable = retry_after is not None

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}" if self.message else self.code.name

    def detail(self, kind: type[_DetailT]) -> _DetailT | None:
        """The first detail of a kind: `error.detail(ErrorInfo)`."""
        return next((found for found in self.details if isinstance(found, kind)), None)

    @property
    def field_violations(self) -> tuple[FieldViolation, ...]:
        """The request fields that the server found wrong."""
        bad = self.detail(BadRequest)
        return bad.field_violations if bad else ()


class Cancelled(RpcError):
    """The call was cancelled, typically by its caller."""

    code = Code.CANCELLED


class Unknown(RpcError):
    """An error of which no more is known."""

    code = Code.UNKNOWN
    trips_breaker = True


class InvalidArgument(RpcError):
    """The request is wrong, whatever the state of the system. Name the fields in a `BadRequest` detail."""

    code = Code.INVALID_ARGUMENT


class RpcDeadlineExceeded(RpcError, DeadlineExceeded):
    """The server gave up because the deadline had passed, or the client stopped waiting."""

    code = Code.DEADLINE_EXCEEDED


class NotFound(RpcError):
    """The requested entity does not exist."""

    code = Code.NOT_FOUND


class AlreadyExists(RpcError):
    """The entity to create exists already."""

    code = Code.ALREADY_EXISTS


class PermissionDenied(RpcError):
    """The caller is known and may not do this."""

    code = Code.PERMISSION_DENIED


class ResourceExhausted(RpcError):
    """A quota or the system is used up. Repeated only when the server says when."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPrecondition(RpcError):
    """The system is not in the state that the operation needs; repeat it only when the state was changed."""

    code = Code.FAILED_PRECONDITION


class Aborted(RpcError):
    """A conflict with another writer: repeat the whole read-change-write sequence, not this call alone."""

    code = Code.ABORTED


class OutOfRange(RpcError):
    """Past the valid range, for example beyond the end of a file."""

    code = Code.OUT_OF_RANGE


class Unimplemented(RpcError):
    """The server does not have this operation."""

    code = Code.UNIMPLEMENTED


class Internal(RpcError):
    """Something is broken in the server."""

    code = Code.INTERNAL
    trips_breaker = True


class Unavailable(RpcError):
    """The service cannot be reached now; repeat the call after a while."""

    code = Code.UNAVAILABLE
    retryable = True
    trips_breaker = True


class DataLoss(RpcError):
    """Data is lost or corrupted for good."""

    code = Code.DATA_LOSS
    trips_breaker = True


class Unauthenticated(RpcError):
    """The caller gave no valid credentials."""

    code = Code.UNAUTHENTICATED


RPC_ERRORS: Mapping[Code, type[RpcError]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            Cancelled,
            Unknown,
            InvalidArgument,
            RpcDeadlineExceeded,
            NotFound,
            AlreadyExists,
            PermissionDenied,
            ResourceExhausted,
            FailedPrecondition,
            Aborted,
            OutOfRange,
            Unimplemented,
            Internal,
            Unavailable,
            DataLoss,
            Unauthenticated,
        )
    }
)

HTTP_STATUS: Mapping[Code, int] = MappingProxyType(
    {
        Code.OK: 200,
        Code.CANCELLED: 499,
        Code.UNKNOWN: 500,
        Code.INVALID_ARGUMENT: 400,
        Code.DEADLINE_EXCEEDED: 504,
        Code.NOT_FOUND: 404,
        Code.ALREADY_EXISTS: 409,
        Code.PERMISSION_DENIED: 403,
        Code.RESOURCE_EXHAUSTED: 429,
        Code.FAILED_PRECONDITION: 400,
        Code.ABORTED: 409,
        Code.OUT_OF_RANGE: 400,
        Code.UNIMPLEMENTED: 501,
        Code.INTERNAL: 500,
        Code.UNAVAILABLE: 503,
        Code.DATA_LOSS: 500,
        Code.UNAUTHENTICATED: 401,
    }
)
"""The HTTP status of each code (the comments of `google/rpc/code.proto`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDetails:
    """An RFC 9457 problem document. `extensions` are the members that the RFC does not define."""

    type: str = "about:blank"
    title: str = ""
    status: int | None = None
    detail: str = ""
    instance: str = ""
    extensions: Mapping[str, Any] = field(default_factory=dict)


class HttpError(TreatyError):
    """An HTTP response that means failure.

    `headers` have lower-case names; `body` is what was read of the body, cut to
    some kilobytes; `model` is the body as the contract's type for this status, when it has one.
    """

    def __init__(
        self,
        status: int,
        *,
        problem: ProblemDetails | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        model: Any = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status)
        self.status = status
        self.problem = problem
        self.headers = dict(headers or {})
        self.body = body
        self.model = model
        self.retryable = status in RETRYABLE_STATUSES
        self.trips_breaker = status >= 500 and status != 501
        self.retry_after = retry_after

    def __str__(self) -> str:
        if self.problem is None:
            return f"HTTP {self.status}"
        parts = [part for part in (self.problem.title, self.problem.detail) if part]
        return f"HTTP {self.status}: {': '.join(parts)}" if parts else f"HTTP {self.status}"


class HttpClientError(HttpError):
    """4xx: the request is at fault."""


class HttpServerError(HttpError):
    """5xx: the server is at fault."""


class HttpBadRequest(HttpClientError):
    """400."""


class HttpUnauthorized(HttpClientError):
    """401: no valid credentials."""


class HttpForbidden(HttpClientError):
    """403."""


class HttpNotFound(HttpClientError):
    """404."""


class HttpConflict(HttpClientError):
    """409."""


class HttpGone(HttpClientError):
    """410."""


class HttpPreconditionFailed(HttpClientError):
    """412."""


class HttpUnprocessable(HttpClientError):
    """422."""


class HttpTooManyRequests(HttpClientError):
    """429: `retry_after` says when to come back, if the server did."""


class HttpInternalServerError(HttpServerError):
    """500."""


class HttpBadGateway(HttpServerError):
    """502."""


class HttpServiceUnavailable(HttpServerError):
    """503."""


class HttpGatewayTimeout(HttpServerError):
    """504."""


RETRYABLE_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses after which the same request may succeed."""

_HTTP_ERRORS: Mapping[int, type[HttpError]] = MappingProxyType(
    {
        400: HttpBadRequest,
        401: HttpUnauthorized,
        403: HttpForbidden,
        404: HttpNotFound,
        409: HttpConflict,
        410: HttpGone,
        412: HttpPreconditionFailed,
        422: HttpUnprocessable,
        429: HttpTooManyRequests,
        500: HttpInternalServerError,
        502: HttpBadGateway,
        503: HttpServiceUnavailable,
        504: HttpGatewayTimeout,
    }
)


def http_error_class(status: int) -> type[HttpError]:
    """The class for a status: its own, that of its class (4xx, 5xx), or `HttpError`."""
    if status in _HTTP_ERRORS:
        return _HTTP_ERRORS[status]
    if 400 <= status < 500:
        return HttpClientError
    return HttpServerError if 500 <= status < 600 else HttpError
