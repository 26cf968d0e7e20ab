"""Operations: what can be called, and how it is bound to gRPC or to HTTP.

The protocol is an attribute of an edge: an `Operation` carries one `binding`,
and an HTTP operation that fronts an RPC says so with `fronts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum as PythonEnum
from typing import TypeAlias

from codegen.model.ids import Location, OperationId, TypeId
from codegen.model.types import JsonValue, Type


class Idempotency(PythonEnum):
    """Whether a repeated call may have a second effect (RFC 9110 section 9.2, protobuf `idempotency_level`)."""

    UNKNOWN = "unknown"
    SAFE = "safe"
    """No side effects: GET, HEAD, OPTIONS; NO_SIDE_EFFECTS."""
    IDEMPOTENT = "idempotent"
    """PUT, DELETE; IDEMPOTENT."""
    BY_KEY = "by_key"
    """Repeatable when the idempotency key header is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcBinding:
    """An RPC. Stream kinds: unary, server, client, bidirectional."""

    service: str
    """Full name: `checkout.v1.CheckoutService`."""
    method: str
    input: TypeId
    output: TypeId
    client_streaming: bool = False
    server_streaming: bool = False


class ParameterPlace(PythonEnum):
    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an HTTP operation, its serialisation defaults filled in (OpenAPI 3.1 section 4.8.12)."""

    name: str
    place: ParameterPlace
    type: Type
    required: bool
    style: str
    """form, simple, label, matrix, spaceDelimited, pipeDelimited, deepObject; `content` when a media type says how."""
    explode: bool
    allow_reserved: bool = False
    media_type: str | None = None
    """Set when the parameter is described by `content`."""
    doc: str = ""
    deprecated: bool = False
    default: JsonValue = None
    has_default: bool = False
    examples: tuple[JsonValue, ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEncoding:
    """How one property of a form or multipart body is written (OpenAPI `encoding`)."""

    property: str
    content_type: str | None = None
    style: str | None = None
    explode: bool | None = None
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    """One representation of a body. `type` is None when the contract gives no schema."""

    name: str
    type: Type | None
    encodings: tuple[PartEncoding, ...] = ()
    examples: tuple[JsonValue, ...] = ()
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    required: bool
    doc: str = ""
    content: tuple[MediaType, ...]
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    name: str
    type: Type
    required: bool = False
    doc: str = ""
    deprecated: bool = False
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What may be called next, and which values of the response it takes (OpenAPI 3.1 section 4.8.20)."""

    name: str
    operation: OperationId | None
    """None when the target could not be resolved; a diagnostic then says so."""
    parameters: tuple[tuple[str, JsonValue], ...] = ()
    request_body: JsonValue = None
    doc: str = ""
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """`status` is `200`, `4XX` or `default`, as written."""

    status: str
    doc: str = ""
    headers: tuple[Header, ...] = ()
    content: tuple[MediaType, ...] = ()
    links: tuple[Link, ...] = ()
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityUse:
    """One scheme that a requirement names, with its scopes or roles."""

    scheme: str
    scopes: tuple[str, ...] = ()


SecurityRequirement: TypeAlias = tuple[SecurityUse, ...]
"""All of these together; empty = anonymous access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityScheme:
    """`kind`: apiKey, http, oauth2, openIdConnect, mutualTLS; AsyncAPI adds userPassword, X509 and more."""

    name: str
    kind: str
    scheme: str | None = None
    """For `http`: basic, bearer, ..."""
    parameter: str | None = None
    """For `apiKey`: name of the header, query parameter or cookie."""
    place: str | None = None
    bearer_format: str | None = None
    flows: Mapping[str, JsonValue] = field(default_factory=dict)
    open_id_connect_url: str | None = None
    doc: str = ""
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A base URL (OpenAPI) or a broker address (AsyncAPI)."""

    name: str
    url: str
    protocol: str | None = None
    variables: tuple[ServerVariable, ...] = ()
    doc: str = ""
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVariable:
    name: str
    default: str | None
    values: tuple[str, ...] = ()
    doc: str = ""


class HttpRole(PythonEnum):
    """Who serves the operation: the API itself, or the API's consumer."""

    ENDPOINT = "endpoint"
    WEBHOOK = "webhook"
    """OpenAPI 3.1 `webhooks`: the consumer serves it."""
    CALLBACK = "callback"
    """A callback of another operation: the consumer serves it at an address of its choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpBinding:
    """An HTTP operation. `path` is the template; for a callback its runtime expression; for a webhook its name."""

    method: str
    """Upper case."""
    path: str
    role: HttpRole = HttpRole.ENDPOINT
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    responses: tuple[Response, ...] = ()
    security: tuple[SecurityRequirement, ...] = ()
    """Alternatives; empty = no security stated. The document's default is filled in."""
    servers: tuple[Server, ...] = ()
    """Only when the operation or the path overrides the document's."""
    callbacks: tuple[OperationId, ...] = ()
    idempotency_header: str | None = None
    """Name of the header parameter that carries an idempotency key, when there is one."""


Binding: TypeAlias = GrpcBinding | HttpBinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcoding:
    """How an HTTP operation maps to the RPC that it fronts (the `x-grpc-*` keys)."""

    rpc: str
    """As written: `checkout.v1.CheckoutService/StartCheckout`."""
    parameter_fields: tuple[tuple[str, str], ...] = ()
    """(parameter name, request field) where they differ (`x-grpc-field`)."""
    body_field: str | None = None
    """`x-grpc-body`: the request field that takes the whole body."""
    response_field: str | None = None
    """`x-grpc-response-body`: the response field that is the whole body."""
    constants: tuple[tuple[str, JsonValue], ...] = ()
    """`x-grpc-set`: request fields with fixed values."""
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that can be called once."""

    id: OperationId
    name: str
    """`operationId`, or the RPC's name; derived from method and path when the contract has none."""
    named_by_contract: bool = True
    summary: str = ""
    doc: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    idempotency: Idempotency = Idempotency.UNKNOWN
    binding: Binding
    transcoding: Transcoding | None = None
    fronts: OperationId | None = None
    """The RPC behind this HTTP operation, filled in by the linker."""
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Operations that one party serves together: a proto service, or one OpenAPI document."""

    id: str
    """Full proto name, or the path of the OpenAPI document."""
    name: str
    operations: tuple[OperationId, ...]
    doc: str = ""
    deprecated: bool = False
    version: str = ""
    servers: tuple[Server, ...] = ()
    security_schemes: tuple[SecurityScheme, ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)
