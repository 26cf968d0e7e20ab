"""Emits `front.py`: the HTTP side of RPCs, where operations say with `x-grpc-method` which RPC they front."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.diagnostics import Diagnostics
from codegen.model.services import GrpcBinding, Operation, Parameter, ParameterPlace, Transcoding
from codegen.model.types import MapOf, Record
from codegen.targets.files import GeneratedFile
from codegen.targets.python.grpc import method_name, module_names
from codegen.targets.python.http_plan import Plan
from codegen.targets.python.http_server import handler_signature
from codegen.targets.python.http_spelling import HttpSpelling
from codegen.targets.python.names import snake
from codegen.targets.python.proto_types import message_ref
from codegen.targets.python.writer import PythonFile, json_literal, text


def emit_front(
    spelling: HttpSpelling, endpoints: tuple[Plan, ...], fronted: tuple[Plan, ...], diagnostics: Diagnostics
) -> GeneratedFile:
    """The front module: `Front` has a method for every endpoint; those that front no RPC answer 501."""
    file = spelling.file("front", f"{spelling.service.name} in front of the services that do the work.")
    file.define("Front")
    writer = _Writer(spelling, file, diagnostics)
    expressible = {plan.method for plan in fronted if writer.transcoding(plan)}
    writer.front(endpoints, expressible)
    return GeneratedFile(path=file.path, content=file.render())


def front_clients(spelling: HttpSpelling, fronted: tuple[Plan, ...]) -> Mapping[str, str]:
    """The arguments of `Front` that are clients, by the full name of their service."""
    writer = _Writer(spelling, spelling.file("front", ""), Diagnostics())
    for plan in fronted:
        writer.transcoding(plan)
    return writer.clients


class _Writer:
    def __init__(self, spelling: HttpSpelling, file: PythonFile, diagnostics: Diagnostics) -> None:
        self._spelling = spelling
        self._file = file
        self._diagnostics = diagnostics
        self.clients: dict[str, str] = {}

    def _runtime(self, name: str) -> str:
        return self._spelling.runtime(self._file, "transcode", name)

    def _rpc(self, plan: Plan) -> tuple[Operation, GrpcBinding, Transcoding] | None:
        operation = plan.operation
        rpc = self._spelling.graph.operations[operation.fronts] if operation.fronts is not None else None
        if rpc is None or operation.transcoding is None or not isinstance(rpc.binding, GrpcBinding):
            return None
        return rpc, rpc.binding, operation.transcoding

    def transcoding(self, plan: Plan) -> bool:
        """Write the constant of one operation; False, reported, when it cannot be expressed."""
        found = self._rpc(plan)
        if found is None:
            return False
        rpc, binding, how = found
        request = message_ref(self._file, self._spelling.graph, self._spelling.layout, binding.input)
        if request is None or binding.client_streaming:
            self._diagnostics.unsupported(
                "http/front",
                f"{plan.operation.name} cannot front {rpc.id}: "
                + ("it takes a stream" if binding.client_streaming else "its request has no Python name"),
                how.location,
            )
            return False
        parts = [request, *self._members(plan, binding, how)]
        self._file.line(f"_{plan.constant} = {self._runtime('Transcoding')}({', '.join(parts)})")
        self._client(binding.service)
        return True

    def _members(self, plan: Plan, binding: GrpcBinding, how: Transcoding) -> list[str]:
        parts = []
        fields = self._fields(plan, binding, how)
        if fields:
            parts.append(f"fields=({', '.join(fields)},)")
        if plan.body is not None:
            parts.append(f"body={text(how.body_field or '*')}")
        if how.response_field is not None:
            parts.append(f"response={text(how.response_field)}")
        if how.constants:
            constants = ", ".join(f"{text(name)}: {json_literal(value)}" for name, value in how.constants)
            parts.append(f"constants={{{constants}}}")
        statuses = {**_statuses(self._spelling.service.extensions), **_statuses(plan.operation.extensions)}
        if statuses:
            listed = ", ".join(f"{text(code)}: {status}" for code, status in statuses.items())
            parts.append(f"statuses={{{listed}}}")
        return parts

    def _fields(self, plan: Plan, binding: GrpcBinding, how: Transcoding) -> list[str]:
        renamed = dict(how.parameter_fields)
        declared = self._spelling.graph.declarations.get(binding.input)
        maps = (
            {field.name for field in declared.fields if isinstance(field.type, MapOf)}
            if isinstance(declared, Record)
            else set()
        )
        found = []
        for argument in plan.arguments:
            parameter = argument.parameter
            in_message = parameter.place in (ParameterPlace.PATH, ParameterPlace.QUERY)
            if not in_message and parameter.name not in renamed:
                continue
            name = renamed.get(parameter.name, parameter.name)
            key = text(_key(parameter)) if name in maps and not in_message else "None"
            found.append(f"({text(argument.name)}, {text(name)}, {key})")
        return found

    def _client(self, service: str) -> str:
        """The constructor's argument for a service."""
        short = snake(service.rpartition(".")[2])
        known = {name: of for of, name in self.clients.items()}
        name = short if known.get(short, service) == service else snake(service)
        return self.clients.setdefault(service, name)

    def front(self, endpoints: tuple[Plan, ...], expressible: set[str]) -> None:
        """The class."""
        file = self._file
        file.lines(["", ""])
        with file.block("class Front:"):
            file.docstring(
                f"Serves {self._spelling.service.name} by calling the services behind it: give it to "
                "`create_app`.\n\nOverride a method to answer by other means."
            )
            file.line()
            arguments = []
            for service, name in self.clients.items():
                proto = self._spelling.graph.services[service]
                module = self._spelling.layout.proto_module(proto.location.path, "_grpc")
                client = file.ref(module, module_names(proto, self._spelling.layout).client, typing_only=True)
                arguments.append(f"{name}: {client}")
            options = self._runtime("FrontOptions")
            with file.block(
                f"def __init__(self, *, {', '.join(arguments)}{', ' if arguments else ''}"
                f"options: {options} | None = None) -> None:"
            ):
                for name in self.clients.values():
                    file.line(f"self._{name} = {name}")
                file.line(f"self._front = {self._runtime('RpcFront')}(options)")
            for plan in endpoints:
                self._method(plan, called=plan.method in expressible)

    def _method(self, plan: Plan, *, called: bool) -> None:
        file = self._file
        streams = plan.events is not None and not plan.unary
        shown = (
            f"{file.ref('collections.abc', 'AsyncIterator')}[{self._spelling.event(file, plan)}]"
            if streams
            else self._spelling.result(file, plan)
        )
        if plan.binary and not streams:
            shown = "bytes"
        file.line()
        prefix = "def" if streams else "async def"
        with file.block(f"{prefix} {plan.method}({handler_signature(self._spelling, file, plan)}) -> {shown}:"):
            found = self._rpc(plan)
            if not called or found is None:
                problem = self._spelling.runtime(file, "problem", "HttpProblem")
                file.line(f"raise {problem}(501)")
                return
            operations = file.ref(self._spelling.package, "operations")
            arguments = ", ".join(f"{text(a.name)}: {a.name}" for a in plan.arguments)
            rpc = f"self._{self._client(found[1].service)}.{method_name(found[0], self._spelling.layout)}"
            parts = [f"{operations}.{plan.constant}", f"_{plan.constant}", rpc, "context", f"{{{arguments}}}"]
            if plan.body is not None:
                parts.append("body")
            keys = [a.name for a in plan.arguments if a.is_key]
            if keys:
                parts.append(f"idempotency_key={keys[0]}")
            call = "stream" if found[1].server_streaming else "unary"
            awaited = "" if streams else "await "
            file.line(f"return {awaited}self._front.{call}({', '.join(parts)})")


def _key(parameter: Parameter) -> str:
    """What a parameter is called in a map: names of headers mean the same in any case, and travel in lower case."""
    return parameter.name.lower() if parameter.place is ParameterPlace.HEADER else parameter.name


def _statuses(extensions: object) -> dict[str, int]:
    """`x-grpc-status` of the document or the operation: HTTP statuses by gRPC code."""
    found = extensions.get("x-grpc-status") if isinstance(extensions, dict) else None
    if not isinstance(found, dict):
        return {}
    return {code: status for code, status in found.items() if isinstance(status, int)}
