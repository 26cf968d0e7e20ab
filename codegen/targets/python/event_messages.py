"""How each message of a contract looks in Python: its types, and the expressions that read and write it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum as PythonEnum

from codegen.diagnostics import Diagnostics
from codegen.model.events import Channel, EventOperation, Message, Reply
from codegen.model.graph import Graph
from codegen.model.ids import ChannelId, MessageId
from codegen.model.types import Constant, Field, MapOf, Primitive, Record, Reference, Scalar, Type
from codegen.targets.python.constraints import TEXT
from codegen.targets.python.event_names import parameter_names
from codegen.targets.python.layout import Layout
from codegen.targets.python.names import pascal
from codegen.targets.python.records import attribute_names
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, text

CLOUD_EVENTS = "application/cloudevents+json"
JSON = "application/json"
OCTETS = "application/octet-stream"
_ENVELOPE = frozenset({"specversion", "id", "source", "type"})


class Form(PythonEnum):
    """How a payload is written."""

    CLOUD_EVENT = "cloud event"
    JSON = "json"
    TEXT = "text"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message and what the emitters need to know of it."""

    message: Message
    form: Form
    content_type: str
    envelope: Record | None = None
    """The CloudEvent's record."""
    event_type: str | None = None
    """Its `type`, when the contract fixes it."""

    @property
    def name(self) -> str:
        return self.message.name


@dataclass(slots=True)
class Modules:
    """What all files of one application share while they are emitted."""

    graph: Graph
    layout: Layout
    spelling: Spelling
    diagnostics: Diagnostics
    _views: dict[MessageId, MessageView] = field(default_factory=dict)

    def runtime(self, module: str) -> str:
        """The dotted name of a runtime module."""
        return f"{self.layout.package}.runtime.{module}"

    def views(self, ids: Iterable[MessageId]) -> tuple[MessageView, ...]:
        """The messages, each seen once."""
        found = []
        for id_ in ids:
            if id_ not in self._views:
                self._views[id_] = self._view(self.graph.messages[id_])
            found.append(self._views[id_])
        return tuple(found)

    def _view(self, message: Message) -> MessageView:
        media_type = (message.content_type or JSON).partition(";")[0].strip().lower()
        if message.payload is None:
            content_type = message.content_type or OCTETS
            return MessageView(message=message, form=Form.BYTES, content_type=content_type)
        if media_type == CLOUD_EVENTS:
            return self._cloud_event(message)
        if media_type == JSON or media_type.endswith("+json"):
            return MessageView(message=message, form=Form.JSON, content_type=message.content_type or JSON)
        if media_type.startswith("text/") and _is_text(message.payload):
            return MessageView(message=message, form=Form.TEXT, content_type=media_type)
        if not (
            isinstance(message.payload, Scalar)
            and message.payload.primitive in (Primitive.BINARY, Primitive.BYTES, *TEXT)
        ):
            self.diagnostics.unsupported(
                "python/content-type",
                f"payloads of `{media_type}` are bytes here: their schema is not used",
                message.location,
                hint="JSON payloads are typed",
            )
        return MessageView(message=message, form=Form.BYTES, content_type=message.content_type or OCTETS)

    def _cloud_event(self, message: Message) -> MessageView:
        declared = (
            self.graph.declarations.get(message.payload.target) if isinstance(message.payload, Reference) else None
        )
        if not isinstance(declared, Record) or not {f.name for f in declared.fields} >= _ENVELOPE:
            self.diagnostics.unsupported(
                "python/cloud-event",
                f"the payload of `{message.name}` is no CloudEvent with its attributes: it is published as plain JSON",
                message.location,
                hint="describe the envelope (specversion, id, source, type, data) in the payload's schema",
            )
            return MessageView(message=message, form=Form.JSON, content_type=CLOUD_EVENTS)
        kind = next(f.type for f in declared.fields if f.name == "type")
        fixed = kind.value if isinstance(kind, Constant) and isinstance(kind.value, str) else None
        return MessageView(
            message=message, form=Form.CLOUD_EVENT, content_type=CLOUD_EVENTS, envelope=declared, event_type=fixed
        )

    # -- types and expressions

    def payload_type(self, view: MessageView, file: PythonFile) -> str:
        """The payload's annotation in signatures."""
        if view.form is Form.BYTES or view.message.payload is None:
            return "bytes"
        if view.form is Form.TEXT:
            return "str"
        return self.spelling.plain(view.message.payload, file)

    def decoder(self, view: MessageView, file: PythonFile) -> str:
        """An expression for `bytes -> payload`."""
        if view.form is Form.BYTES or view.message.payload is None:
            return "bytes"
        if view.form is Form.TEXT:
            return "bytes.decode"
        if self._is_record(view.message.payload):
            return f"{self.payload_type(view, file)}.from_json"
        return f"{self._codec(view.message.payload, view, file)}.from_json"

    def encoded(self, view: MessageView, value: str, file: PythonFile) -> str:
        """An expression for the payload's bytes."""
        if view.form is Form.BYTES or view.message.payload is None:
            return value
        if view.form is Form.TEXT:
            return f"{value}.encode()"
        if self._is_record(view.message.payload):
            return f"{value}.to_json()"
        return f"{self._codec(view.message.payload, view, file)}.to_json({value})"

    def _codec(self, payload: Type, view: MessageView, file: PythonFile) -> str:
        codec = file.ref(self.runtime("models"), "Codec")
        exact = self.spelling.annotation(payload, file, location=view.message.location)
        return f"{codec}[{self.spelling.plain(payload, file)}]({exact})"

    def _is_record(self, type_: Type) -> bool:
        return isinstance(type_, Reference) and isinstance(self.graph.declarations[type_.target], Record)

    def headers_type(self, view: MessageView, file: PythonFile) -> str | None:
        """The class of the headers; None when the contract does not describe them as an object."""
        headers = view.message.headers
        if headers is None or isinstance(headers, MapOf):
            return None
        if self._is_record(headers):
            return self.spelling.plain(headers, file)
        self.diagnostics.unsupported(
            "python/headers",
            f"the headers of `{view.name}` are no object with properties: they are plain text here",
            view.message.location,
            hint="describe the headers as an object with `properties`",
        )
        return None

    def attributes(self, record: Record) -> dict[str, str]:
        """Property -> attribute of the model class."""
        return attribute_names(record.fields, record.id, Diagnostics())

    def channel(self, id_: ChannelId | None) -> Channel | None:
        """A channel of the graph."""
        return self.graph.channels.get(id_) if id_ is not None else None

    def reply_views(self, reply: Reply) -> tuple[MessageView, ...]:
        """The messages a reply may be."""
        channel = self.channel(reply.channel)
        ids = reply.messages or (tuple(id_ for _, id_ in channel.messages) if channel else ())
        return self.views(ids)


