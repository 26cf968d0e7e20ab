"""The event side of a skeleton: handlers for what it receives, and `consumers.py` that subscribes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codegen.diagnostics import Diagnostics
from codegen.model.events import Action, Application, EventOperation
from codegen.targets.python.event_messages import (
    Form,
    MessageView,
    Modules,
    address_of,
    service_classes,
    union,
)
from codegen.targets.python.event_names import TAKEN_BY_CONSUMERS, method_names
from codegen.targets.python.event_replies import answers_of
from codegen.targets.python.names import snake
from codegen.targets.python.skeleton.source import Source, finished
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a service receives by one AsyncAPI document."""

    application: Application
    prefix: str
    """Of the generated class and function: `OrderEvents`."""
    operations: tuple[EventOperation, ...]
    modules: Modules

    @property
    def module(self) -> str:
        """The generated module that subscribes."""
        return f"{self.modules.layout.contract_package(self.application.id)}.consumers"

    @property
    def handlers(self) -> str:
        """Name of the class in the skeleton."""
        return f"{self.prefix}Handlers"


def received_by(source: Source, diagnostics: Diagnostics) -> tuple[Received, ...]:
    """What the contracts say that the service receives (`x-service`), by document."""
    graph = source.graph
    modules = Modules(graph, source.layout, Spelling(graph, source.layout, Diagnostics()), Diagnostics())
    found = []
    for application in graph.applications.values():
        events = [graph.event_operations[id_] for id_ in application.operations if id_ in graph.event_operations]
        mine = [event for event in events if event.action is Action.RECEIVE and event.service == source.name]
        for prefix, operations in service_classes(mine, application.name).items():
            received = Received(application=application, prefix=prefix, operations=tuple(operations), modules=modules)
            if _is_startable(received, diagnostics):
                found.append(received)
    return tuple(found)


def _is_startable(received: Received, diagnostics: Diagnostics) -> bool:
    scratch = PythonFile("scratch", source="")
    for event in received.operations:
        channel = received.modules.channel(event.channel)
        if channel is None or address_of(channel, received.modules, scratch, TAKEN_BY_CONSUMERS).parameters:
            diagnostics.unsupported(
                "skeleton/address",
                f"`{received.application.name}` is not subscribed: the address of `{event.name}` has parameters",
                event.location,
                hint=f"call `subscribe_{snake(received.prefix)}` in consumers.py with their values",
            )
            return False
    return True


def handlers(source: Source, received: Sequence[Received], file: PythonFile) -> None:
    """One class per document, one method per message, appended to `file`."""
    for each in received:
        with file.block(f"class {each.handlers}:"):
            file.line(f'"""Receives what {each.application.id} says that this service receives."""')
            for event, name, view in _messages(each):
                file.line()
                _method(source, each.modules, file, event, name, view)
        file.lines(["", ""])


def _messages(received: Received) -> Iterator[tuple[EventOperation, str, MessageView]]:
    views = {event.id: received.modules.views(event.messages) for event in received.operations}
    names = method_names(
        {event.id: (event, [view.message for view in views[event.id]]) for event in received.operations}
    )
    for event in received.operations:
        for view in views[event.id]:
            yield event, names[event.id, view.message.id], view


def _method(
    source: Source, modules: Modules, file: PythonFile, event: EventOperation, name: str, view: MessageView
) -> None:
    argument = "event" if view.form is Form.CLOUD_EVENT else "payload"
    headers = modules.headers_type(view, file) or source.runtime(file, "consuming", "RawHeaders")
    delivery = f"{source.runtime(file, 'consuming', 'Delivery')}[{headers}]"
    payload = modules.payload_type(view, file)
    result = _result(source, modules, file, event)
    with file.block(f"async def {name}(self, {argument}: {payload}, delivery: {delivery}) -> {result}:"):
        file.docstring(event.summary or event.doc or view.message.summary or view.message.doc)
        error = source.runtime(file, "errors", "Unimplemented")
        file.line(f"raise {error}({text(f'{event.name} is not implemented yet')})")


def _result(source: Source, modules: Modules, file: PythonFile, event: EventOperation) -> str:
    if event.reply is None:
        return f"{source.runtime(file, 'transport', 'Outcome')} | None"
    others = [source.runtime(file, "transport", name) for name in ("Retry", "Drop")]
    return union([answers_of(event, modules, file).type, *others])


def module(source: Source, received: Sequence[Received]) -> str:
    """The subscriptions of the service."""
    file = source.file("consumers", f"The events that the {source.name} service receives, bound to its handlers.")
    transport = source.runtime(file, "transport", "Transport")
    subscriptions = source.runtime(file, "consuming", "Subscriptions")
    with file.block(f"async def start(transport: {transport}) -> tuple[{subscriptions}, ...]:"):
        file.line('"""Subscribe to everything that the contracts say this service receives."""')
        calls = []
        for each in received:
            subscribe = file.ref(each.module, f"subscribe_{snake(each.prefix)}")
            handler = file.ref(f"{source.home}.handlers", each.handlers)
            calls.append(f"await {subscribe}(transport, {handler}())")
        file.line(f"return ({', '.join(calls)}{',' if len(calls) == 1 else ''})")
    return finished(file)
