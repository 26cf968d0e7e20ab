"""Emits `consumers.py`: a Protocol for each service that receives, and functions that subscribe its handlers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from codegen.model.events import Action, Application, Channel, EventOperation
from codegen.model.ids import OperationId
from codegen.targets.files import GeneratedFile
from codegen.targets.python.event_messages import (
    AddressArguments,
    Form,
    MessageView,
    Modules,
    address_of,
    exchange_of,
    expression_of,
    service_classes,
    union,
)
from codegen.targets.python.event_names import TAKEN_BY_CONSUMERS, handler_names, method_names, operation_names
from codegen.targets.python.event_replies import Answers, answers_of
from codegen.targets.python.names import Namespace, snake
from codegen.targets.python.writer import PythonFile, docstring, text

_CONCURRENCY = "concurrency: int = 10"


def emit_consumers(
    application: Application, operations: Iterable[EventOperation], modules: Modules
) -> GeneratedFile | None:
    """The module; None when the application receives nothing."""
    receiving = [operation for operation in operations if operation.action is Action.RECEIVE]
    package = modules.layout.contract_package(application.id)
    file = PythonFile(f"{package}.consumers", source=application.id, doc=f"What `{application.name}` receives.")
    names = Namespace(f"module {file.module}", modules.diagnostics)
    classes = service_classes(receiving, application.name)
    functions = operation_names(receiving, {snake(prefix) for prefix in classes})
    for prefix in classes:
        file.define(f"{prefix}Consumer")
        file.define(f"subscribe_{snake(prefix)}")
    for name in functions.values():
        file.define(f"subscribe_{name}")
    emitted = False
    for prefix, members in classes.items():
        usable = [
            consumption
            for consumption in _consumptions(members, functions, modules, file)
            if names.claim(consumption.function, consumption.operation.name, consumption.operation.location)
        ]
        if usable and names.claim(f"{prefix}Consumer", members[0].service or application.name, members[0].location):
            _warn_of_competition(usable, modules)
            _Consumer(prefix, usable, modules, file).emit()
            emitted = True
    return GeneratedFile(path=file.path, content=file.render()) if emitted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receiver:
    """One message of an operation: the Protocol's method for it, and the parameter for a handler by itself."""

    view: MessageView
    method: str
    handler: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Consumption:
    """An operation with what its functions need."""

    operation: EventOperation
    function: str
    channel: Channel
    receivers: tuple[_Receiver, ...]
    answers: Answers
    address: AddressArguments
    group: str | None

    @property
    def keywords(self) -> tuple[str, ...]:
        """Parameters that a subscription needs before it can start."""
        group = f"group: str = {text(self.group)}" if self.group is not None else "group: str"
        return (*self.address.parameters, group)


def _consumptions(
    operations: list[EventOperation], functions: Mapping[OperationId, str], modules: Modules, file: PythonFile
) -> Iterator[_Consumption]:
    methods = method_names({o.id: (o, [view.message for view in modules.views(o.messages)]) for o in operations})
    for operation in operations:
        channel, views = modules.channel(operation.channel), modules.views(operation.messages)
        if channel is None or not views:
            modules.diagnostics.unsupported(
                "python/no-message",
                f"`{operation.name}` has no message: there is nothing to receive",
                operation.location,
                hint="name the messages under the channel or the operation",
            )
            continue
        handlers = handler_names(view.message for view in views)
        receivers = [
            _Receiver(
                view=view,
                method=methods[operation.id, view.message.id],
                handler=handlers[view.message.id] if len(views) > 1 else "handler",
            )
            for view in views
        ]
        yield _Consumption(
            operation=operation,
            function=f"subscribe_{functions[operation.id]}",
            channel=channel,
            receivers=tuple(receivers),
            answers=answers_of(operation, modules, file),
            address=address_of(channel, modules, file, TAKEN_BY_CONSUMERS),
            group=operation.consumer_group or operation.service,
        )


