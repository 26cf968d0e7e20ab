"""Emits `consumers.py`: a Protocol for each service that receives, and functions that subscribe its handlers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from codegen.model.events import Action, Application, Channel, EventOperation
from codegen.targets.files import GeneratedFile
from codegen.targets.python.event_messages import (
    AddressArguments,
    Form,
    MessageView,
    Modules,
    address_of,
    exchange_of,
    expression_of,
    method_names,
    service_classes,
    union,
)
from codegen.targets.python.names import Namespace, snake
from codegen.targets.python.writer import PythonFile, docstring, text

_CONCURRENCY = "concurrency: int = 10"


def emit_consumers(application: Application, operations: Iterable[EventOperation],
                   modules: Modules) -> GeneratedFile | None:
    """The module; None when the application receives nothing."""
    receiving = [operation for operation in operations if operation.action is Action.RECEIVE]
    package = modules.layout.contract_package(application.id)
    file = PythonFile(f"{package}.consumers", source=application.id, doc=f"What `{application.name}` receives.")
    names = Namespace(f"module {file.module}", modules.diagnostics)
    classes = service_classes(receiving, application.name)
    for prefix, members in classes.items():
        file.define(f"{prefix}Consumer")
        file.define(f"subscribe_{snake(prefix)}")
        for operation in members:
            file.define(f"subscribe_{snake(operation.name)}")
    emitted = False
    for prefix, members in classes.items():
        found = [_Consumption.of(operation, modules, file) for operation in members]
        usable = [consumption for consumption in found if consumption is not None
                  and names.claim(f"subscribe_{snake(consumption.operation.name)}", consumption.operation.name,
                                  consumption.operation.location)]
        if usable and names.claim(f"{prefix}Consumer", members[0].service or application.name, members[0].location):
            _warn_of_competition(usable, modules)
            _Consumer(prefix, usable, modules, file).emit()
            emitted = True
    return GeneratedFile(path=file.path, content=file.render()) if emitted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Consumption:
    """An operation with what its functions need."""

    operation: EventOperation
    channel: Channel
    methods: tuple[tuple[str, MessageView], ...]
    replies: tuple[MessageView, ...]
    address: AddressArguments
    group: str | None

    @classmethod
    def of(cls, operation: EventOperation, modules: Modules, file: PythonFile) -> _Consumption | None:
        channel = modules.channel(operation.channel)
        views = modules.views(operation.messages)
        if channel is None or not views:
            modules.diagnostics.unsupported(
                "python/no-message", f"`{operation.name}` has no message: there is nothing to receive",
                operation.location)
            return None
        replies = modules.reply_views(operation.reply) if operation.reply is not None else ()
        return cls(operation=operation, channel=channel, methods=method_names(operation, views), replies=replies,
                   address=address_of(channel, modules, file),
                   group=operation.consumer_group or operation.service)

    @property
    def keywords(self) -> tuple[str, ...]:
        """Parameters that a subscription needs before it can start."""
        group = f"group: str = {text(self.group)}" if self.group is not None else "group: str"
        return (*self.address.parameters, group)


def _warn_of_competition(consumptions: list[_Consumption], modules: Modules) -> None:
    seen: dict[tuple[str, str], EventOperation] = {}
    for consumption in consumptions:
        if consumption.group is None:
            continue
        other = seen.setdefault((consumption.channel.id, consumption.group), consumption.operation)
        if other is not consumption.operation:
            modules.diagnostics.warning(
                "events/competing-operations", f"`{consumption.operation.name}` and `{other.name}` read one channel in "
                f"one group, `{consumption.group}`: each message goes to one of the two only",
                consumption.operation.location, related=(other.location,),
                hint="give them different `x-consumer-group`s, or make them one operation")


@dataclass(frozen=True, slots=True)
class _Consumer:
    """The Protocol of one service and its functions."""

    prefix: str
    consumptions: list[_Consumption]
    modules: Modules
    file: PythonFile

    def emit(self) -> None:
        self._protocol()
        for consumption in self.consumptions:
            self._subscribe(consumption)
        self._subscribe_all()

    def _protocol(self) -> None:
        file = self.file
        service = self.consumptions[0].operation.service
        about = f"What the service `{service}` does with messages." if service else "What is done with messages."
        names = Namespace(f"class {self.prefix}Consumer", self.modules.diagnostics)
        file.lines(["", ""])
        with file.block(f"class {self.prefix}Consumer({file.ref('typing', 'Protocol')}):"):
            file.line(docstring(
                f"{about}\n\nReturning None means success, an exception another attempt; `Retry` and `Drop` say more."))
            for consumption in self.consumptions:
                for name, view in consumption.methods:
                    if names.claim(name, consumption.operation.name, consumption.operation.location):
                        self._method(name, view, consumption)

    def _method(self, name: str, view: MessageView, consumption: _Consumption) -> None:
        file = self.file
        file.line()
        argument = "event" if view.form is Form.CLOUD_EVENT else "payload"
        with file.block(f"async def {name}(self, {argument}: {self.modules.payload_type(view, file)}, "
                        f"delivery: {self._delivery(view)}) -> {self._result(consumption)}:"):
            operation, message = consumption.operation, view.message
            file.line(docstring(operation.summary or operation.doc or message.summary or message.doc
                                or f"Handle `{message.name}`."))

    def _delivery(self, view: MessageView) -> str:
        consuming = self.modules.runtime("consuming")
        headers = self.modules.headers_type(view, self.file) or self.file.ref(consuming, "RawHeaders")
        return f"{self.file.ref(consuming, 'Delivery')}[{headers}]"

    def _result(self, consumption: _Consumption) -> str:
        transport = self.modules.runtime("transport")
        if consumption.operation.reply is None:
            return f"{self.file.ref(transport, 'Outcome')} | None"
        replies = [self.modules.payload_type(view, self.file) for view in consumption.replies] or ["bytes"]
        return union([*replies, self.file.ref(transport, "Retry"), self.file.ref(transport, "Drop")])

    def _handler_type(self, view: MessageView, consumption: _Consumption) -> str:
        file, consuming = self.file, self.modules.runtime("consuming")
        payload = self.modules.payload_type(view, file)
        if consumption.operation.reply is None:
            headers = self.modules.headers_type(view, file) or file.ref(consuming, "RawHeaders")
            return f"{file.ref(consuming, 'MessageHandler')}[{payload}, {headers}]"
        callable_, awaitable = file.ref("collections.abc", "Callable"), file.ref("collections.abc", "Awaitable")
        return f"{callable_}[[{payload}, {self._delivery(view)}], {awaitable}[{self._result(consumption)}]]"

    # -- functions

    def _subscribe(self, consumption: _Consumption) -> None:
        file, modules = self.file, self.modules
        transport = modules.runtime("transport")
        several = len(consumption.methods) > 1
        handlers = [f"{_handler_name(view, several)}: {self._handler_type(view, consumption)}"
                    for _, view in consumption.methods]
        keywords = [*(handlers if several else []), *consumption.keywords, _CONCURRENCY,
                    f"redelivery: {file.ref(transport, 'Redelivery')} = {self._redelivery(consumption.channel)}",
                    f"start: {file.ref(transport, 'StartAt')} = {file.ref(transport, 'StartAt')}.BEGINNING"]
        positional = [f"transport: {file.ref(transport, 'Transport')}", *([] if several else handlers)]
        signature = ", ".join([*positional, *_keyword_only(keywords)])
        name = f"subscribe_{snake(consumption.operation.name)}"
        result = file.ref(transport, "Subscription")
        file.lines(["", ""])
        with file.block(f"async def {name}({signature}) -> {result}:"):
            file.line(docstring(self._subscribe_doc(consumption)))
            self._options(consumption)
            self._routes(consumption, several=several)
            file.line(f"return await transport.subscribe({consumption.address.expression}, group, handle, options)")

    def _subscribe_doc(self, consumption: _Consumption) -> str:
        operation, channel = consumption.operation, consumption.channel
        about = operation.summary or operation.doc or f"Receive from `{channel.address or channel.name}`."
        shared = "Subscriptions of one `group` share the messages; `concurrency` of them run at a time here."
        return f"{about.strip()}\n\n{shared}"

    def _redelivery(self, channel: Channel) -> str:
        redelivery = self.file.ref(self.modules.runtime("transport"), "Redelivery")
        retry = channel.retry
        if retry is None:
            return f"{redelivery}()"
        return (f"{redelivery}(max_attempts={retry.max_attempts}, initial_delay={retry.initial_delay!r}, "
                f"max_delay={retry.max_delay!r}, multiplier={retry.multiplier!r})")

    def _options(self, consumption: _Consumption) -> None:
        arguments = ["concurrency=concurrency", "redelivery=redelivery", "start=start"]
        letters = self._dead_letter(consumption)
        if letters is not None:
            arguments.append(f"dead_letter={letters}")
        key = consumption.channel.ordering_key
        if key is not None:
            arguments.append(f"ordering_key={expression_of(key, self.modules, self.file)}.of")
        options = self.file.ref(self.modules.runtime("transport"), "SubscribeOptions")
        self.file.line(f"options = {options}({', '.join(arguments)})")

    def _dead_letter(self, consumption: _Consumption) -> str | None:
        if consumption.channel.dead_letter is None:
            return None
        letters = self.modules.channel(consumption.channel.dead_letter)
        if letters is None:
            self.modules.diagnostics.unsupported(
                "python/dead-letter", f"the dead-letter channel of `{consumption.channel.name}` belongs to no "
                "application: messages that are given up are dropped", consumption.channel.location,
                hint="list it under `channels` of this document, with a `$ref`")
            return None
        address = address_of(letters, self.modules, self.file)
        if set(address.names) - set(consumption.address.names) or letters.address is None:
            self.modules.diagnostics.unsupported(
                "python/dead-letter", f"the address of the dead letters of `{consumption.channel.name}` is not known: "
                "messages that are given up are dropped", letters.location,
                hint="use only parameters that the channel has too")
            return None
        return address.expression

    def _routes(self, consumption: _Consumption, *, several: bool) -> None:
        file, modules = self.file, self.modules
        consuming = modules.runtime("consuming")
        file.line(f"handle = {file.ref(consuming, 'dispatcher')}(")
        for _, view in consumption.methods:
            handler = self._answering(view, consumption, _handler_name(view, several))
            arguments = [f"name={text(view.name)}", f"decode={modules.decoder(view, file)}",
                         f"headers={self._headers(view)}", f"handle={handler}"]
            if view.form is Form.CLOUD_EVENT:
                arguments.append(f"event_type={text(view.event_type or view.name)}")
            file.line(f"    {file.ref(consuming, 'Route')}({', '.join(arguments)}),")
        ignored = self._ignored(consumption)
        if ignored:
            file.line(f"    ignored=frozenset({{{', '.join(text(name) for name in ignored)}}}),")
        file.line(")")

    def _ignored(self, consumption: _Consumption) -> list[str]:
        wanted = {view.message.id for _, view in consumption.methods}
        others = [id_ for _, id_ in consumption.channel.messages if id_ not in wanted]
        return [view.event_type or view.name for view in self.modules.views(others)]

    def _headers(self, view: MessageView) -> str:
        parts = self.modules.runtime("message_parts")
        headers = self.modules.headers_type(view, self.file)
        if headers is None:
            return self.file.ref(parts, "raw_headers")
        return f"{self.file.ref('functools', 'partial')}({self.file.ref(parts, 'headers_from_text')}, {headers})"

    def _answering(self, view: MessageView, consumption: _Consumption, handler: str) -> str:
        reply = consumption.operation.reply
        if reply is None:
            return handler
        file, modules = self.file, self.modules
        replying = file.ref(modules.runtime("request_reply"), "Replying")
        exchange = exchange_of(view, reply, consumption.replies, modules, file)
        encode = self._encode_function(consumption)
        return f"{replying}(transport=transport, exchange={exchange}, answer={handler}, encode={encode}).handler"

    def _encode_function(self, consumption: _Consumption) -> str:
        """A local function before the routes that turns a reply into its message."""
        file, modules = self.file, self.modules
        outgoing = file.ref(modules.runtime("publishing"), "outgoing")
        if not consumption.replies:
            return f"lambda reply: {outgoing}(reply, 'application/octet-stream')"
        if len(consumption.replies) > 1:
            modules.diagnostics.unsupported(
                "python/reply-messages", f"the replies of `{consumption.operation.name}` are all sent as "
                f"`{consumption.replies[0].name}`", consumption.operation.location,
                hint="describe one reply message whose payload is a oneOf")
        view = consumption.replies[0]
        body = modules.encoded(view, "reply", file)
        return f"lambda reply: {outgoing}({body}, {text(view.content_type)}, name={text(view.name)})"

    def _subscribe_all(self) -> None:
        file, modules = self.file, self.modules
        transport, consuming = modules.runtime("transport"), modules.runtime("consuming")
        keywords: dict[str, str] = {}
        for consumption in self.consumptions:
            for keyword in (*consumption.address.parameters, *(["group: str"] if consumption.group is None else [])):
                keywords.setdefault(keyword.partition(":")[0], keyword)
        signature = ", ".join([f"transport: {file.ref(transport, 'Transport')}",
                               f"consumer: {self.prefix}Consumer", *_keyword_only([*keywords.values(), _CONCURRENCY])])
        file.lines(["", ""])
        subscriptions = file.ref(consuming, "Subscriptions")
        with file.block(f"async def subscribe_{snake(self.prefix)}({signature}) -> {subscriptions}:"):
            file.line(docstring("Subscribe the consumer to everything it receives, as the contract says: groups, "
                                "redelivery, dead letters, order."))
            file.line(f"return await {subscriptions}.start(")
            for consumption in self.consumptions:
                file.line(f"    {self._call(consumption)},")
            file.line(")")

    def _call(self, consumption: _Consumption) -> str:
        several = len(consumption.methods) > 1
        handlers = [f"{_handler_name(view, several)}=consumer.{name}" if several else f"consumer.{name}"
                    for name, view in consumption.methods]
        given = [f"{name}={name}" for name in consumption.address.names]
        if consumption.group is None:
            given.append("group=group")
        arguments = ", ".join(["transport", *handlers, *given, "concurrency=concurrency"])
        return f"subscribe_{snake(consumption.operation.name)}({arguments})"


def _handler_name(view: MessageView, several: bool) -> str:
    return f"on_{snake(view.name)}" if several else "handler"


def _keyword_only(keywords: list[str]) -> list[str]:
    ordered = sorted(keywords, key=lambda keyword: "=" in keyword)
    return ["*", *ordered] if ordered else []
