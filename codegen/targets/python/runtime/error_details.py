"""Structured error details: what went wrong, as data that a program can act on.

The classes mirror the standard messages of `google/rpc/error_details.proto`
(https://google.aip.dev/193). They are plain data, so that raising an error
needs neither protobuf nor grpc; `rich_status` puts them on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """One request field that is wrong. `field` is its path: `address.lines[0]`."""

    field: str
    description: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRequest:
    """Which fields of the request are wrong."""

    field_violations: tuple[FieldViolation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """The cause as a constant: `reason` is `UPPER_SNAKE_CASE`, unique within `domain`."""

    reason: str
    domain: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryInfo:
    """Clients may retry after `retry_delay` seconds, not before."""

    retry_delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceInfo:
    """The resource that the error is about."""

    resource_type: str
    resource_name: str
    owner: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreconditionViolation:
    """One condition that does not hold."""

    type: str
    subject: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreconditionFailure:
    """Which preconditions do not hold."""

    violations: tuple[PreconditionViolation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaViolation:
    """One quota that is used up."""

    subject: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFailure:
    """Which quotas are used up."""

    violations: tuple[QuotaViolation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """Identifies the request in the server's logs."""

    request_id: str
    serving_data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpLink:
    """A page about the problem."""

    url: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Pages about the problem."""

    links: tuple[HelpLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizedMessage:
    """A text for the end user. `locale` is a BCP 47 tag."""

    locale: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDetail:
    """A detail of another type, kept as it came: a `google.protobuf.Any`."""

    type_url: str
    value: bytes


Detail: TypeAlias = (
    BadRequest
    | ErrorInfo
    | RetryInfo
    | ResourceInfo
    | PreconditionFailure
    | QuotaFailure
    | RequestInfo
    | Help
    | LocalizedMessage
    | UnknownDetail
)