def _is_text(type_: Type) -> bool:
    return isinstance(type_, Scalar) and type_.primitive in TEXT


def service_classes(operations: Iterable[EventOperation], title: str) -> dict[str, list[EventOperation]]:
    """Operations by the prefix of their class: `OrderEvents`. From `x-service`, else from the document's title."""
    found: dict[str, list[EventOperation]] = {}
    for operation in operations:
        prefix = pascal([operation.service or title])
        prefix = prefix if prefix.endswith("Events") else f"{prefix}Events"
        found.setdefault(prefix, []).append(operation)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressArguments:
    """What must be given to know a channel's address."""

    parameters: tuple[str, ...]
    """Of the signature: `region: str`."""
    names: tuple[str, ...]
    expression: str


def address_of(channel: Channel, modules: Modules, file: PythonFile, taken: frozenset[str]) -> AddressArguments:
    """The arguments and the expression of an address; `address: str` when it is only known at run time.

    `taken` are names that mean something else where the address is needed.
    """
    if channel.address is None:
        return AddressArguments(parameters=("address: str",), names=("address",), expression="address")
    if not channel.parameters:
        return AddressArguments(parameters=(), names=(), expression=text(channel.address))
    parameters, names, values = [], [], []
    chosen = parameter_names(channel.parameters, taken)
    for parameter in channel.parameters:
        name = chosen[parameter.name]
        kind = "str"
        if parameter.values:
            kind = f"{file.ref('typing', 'Literal')}[{', '.join(text(value) for value in parameter.values)}]"
        default = f" = {text(parameter.default)}" if parameter.default is not None else ""
        parameters.append(f"{name}: {kind}{default}")
        names.append(name)
        values.append(f"{text(parameter.name)}: {name}")
    fill = file.ref(modules.runtime("message_parts"), "fill_address")
    return AddressArguments(
        parameters=tuple(parameters),
        names=tuple(names),
        expression=f"{fill}({text(channel.address)}, {{{', '.join(values)}}})",
    )


def expression_of(expression: str, modules: Modules, file: PythonFile) -> str:
    """A `MessageExpression` for a runtime expression of the contract."""
    return f"{file.ref(modules.runtime('message_parts'), 'MessageExpression')}.parse({text(expression)})"


def exchange_of(
    request: MessageView, reply: Reply, replies: tuple[MessageView, ...], modules: Modules, file: PythonFile
) -> str:
    """An `Exchange` for a request and its reply."""
    channel = modules.channel(reply.channel)
    arguments = []
    if channel is not None and channel.address is not None and channel.parameters:
        modules.diagnostics.unsupported(
            "python/reply-address",
            f"the reply address `{channel.address}` has parameters: requesters use an address of their own instead",
            channel.location,
            hint="give the reply an `address.location`",
        )
    fixed = channel.address if channel is not None and not channel.parameters else None
    arguments.append(f"reply_address={text(fixed) if fixed is not None else None}")
    if reply.address_expression is not None:
        arguments.append(f"reply_to={expression_of(reply.address_expression, modules, file)}")
    elif fixed is None:
        arguments.append(f"reply_to={expression_of('$message.header#/reply_to', modules, file)}")
    if request.message.correlation_id is not None:
        arguments.append(f"correlation={expression_of(request.message.correlation_id.expression, modules, file)}")
    answer = next((view.message.correlation_id for view in replies if view.message.correlation_id), None)
    if answer is not None:
        arguments.append(f"reply_correlation={expression_of(answer.expression, modules, file)}")
    if request.message.id not in {view.message.id for view in replies} and replies:
        arguments.append(f"replies=frozenset({{{', '.join(text(view.name) for view in replies)}}})")
    return f"{file.ref(modules.runtime('request_reply'), 'Exchange')}({', '.join(arguments)})"


def union(parts: Iterable[str]) -> str:
    """`A | B`, each once."""
    return " | ".join(dict.fromkeys(parts))


def field_named(record: Record, name: str) -> Field | None:
    """The field with that wire name."""
    return next((found for found in record.fields if found.name == name), None)
