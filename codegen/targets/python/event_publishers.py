"""Emits `publishers.py`: a class for each service that sends, a method for each message it sends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from codegen.model.events import Action, Application, Channel, EventOperation
from codegen.model.types import Constant, Field, Primitive, Record, Scalar
from codegen.targets.files import GeneratedFile
from codegen.targets.python.constraints import TEXT
from codegen.targets.python.event_messages import (
    AddressArguments,
    Form,
    MessageView,
    Modules,
    address_of,
    exchange_of,
    expression_of,
    field_named,
    service_classes,
    union,
)
from codegen.targets.python.event_names import TAKEN_BY_EVENTS, TAKEN_BY_PUBLISHERS, method_names
from codegen.targets.python.names import Namespace
from codegen.targets.python.writer import PythonFile, docstring, text

_ATTRIBUTE = re.compile(r"[a-z0-9]+|data_base64")
_FILLED = frozenset(
    {"specversion", "id", "source", "type", "time", "datacontenttype", "traceparent", "tracestate", "data"}
)
_SENT_CONSTANTS = ("datacontenttype", "type", "specversion")
_OWN_METHODS = frozenset({"aclose"})
DEFAULT_TIMEOUT = "30.0"


def emit_publishers(
    application: Application, operations: Iterable[EventOperation], modules: Modules
) -> GeneratedFile | None:
    """The module; None when the application sends nothing."""
    sending = [operation for operation in operations if operation.action is Action.SEND]
    if not sending:
        return None
    package = modules.layout.contract_package(application.id)
    file = PythonFile(f"{package}.publishers", source=application.id, doc=f"What `{application.name}` sends.")
    names = Namespace(f"module {file.module}", modules.diagnostics)
    classes = service_classes(sending, application.name)
    for prefix in classes:
        file.define(f"{prefix}Publisher")
    for prefix, members in classes.items():
        if names.claim(f"{prefix}Publisher", members[0].service or application.name, members[0].location):
            _Publisher(f"{prefix}Publisher", members, modules, file).emit()
    return GeneratedFile(path=file.path, content=file.render())


@dataclass(frozen=True, slots=True)
class _Publisher:
    """One class."""

    name: str
    operations: list[EventOperation]
    modules: Modules
    file: PythonFile

    def emit(self) -> None:
        file = self.file
        views = [view for o in self.operations for view in self.modules.views(o.messages)]
        cloudy = any(view.form is Form.CLOUD_EVENT for view in views)
        asking = any(o.reply is not None for o in self.operations)
        file.lines(["", ""])
        with file.block(f"class {self.name}:"):
            file.line(docstring(self._doc(cloudy)))
            file.line()
            self._constructor(cloudy=cloudy, asking=asking)
            self._methods()
            if asking:
                self._closing()

    def _doc(self, cloudy: bool) -> str:
        service = self.operations[0].service
        about = f"Sends the messages of the service `{service}`." if service else "Sends messages."
        if cloudy:
            about += (
                "\n\n`source` is the `source` attribute of all events. Id, time and trace context of an event "
                "are filled in."
            )
        return about

    def _constructor(self, *, cloudy: bool, asking: bool) -> None:
        file = self.file
        transport = file.ref(self.modules.runtime("transport"), "Transport")
        service = self.operations[0].service
        default = f" = {text(service)}" if service else ""
        source = f", *, source: str{default}" if cloudy else ""
        with file.block(f"def __init__(self, transport: {transport}{source}) -> None:"):
            file.line("self._transport = transport")
            if cloudy:
                file.line("self._source = source")
            if asking:
                file.line(f"self._replies = {file.ref(self.modules.runtime('request_reply'), 'ReplyInbox')}(transport)")

    def _closing(self) -> None:
        self.file.line()
        with self.file.block("async def aclose(self) -> None:"):
            self.file.line(docstring("Stop listening for replies."))
            self.file.line("await self._replies.close()")

    def _methods(self) -> None:
        names = Namespace(f"class {self.name}", self.modules.diagnostics)
        sent = {o.id: (o, [view.message for view in self.modules.views(o.messages)]) for o in self.operations}
        methods = method_names(sent, _OWN_METHODS)
        for operation in self.operations:
            channel, views = self.modules.channel(operation.channel), self.modules.views(operation.messages)
            if channel is None or not views:
                self.modules.diagnostics.unsupported(
                    "python/no-message",
                    f"`{operation.name}` has no message: there is nothing to send",
                    operation.location,
                    hint="name the messages under the channel or the operation",
                )
                continue
            for view in views:
                name = methods[operation.id, view.message.id]
                if names.claim(name, f"{operation.name} {view.name}", view.message.location):
                    self._method(name, operation, channel, view)

    def _method(self, name: str, operation: EventOperation, channel: Channel, view: MessageView) -> None:
        self.file.line()
        if view.form is Form.CLOUD_EVENT and view.envelope is not None and operation.reply is None:
            self._event_method(name, operation, channel, view, view.envelope)
        else:
            self._payload_method(name, operation, channel, view)

    # -- plain payloads, and requests

    def _payload_method(self, name: str, operation: EventOperation, channel: Channel, view: MessageView) -> None:
        file, modules = self.file, self.modules
        address = address_of(channel, modules, file, TAKEN_BY_PUBLISHERS)
        headers = modules.headers_type(view, file)
        keywords = [*address.parameters]
        if headers is not None:
            keywords.append(f"headers: {headers}")
        replies = modules.reply_views(operation.reply) if operation.reply is not None else ()
        if operation.reply is not None:
            keywords.append(f"timeout: float = {DEFAULT_TIMEOUT}")
        result = union(modules.payload_type(reply, file) for reply in replies) or "bytes"
        returned = result if operation.reply is not None else "None"
        signature = ", ".join(["self", f"payload: {modules.payload_type(view, file)}", *_keyword_only(keywords)])
        with file.block(f"async def {name}({signature}) -> {returned}:"):
            doc = _doc(operation, view)
            if operation.reply is not None:
                doc += "\n\nWaits for the reply, `timeout` seconds at most; then `DeadlineExceeded`."
            file.line(docstring(doc))
            body = modules.encoded(view, "payload", file)
            file.line(f"message = {self._outgoing(view, body, channel, headers=headers, event=False)}")
            if operation.reply is None:
                file.line(f"await self._transport.publish({address.expression}, message)")
                return
            exchange = exchange_of(view, operation.reply, replies, modules, file)
            file.line(f"reply = await self._replies.request({address.expression}, message, {exchange}, within=timeout)")
            self._decoded_reply(replies, result)

    def _decoded_reply(self, replies: tuple[MessageView, ...], result: str) -> None:
        file, modules = self.file, self.modules
        if len(replies) > 1:
            named = ", ".join(f"{text(r.name)}: {modules.decoder(r, file)}" for r in replies)
            mapping, callable_ = (file.ref("collections.abc", name) for name in ("Mapping", "Callable"))
            file.line(f"decoders: {mapping}[str, {callable_}[[bytes], {result}]] = {{{named}}}")
            file.line(f"return {file.ref(modules.runtime('request_reply'), 'decoded')}(reply, decoders)")
        elif replies:
            file.line(f"return {modules.decoder(replies[0], file)}(reply.body)")
        else:
            file.line("return reply.body")

    def _outgoing(self, view: MessageView, body: str, channel: Channel, *, headers: str | None, event: bool) -> str:
        file, modules = self.file, self.modules
        arguments = [body, text(view.content_type)]
        if headers is not None:
            arguments.append(f"headers={file.ref(modules.runtime('message_parts'), 'headers_to_text')}(headers)")
        if not event:
            arguments.append(f"name={text(view.name)}")
        key = self._ordering_key(view, channel, event=event)
        if key is not None:
            arguments.append(f"ordering_key={key}")
        if event and view.envelope is not None and field_named(view.envelope, "traceparent") is not None:
            arguments.append("traced=True")
        return f"{file.ref(modules.runtime('publishing'), 'outgoing')}({', '.join(arguments)})"

    def _ordering_key(self, view: MessageView, channel: Channel, *, event: bool) -> str | None:
        expression = channel.ordering_key
        if expression is None:
            return None
        name = expression.removeprefix("$message.payload#/")
        declared = field_named(view.envelope, name) if event and view.envelope is not None else None
        if declared is not None and declared.required and view.envelope is not None and _plain_text(declared):
            return f"event.{self.modules.attributes(view.envelope)[name]}"
        return expression_of(expression, self.modules, self.file)

    # -- CloudEvents

    def _event_method(
        self, name: str, operation: EventOperation, channel: Channel, view: MessageView, envelope: Record
    ) -> None:
        file, modules = self.file, self.modules
        attributes = modules.attributes(envelope)
        address = address_of(channel, modules, file, TAKEN_BY_EVENTS | set(attributes.values()))
        data = field_named(envelope, "data")
        given = [f for f in envelope.fields if f.name in attributes and self._is_given(f)]
        headers = modules.headers_type(view, file)
        self._check_names(envelope)
        keywords = [
            self._parameter(f, _argument(attributes[f.name])) for f in sorted(given, key=lambda f: not f.required)
        ]
        keywords += [
            *address.parameters,
            *([f"headers: {headers}"] if headers else []),
            "id: str | None = None",
            f"time: {file.ref('datetime', 'datetime')} | None = None",
        ]
        positional = ["self"]
        if data is not None:
            optional = "" if data.required else " | None = None"
            positional.append(f"data: {modules.spelling.plain(data.type, file)}{optional}")
        event_class = modules.payload_type(view, file)
        signature = ", ".join([*positional, *_keyword_only(keywords)])
        with file.block(f"async def {name}({signature}) -> {event_class}:"):
            doc = _doc(operation, view) + "\n\nReturns the event as it was published."
            file.line(docstring(doc))
            self._construction(envelope, event_class, attributes, given, view)
            self._publication(address, view, channel, headers)

    def _construction(
        self, envelope: Record, event_class: str, attributes: dict[str, str], given: list[Field], view: MessageView
    ) -> None:
        arguments = []
        late = []
        for declared in envelope.fields:
            attribute = attributes.get(declared.name)
            if attribute is None or isinstance(declared.type, Constant):
                continue
            if declared in given:
                if declared.required or self._omissible(declared):
                    arguments.append(f"{attribute}={_argument(attribute)}")
                else:
                    late.append(attribute)
                continue
            value = self._filled(declared, view)
            if value is not None:
                arguments.append(f"{attribute}={value}")
        self.file.line(f"event = {event_class}({', '.join(arguments)})")
        for attribute in late:
            with self.file.block(f"if {_argument(attribute)} is not None:"):
                self.file.line(f"event.{attribute} = {_argument(attribute)}")
        for declared in envelope.fields:
            if isinstance(declared.type, Constant) and not declared.required and declared.name in _SENT_CONSTANTS:
                self.file.line(f"event.{attributes[declared.name]} = {text(str(declared.type.value))}")

    def _publication(self, address: AddressArguments, view: MessageView, channel: Channel, headers: str | None) -> None:
        message = self._outgoing(
            view, self.modules.encoded(view, "event", self.file), channel, headers=headers, event=True
        )
        self.file.line(f"await self._transport.publish({address.expression}, {message})")
        self.file.line("return event")

    def _is_given(self, declared: Field) -> bool:
        """Whether the caller gives the attribute, beside `data`, `id` and `time`."""
        if isinstance(declared.type, Constant):
            return False
        if declared.name == "type":
            return not _plain_text(declared)
        return declared.name not in _FILLED

    def _parameter(self, declared: Field, name: str) -> str:
        spelled = self.modules.spelling.plain(declared.type, self.file)
        if declared.required:
            return f"{name}: {spelled}"
        return f"{name}: {spelled} = None" if spelled.endswith("None") else f"{name}: {spelled} | None = None"

    def _omissible(self, declared: Field) -> bool:
        return not declared.has_default and not self.modules.spelling.accepts_null(declared.type)

    def _filled(self, declared: Field, view: MessageView) -> str | None:
        events = self.modules.runtime("events")
        if declared.name == "id":
            return f"id or {self.file.ref(events, 'new_event_id')}()"
        if declared.name == "source":
            return "self._source"
        if declared.name == "type":
            return text(view.event_type or view.name)
        if declared.name == "time":
            now = f"time or {self.file.ref(self.modules.runtime('transport'), 'utc_now')}()"
            moment = isinstance(declared.type, Scalar) and declared.type.primitive is Primitive.DATE_TIME
            return now if moment else f"{self.file.ref(events, 'timestamp')}({now})"
        fixed = {"specversion": text("1.0"), "datacontenttype": text("application/json")}
        if declared.name in fixed:
            return fixed[declared.name]
        if declared.name == "traceparent":
            return f"{self.file.ref(events, 'current_traceparent')}()"
        if declared.name == "tracestate":
            return f"{self.file.ref(events, 'current_tracestate')}()"
        return "data" if declared.name == "data" else None

    def _check_names(self, envelope: Record) -> None:
        for declared in envelope.fields:
            if not _ATTRIBUTE.fullmatch(declared.name):
                self.modules.diagnostics.warning(
                    "events/attribute-name",
                    f"`{declared.name}` is no CloudEvents attribute name",
                    declared.location,
                    hint="lower-case letters and digits only (CloudEvents 1.0 section 3); put others into `data`",
                )


def _argument(attribute: str) -> str:
    return f"{attribute}_" if attribute in TAKEN_BY_EVENTS else attribute


def _plain_text(declared: Field) -> bool:
    return isinstance(declared.type, Scalar) and declared.type.primitive in TEXT


def _keyword_only(keywords: list[str]) -> list[str]:
    """Those without a default first; `*` before them, when there are any."""
    ordered = sorted(keywords, key=lambda keyword: "=" in keyword)
    return ["*", *ordered] if ordered else []


def _doc(operation: EventOperation, view: MessageView) -> str:
    message = view.message
    about = operation.summary or operation.doc or message.summary or message.doc or f"Publish `{message.name}`."
    return about.strip()
