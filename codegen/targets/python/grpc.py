"""Proto file -> `<file>_grpc.py`: per service a typed async client, the handler to implement, and what binds it.

The module only states what is particular to each RPC; how calls are made and served is in the package's runtime.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.ids import OperationId, TypeId
from codegen.model.services import GrpcBinding, Idempotency, Operation, Service
from codegen.model.types import ListOf, Primitive, Record, Scalar
from codegen.targets.files import GeneratedFile
from codegen.targets.python.layout import Layout
from codegen.targets.python.names import Namespace, constant, distinct, exact
from codegen.targets.python.proto_types import item_annotation, message_ref
from codegen.targets.python.writer import PythonFile, text

_STRING = Scalar(primitive=Primitive.STRING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rpc:
    operation: Operation
    binding: GrpcBinding
    method: str
    constant: str
    request: str
    response: str

    @property
    def kind(self) -> str:
        """The runtime's word for it: client channel method and server function."""
        return {
            (False, False): "unary",
            (False, True): "server_stream",
            (True, False): "client_stream",
            (True, True): "duplex",
        }[self.binding.client_streaming, self.binding.server_streaming]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    """A listing: the field with the items, what they are, and the name of the iterator."""

    name: str
    field: str
    item: str


def emit_proto_file(
    graph: Graph, layout: Layout, proto_file: str, diagnostics: Diagnostics
) -> tuple[GeneratedFile, ...]:
    """The gRPC module of a proto contract, given by its path; nothing when it has no services."""
    services = [graph.services[service] for service in graph.proto_files[proto_file].services]
    if not services:
        return ()
    module = layout.proto_module(proto_file, "_grpc")
    file = PythonFile(
        module, source=proto_file, doc=f"gRPC clients and servers of {', '.join(service.id for service in services)}."
    )
    emitter = _Emitter(graph, layout, file, diagnostics)
    names = Namespace(f"module {module}", diagnostics)
    claimed = [
        service
        for service in services
        if all(names.claim(name, service.id, service.location) for name in module_names(service, layout))
    ]
    for service in claimed:
        for name in module_names(service, layout):
            file.define(name)
    for service in claimed:
        emitter.service(service)
    return (GeneratedFile(path=file.path, content=file.render()),) if claimed else ()


class ModuleNames(NamedTuple):
    """What the gRPC module of a proto service defines."""

    methods: str
    client: str
    handler: str
    add: str
    """The function that binds a handler to a server."""


def module_names(service: Service, layout: Layout) -> ModuleNames:
    """How the parts of a service are called in `<file>_grpc.py`."""
    stem, function = layout.service_stems(service)
    return ModuleNames(f"{stem}Methods", f"{stem}Client", f"{stem}Handler", f"add_{function}")


def method_name(operation: Operation, layout: Layout) -> str:
    """How the method of an RPC is called in clients and handlers."""
    return layout.method_names(operation.id.rpartition("/")[0])[operation.id]


def _constants(operations: Sequence[Operation], layout: Layout) -> dict[OperationId, str]:
    names = {each.id: layout.chosen_name(each.location) or each.name for each in operations}
    return distinct({id_: (constant(name), exact(name)) for id_, name in names.items()})


