"""Messages, the channels that carry them, and who sends or receives (AsyncAPI 3.0; 2.6 is mapped to it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum as PythonEnum

from codegen.model.ids import ChannelId, Location, MessageId, OperationId
from codegen.model.services import SecurityScheme, SecurityUse, Server
from codegen.model.types import JsonValue, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationId:
    """A runtime expression: `$message.header#/x` or `$message.payload#/x`."""

    expression: str
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What travels on a channel. Traits are already merged in."""

    id: MessageId
    name: str
    title: str = ""
    summary: str = ""
    doc: str = ""
    content_type: str | None = None
    """The document's `defaultContentType` is filled in."""
    payload: Type | None
    schema_format: str | None = None
    """Set when the payload is not JSON Schema (Avro, Protobuf, ...); the payload is then None."""
    headers: Type | None = None
    correlation_id: CorrelationId | None = None
    bindings: Mapping[str, JsonValue] = field(default_factory=dict)
    examples: tuple[MessageExample, ...] = ()
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageExample:
    name: str = ""
    payload: JsonValue = None
    has_payload: bool = False
    headers: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelParameter:
    """A variable of the address: `orders.{region}`."""

    name: str
    doc: str = ""
    values: tuple[str, ...] = ()
    default: str | None = None
    location_expression: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`x-retry`: redelivery of a message whose handler failed. Delays in seconds."""

    max_attempts: int
    initial_delay: float
    max_delay: float
    multiplier: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A place messages go through. `address` is None when it is only known at run time."""

    id: ChannelId
    name: str
    address: str | None
    title: str = ""
    doc: str = ""
    parameters: tuple[ChannelParameter, ...] = ()
    messages: tuple[tuple[str, MessageId], ...] = ()
    """(key within the channel, message)."""
    servers: tuple[str, ...] = ()
    """Names; empty = all servers of the document."""
    bindings: Mapping[str, JsonValue] = field(default_factory=dict)
    ordering_key: str | None = None
    """`x-ordering-key`: a runtime expression; messages of one key are handled in order."""
    retry: Retry | None = None
    dead_letter: ChannelId | None = None
    """`x-dead-letter`."""
    tags: tuple[str, ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


class Action(PythonEnum):
    """From the view of the application that the document describes."""

    SEND = "send"
    RECEIVE = "receive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    channel: ChannelId | None
    address_expression: str | None = None
    messages: tuple[MessageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOperation:
    """One application sends to, or receives from, a channel."""

    id: OperationId
    name: str
    action: Action
    channel: ChannelId
    messages: tuple[MessageId, ...]
    """Those of the channel when the operation names none."""
    service: str | None = None
    """`x-service`: the owning service."""
    consumer_group: str | None = None
    """`x-consumer-group`."""
    reply: Reply | None = None
    title: str = ""
    summary: str = ""
    doc: str = ""
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    security: tuple[SecurityUse, ...] = ()
    bindings: Mapping[str, JsonValue] = field(default_factory=dict)
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One AsyncAPI document: an application with its channels and operations."""

    id: str
    """Path of the document."""
    name: str
    version: str = ""
    doc: str = ""
    protocol_version: str = ""
    """`asyncapi:` as written."""
    servers: tuple[Server, ...] = ()
    security_schemes: tuple[SecurityScheme, ...] = ()
    channels: tuple[ChannelId, ...] = ()
    channel_keys: tuple[tuple[str, ChannelId], ...] = ()
    """(key in this document, channel): several keys may refer to one channel."""
    operations: tuple[OperationId, ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)
