"""The gRPC side of a skeleton: the proto services it implements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codegen.model.services import GrpcBinding, Operation, Service
from codegen.targets.python.grpc import method_name, module_names
from codegen.targets.python.names import pascal
from codegen.targets.python.proto_types import message_ref
from codegen.targets.python.skeleton.source import Source
from codegen.targets.python.writer import PythonFile, text


def handlers(source: Source, services: Sequence[Service], file: PythonFile) -> None:
    """One class per proto service, one method per RPC, appended to `file`."""
    for service in services:
        with file.block(f"class {class_name(service)}:"):
            file.line(f'"""Serves {service.id}."""')
            for operation, binding in _rpcs(source, service):
                file.line()
                _method(source, file, operation, binding)
        file.lines(["", ""])


def class_name(service: Service) -> str:
    """The handlers of `CheckoutService` are called `Checkout`."""
    name = pascal([service.name])
    return f"{name.removesuffix('Service') or name}Handlers"


def _rpcs(source: Source, service: Service) -> Iterator[tuple[Operation, GrpcBinding]]:
    for operation_id in service.operations:
        operation = source.graph.operations[operation_id]
        if isinstance(operation.binding, GrpcBinding):
            yield operation, operation.binding


def _method(source: Source, file: PythonFile, operation: Operation, binding: GrpcBinding) -> None:
    request, response = (
        message_ref(file, source.graph, source.layout, type_id) for type_id in (binding.input, binding.output)
    )
    if request is None or response is None:
        return
    call = source.runtime(file, "grpc_server", "Call")
    streams = binding.client_streaming or binding.server_streaming
    iterator = file.ref("collections.abc", "AsyncIterator") if streams else ""
    taken = f"requests: {iterator}[{request}]" if binding.client_streaming else f"request: {request}"
    given = f"{iterator}[{response}]" if binding.server_streaming else response
    define = "def" if binding.server_streaming else "async def"
    with file.block(f"{define} {method_name(operation, source.layout)}(self, {taken}, call: {call}, /) -> {given}:"):
        file.docstring(operation.doc)
        error = source.runtime(file, "errors", "Unimplemented")
        file.line(f"raise {error}({text(f'{operation.name} is not implemented yet')})")


def api(source: Source, services: Sequence[Service], file: PythonFile) -> None:
    """`bind` of `api.py`: the handlers on a gRPC server."""
    server = source.runtime(file, "grpc_server", "GrpcServer")
    with file.block(f"def bind(server: {server}) -> None:"):
        file.line('"""Serve everything that the contracts say this service serves."""')
        for service in services:
            module = source.layout.proto_module(service.location.path, "_grpc")
            add = file.ref(module, module_names(service, source.layout).add)
            handler = file.ref(f"{source.home}.handlers", class_name(service))
            file.line(f"{add}(server, {handler}())")
    file.lines(["", ""])