def _warn_of_competition(consumptions: list[_Consumption], modules: Modules) -> None:
    seen: dict[tuple[str, str], EventOperation] = {}
    for consumption in consumptions:
        if consumption.group is None:
            continue
        other = seen.setdefault((consumption.channel.id, consumption.group), consumption.operation)
        if other is not consumption.operation:
            modules.diagnostics.warning(
                "events/competing-operations",
                f"`{consumption.operation.name}` and `{other.name}` read one channel in "
                f"one group, `{consumption.group}`: each message goes to one of the two only",
                consumption.operation.location,
                related=(other.location,),
                hint="give them different `x-consumer-group`s, or make them one operation",
            )


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
            file.line(
                docstring(
                    f"{about}\n\nReturning None means success, an exception another attempt; `Retry` and `Drop` say "
                    "more."
                )
            )
            for consumption in self.consumptions:
                for each in consumption.receivers:
                    element = f"{consumption.operation.name} {each.view.name}"
                    if names.claim(each.method, element, each.view.message.location):
                        self._method(each.method, each.view, consumption)

    def _method(self, name: str, view: MessageView, consumption: _Consumption) -> None:
        file = self.file
        file.line()
        argument = "event" if view.form is Form.CLOUD_EVENT else "payload"
        with file.block(
            f"async def {name}(self, {argument}: {self.modules.payload_type(view, file)}, "
            f"delivery: {self._delivery(view)}) -> {self._result(consumption)}:"
        ):
            operation, message = consumption.operation, view.message
            file.line(
                docstring(
                    operation.summary or operation.doc or message.summary or message.doc or f"Handle `{message.name}`."
                )
            )

    def _delivery(self, view: MessageView) -> str:
        consuming = self.modules.runtime("consuming")
        headers = self.modules.headers_type(view, self.file) or self.file.ref(consuming, "RawHeaders")
        return f"{self.file.ref(consuming, 'Delivery')}[{headers}]"

    def _result(self, consumption: _Consumption) -> str:
        transport = self.modules.runtime("transport")
        if consumption.operation.reply is None:
            return f"{self.file.ref(transport, 'Outcome')} | None"
        return union([consumption.answers.type, self.file.ref(transport, "Retry"), self.file.ref(transport, "Drop")])

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
        several = len(consumption.receivers) > 1
        handlers = [f"{each.handler}: {self._handler_type(each.view, consumption)}" for each in consumption.receivers]
        keywords = [
            *(handlers if several else []),
            *consumption.keywords,
            _CONCURRENCY,
            f"redelivery: {file.ref(transport, 'Redelivery')} = {self._redelivery(consumption.channel)}",
            f"start: {file.ref(transport, 'StartAt')} = {file.ref(transport, 'StartAt')}.BEGINNING",
        ]
        positional = [f"transport: {file.ref(transport, 'Transport')}", *([] if several else handlers)]
        signature = ", ".join([*positional, *_keyword_only(keywords)])
        result = file.ref(transport, "Subscription")
        file.lines(["", ""])
        with file.block(f"async def {consumption.function}({signature}) -> {result}:"):
            file.line(docstring(self._subscribe_doc(consumption)))
            self._options(consumption)
            if consumption.operation.reply is not None:
                consumption.answers.emit_encoder(modules, file)
            self._routes(consumption)
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
        return (
            f"{redelivery}(max_attempts={retry.max_attempts}, initial_delay={retry.initial_delay!r}, "
            f"max_delay={retry.max_delay!r}, multiplier={retry.multiplier!r})"
        )

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
                "python/dead-letter",
                f"the dead-letter channel of `{consumption.channel.name}` belongs to no "
                "application: messages that are given up are dropped",
                consumption.channel.location,
                hint="list it under `channels` of this document, with a `$ref`",
            )
            return None
        address = address_of(letters, self.modules, self.file, TAKEN_BY_CONSUMERS)
        if set(address.names) - set(consumption.address.names) or letters.address is None:
            self.modules.diagnostics.unsupported(
                "python/dead-letter",
                f"the address of the dead letters of `{consumption.channel.name}` is not known: "
                "messages that are given up are dropped",
                letters.location,
                hint="use only parameters that the channel has too",
            )
            return None
        return address.expression

    def _routes(self, consumption: _Consumption) -> None:
        file, modules = self.file, self.modules
        consuming = modules.runtime("consuming")
        file.line(f"handle = {file.ref(consuming, 'dispatcher')}(")
        for each in consumption.receivers:
            view = each.view
            handler = self._answering(view, consumption, each.handler)
            arguments = [
                f"name={text(view.name)}",
                f"decode={modules.decoder(view, file)}",
                f"headers={self._headers(view)}",
                f"handle={handler}",
            ]
            if view.form is Form.CLOUD_EVENT:
                arguments.append(f"event_type={text(view.event_type or view.name)}")
            file.line(f"    {file.ref(consuming, 'Route')}({', '.join(arguments)}),")
        ignored = self._ignored(consumption)
        if ignored:
            file.line(f"    ignored=frozenset({{{', '.join(text(name) for name in ignored)}}}),")
        file.line(")")

    def _ignored(self, consumption: _Consumption) -> list[str]:
        wanted = {each.view.message.id for each in consumption.receivers}
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
        exchange = exchange_of(view, reply, consumption.answers.replies, modules, file)
        if len(consumption.answers.replies) > 1:
            headers = modules.headers_type(view, file) or file.ref(modules.runtime("consuming"), "RawHeaders")
            kinds = (modules.payload_type(view, file), headers, consumption.answers.type)
            replying += f"[{', '.join(text(kind) for kind in kinds)}]"
        return f"{replying}(transport=transport, exchange={exchange}, answer={handler}, encode=encode).handler"

    def _subscribe_all(self) -> None:
        file, modules = self.file, self.modules
        transport, consuming = modules.runtime("transport"), modules.runtime("consuming")
        arguments = self._arguments()
        keywords = {given: keyword for each in arguments.values() for given, keyword in each.values()}
        if any(consumption.group is None for consumption in self.consumptions):
            keywords["group"] = "group: str"
        signature = ", ".join(
            [
                f"transport: {file.ref(transport, 'Transport')}",
                f"consumer: {self.prefix}Consumer",
                *_keyword_only([*keywords.values(), _CONCURRENCY]),
            ]
        )
        file.lines(["", ""])
        subscriptions = file.ref(consuming, "Subscriptions")
        with file.block(f"async def subscribe_{snake(self.prefix)}({signature}) -> {subscriptions}:"):
            file.line(
                docstring(
                    "Subscribe the consumer to everything it receives, as the contract says: groups, "
                    "redelivery, dead letters, order."
                )
            )
            file.line(f"return await {subscriptions}.start(")
            for consumption in self.consumptions:
                file.line(f"    {self._call(consumption, arguments[consumption.operation.id])},")
            file.line(")")

    def _arguments(self) -> dict[OperationId, dict[str, tuple[str, str]]]:
        """Parameters of the addresses: name -> (the one to pass on, its declaration), for each operation.

        Channels share a parameter that is the same for all that have it; others are told apart by their channel.
        """
        meanings: dict[str, set[str]] = {}
        for consumption in self.consumptions:
            for name, keyword in zip(consumption.address.names, consumption.address.parameters, strict=True):
                meanings.setdefault(name, set()).add(self._meaning(consumption, keyword))
        found: dict[OperationId, dict[str, tuple[str, str]]] = {}
        for consumption in self.consumptions:
            own = found.setdefault(consumption.operation.id, {})
            for name, keyword in zip(consumption.address.names, consumption.address.parameters, strict=True):
                given = name if len(meanings[name]) == 1 else f"{snake(consumption.channel.name)}_{name}"
                own[name] = given, given + keyword.removeprefix(name)
        return found

    def _meaning(self, consumption: _Consumption, keyword: str) -> str:
        return keyword if consumption.channel.address is not None else f"{keyword} of {consumption.channel.id}"

    def _call(self, consumption: _Consumption, arguments: Mapping[str, tuple[str, str]]) -> str:
        several = len(consumption.receivers) > 1
        handlers = [
            f"{each.handler}=consumer.{each.method}" if several else f"consumer.{each.method}"
            for each in consumption.receivers
        ]
        given = [f"{name}={value}" for name, (value, _) in arguments.items()]
        if consumption.group is None:
            given.append("group=group")
        return f"{consumption.function}({', '.join(['transport', *handlers, *given, 'concurrency=concurrency'])})"


def _keyword_only(keywords: list[str]) -> list[str]:
    ordered = sorted(keywords, key=lambda keyword: "=" in keyword)
    return ["*", *ordered] if ordered else []