class _Emitter:
    def __init__(self, graph: Graph, layout: Layout, file: PythonFile, diagnostics: Diagnostics) -> None:
        self._graph = graph
        self._layout = layout
        self._file = file
        self._diagnostics = diagnostics
        self._runtime = f"{layout.package}.runtime"

    def service(self, service: Service) -> None:
        rpcs = list(self._rpcs(service))
        methods, client, handler, add = module_names(service, self._layout)
        self._methods(methods, service, rpcs)
        self._client(client, methods, service, rpcs)
        self._handler(handler, add, service, rpcs)
        self._binding(add, handler, methods, service, rpcs)

    def _rpcs(self, service: Service) -> Iterator[_Rpc]:
        names = Namespace(f"client of {service.id}", self._diagnostics)
        constants = Namespace(f"methods of {service.id}", self._diagnostics)
        spelled = _constants([self._graph.operations[id_] for id_ in service.operations], self._layout)
        for operation_id in service.operations:
            operation = self._graph.operations[operation_id]
            if not isinstance(operation.binding, GrpcBinding):
                continue
            request, response = (
                message_ref(self._file, self._graph, self._layout, message)
                for message in (operation.binding.input, operation.binding.output)
            )
            if request is None or response is None:
                self._diagnostics.unsupported(
                    "python/message-name",
                    f"{operation.name} is left out: the name of its request or response is a Python keyword",
                    operation.location,
                    hint="rename the message",
                )
                continue
            method = method_name(operation, self._layout)
            if names.claim(method, operation.id, operation.location) and constants.claim(
                spelled[operation.id], operation.id, operation.location
            ):
                yield _Rpc(
                    operation=operation,
                    binding=operation.binding,
                    method=method,
                    constant=spelled[operation.id],
                    request=request,
                    response=response,
                )

    def _methods(self, name: str, service: Service, rpcs: Sequence[_Rpc]) -> None:
        file = self._file
        with file.block(f"class {name}:"):
            file.docstring(f"The RPCs of {service.id}.")
            file.line()
            for rpc in rpcs:
                arguments = [text(rpc.binding.service), text(rpc.binding.method), rpc.request, rpc.response]
                if rpc.operation.idempotency in (Idempotency.SAFE, Idempotency.IDEMPOTENT):
                    arguments.append("repeatable=True")
                if self._has_key_field(rpc):
                    arguments.append("key_field=True")
                file.line(f"{rpc.constant} = {self._ref('grpc_method', 'Method')}({', '.join(arguments)})")
        file.lines(["", ""])

    def _has_key_field(self, rpc: _Rpc) -> bool:
        return not rpc.binding.client_streaming and self._string_field(rpc.binding.input, "idempotency_key")

    def _string_field(self, message: TypeId, name: str) -> bool:
        record = self._record(message)
        return record is not None and any(field.name == name and field.type == _STRING for field in record.fields)

    def _record(self, message: TypeId) -> Record | None:
        found = self._graph.declarations.get(message)
        return found if isinstance(found, Record) else None

    def _client(self, name: str, methods: str, service: Service, rpcs: Sequence[_Rpc]) -> None:
        file = self._file
        file.lines(self._deprecation(service.deprecated, f"{service.id} is deprecated"))
        with file.block(f"class {name}:"):
            file.docstring(_client_doc(service))
            file.line()
            options = f"{self._ref('grpc_client', 'ClientOptions')} | None = None"
            channel = file.ref("grpc.aio", "Channel", typing_only=True)
            with file.block(f"def __init__(self, target: str | {channel}, *, options: {options}) -> None:"):
                file.line(f"self._channel = {self._ref('grpc_client', 'ClientChannel')}(target, options)")
                for rpc in rpcs:
                    file.line(f"self._rpc_{rpc.method} = self._channel.{rpc.kind}({methods}.{rpc.constant})")
            self._lifecycle()
            taken = {rpc.method for rpc in rpcs}
            for rpc in rpcs:
                self._client_method(rpc)
                pages = self._pages(rpc)
                if pages is not None and pages.name in taken:
                    self._diagnostics.warning(
                        "python/no-item-iterator",
                        f"no iterator over the items of {rpc.operation.name}: another RPC is called {pages.name}",
                        rpc.operation.location,
                        hint="rename the other RPC in the settings, or loop over the pages yourself",
                    )
                elif pages is not None:
                    self._items_method(rpc, pages)
        file.lines(["", ""])

    def _lifecycle(self) -> None:
        file = self._file
        file.line()
        with file.block(f"async def __aenter__(self) -> {file.ref('typing', 'Self')}:"):
            file.line("return self")
        file.line()
        with file.block("async def __aexit__(self, *exc: object) -> None:"):
            file.line("await self.aclose()")
        file.line()
        with file.block("async def aclose(self) -> None:"):
            file.docstring("Close the channel, unless it was given to the client.")
            file.line("await self._channel.aclose()")

    def _parameters(self) -> str:
        deadline = self._ref("resilience", "Deadline", typing_only=True)
        metadata = self._ref("grpc_client", "Metadata", typing_only=True)
        info = self._ref("grpc_client", "ResponseInfo", typing_only=True)
        return (
            f"*, deadline: float | {deadline} | None = None, metadata: {metadata} = (), "
            f"idempotency_key: str | None = None, info: {info} | None = None"
        )

    def _client_method(self, rpc: _Rpc) -> None:
        file = self._file
        if rpc.binding.client_streaming:
            stream, several = (
                file.ref("collections.abc", name, typing_only=True) for name in ("AsyncIterable", "Iterable")
            )
            taken = f"requests: {stream}[{rpc.request}] | {several}[{rpc.request}]"
        else:
            taken = f"request: {rpc.request}"
        argument = taken.partition(":")[0]
        call = f"self._rpc_{rpc.method}({argument}, deadline, metadata, idempotency_key, info)"
        if rpc.binding.server_streaming:
            given = f"{self._ref('grpc_client', 'ResponseStream', typing_only=True)}[{rpc.response}]"
            header, result = f"def {rpc.method}(self, {taken}, {self._parameters()}) -> {given}:", f"return {call}"
        else:
            header = f"async def {rpc.method}(self, {taken}, {self._parameters()}) -> {rpc.response}:"
            result = f"return await {call}"
        file.line()
        file.lines(self._deprecation(rpc.operation.deprecated, f"{rpc.operation.name} is deprecated"))
        with file.block(header):
            file.docstring(rpc.operation.doc)
            file.line(result)

    def _deprecation(self, deprecated: bool, message: str) -> tuple[str, ...]:
        if not deprecated:
            return ()
        return (f"@{self._file.ref('typing_extensions', 'deprecated')}({text(message)})",)

    def _pages(self, rpc: _Rpc) -> _Pages | None:
        binding = rpc.binding
        if (
            rpc.kind != "unary"
            or not self._string_field(binding.input, "page_token")
            or not self._string_field(binding.output, "next_page_token")
        ):
            return None
        record = self._record(binding.output)
        repeated = (
            [(field, field.type.item) for field in record.fields if isinstance(field.type, ListOf)] if record else []
        )
        if not repeated:
            return None
        field, kind = min(repeated, key=lambda found: found[0].number or 0)
        item = item_annotation(self._file, self._graph, self._layout, kind, field.extensions["proto.type"])
        if item is None or keyword.iskeyword(field.name):
            return None
        return _Pages(name=f"{rpc.method}_items", field=field.name, item=item)

    def _items_method(self, rpc: _Rpc, pages: _Pages) -> None:
        file = self._file
        stream = file.ref("collections.abc", "AsyncIterator", typing_only=True)
        deadline = self._ref("resilience", "Deadline", typing_only=True)
        metadata = self._ref("grpc_client", "Metadata", typing_only=True)
        file.line()
        parameters = f"request: {rpc.request}, *, deadline: float | {deadline} | None = None, metadata: {metadata} = ()"
        with file.block(f"def {pages.name}(self, {parameters}) -> {stream}[{pages.item}]:"):
            file.docstring(
                f"The {pages.field} of all pages, from that of `request` on.\n\n"
                "A `deadline` in seconds is that of each page."
            )
            file.line(
                f"return {self._ref('grpc_client', 'items')}(lambda page: self.{rpc.method}(page, "
                f"deadline=deadline, metadata=metadata), request, lambda response: response.{pages.field})"
            )

    def _handler(self, name: str, add: str, service: Service, rpcs: Sequence[_Rpc]) -> None:
        file = self._file
        call = self._ref("grpc_server", "Call", typing_only=True)
        with file.block(f"class {name}({file.ref('typing', 'Protocol')}):"):
            file.docstring(
                f"Implement this to serve {service.id}, and give it to `{add}`.\n\n"
                f"Raise `{self._runtime}.errors.NotFound` and the like to answer with that status."
            )
            for rpc in rpcs:
                iterator = file.ref("collections.abc", "AsyncIterator", typing_only=True) if rpc.kind != "unary" else ""
                taken = (
                    f"requests: {iterator}[{rpc.request}]"
                    if rpc.binding.client_streaming
                    else (f"request: {rpc.request}")
                )
                given = f"{iterator}[{rpc.response}]" if rpc.binding.server_streaming else rpc.response
                define = "def" if rpc.binding.server_streaming else "async def"
                file.line()
                with file.block(f"{define} {rpc.method}(self, {taken}, call: {call}, /) -> {given}:"):
                    if rpc.operation.doc.strip():
                        file.docstring(rpc.operation.doc)
                    else:
                        file.line("...")
        file.lines(["", ""])

    def _binding(self, name: str, handler: str, methods: str, service: Service, rpcs: Sequence[_Rpc]) -> None:
        file = self._file
        server = self._ref("grpc_server", "GrpcServer", typing_only=True)
        sequence = file.ref("collections.abc", "Sequence", typing_only=True)
        interceptor = self._ref("grpc_server", "Interceptor", typing_only=True)
        with file.block(
            f"def {name}(server: {server}, handler: {handler}, *, "
            f"interceptors: {sequence}[{interceptor}] = ()) -> None:"
        ):
            file.docstring(f"Serve {service.id} with `handler`. Interceptors are entered around every call, in order.")
            bound = ", ".join(
                f"{self._ref('grpc_server', rpc.kind)}({methods}.{rpc.constant}, handler.{rpc.method})" for rpc in rpcs
            )
            trailing = "," if len(rpcs) > 1 else ""
            file.line(f"server.add({text(service.id)}, [{bound}{trailing}], interceptors)")
        file.lines(["", ""])

    def _ref(self, module: str, name: str, *, typing_only: bool = False) -> str:
        return self._file.ref(f"{self._runtime}.{module}", name, typing_only=typing_only)


def _client_doc(service: Service) -> str:
    own = service.doc or f"Calls {service.id}."
    return f"{own}\n\n`target` is an address (`localhost:50051`, `dns:///orders:50051`) or a channel, which stays open."
