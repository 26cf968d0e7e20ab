"""Emits `server.py`: Protocols to implement, and what binds them to FastAPI."""

from __future__ import annotations

from codegen.model.services import HttpRole
from codegen.targets.files import GeneratedFile
from codegen.targets.python.http_client import about_operation
from codegen.targets.python.http_plan import Argument, Plan, of_role
from codegen.targets.python.http_spelling import HttpSpelling
from codegen.targets.python.writer import PythonFile, text

_RECEIVERS = ((HttpRole.WEBHOOK, "WebhookReceiver", "webhook"), (HttpRole.CALLBACK, "CallbackReceiver", "callback"))


def emit_server(spelling: HttpSpelling, plans: tuple[Plan, ...], *, serves_contract: bool) -> GeneratedFile:
    """The server module."""
    file = spelling.file("server", f"Server side of {spelling.service.name}: implement a Protocol, bind it to FastAPI.")
    endpoints = of_role(plans, HttpRole.ENDPOINT)
    for name in ["Api", "routes", "create_app"] if endpoints else []:
        file.define(name)
    for role, name, what in _RECEIVERS:
        if of_role(plans, role):
            for defined in (name, f"{what}_routes", f"create_{what}_app"):
                file.define(defined)
    writer = _Writer(spelling, file)
    if endpoints:
        errors = f"{spelling.layout.package}.runtime.errors.NotFound"
        about = f"What serves {spelling.service.name}. Raise `HttpProblem`, `{errors}` or the like to answer with it."
        writer.protocol("Api", about, endpoints)
        writer.routes("Api", "routes", endpoints)
        writer.app(serves_contract=serves_contract)
    for role, name, what in _RECEIVERS:
        found = of_role(plans, role)
        if found:
            writer.protocol(name, f"What receives the {what}s of {spelling.service.name}.", found)
            writer.received_routes(name, what, found)
    return GeneratedFile(path=file.path, content=file.render())


class _Writer:
    def __init__(self, spelling: HttpSpelling, file: PythonFile) -> None:
        self._spelling = spelling
        self._file = file

    def protocol(self, name: str, doc: str, plans: tuple[Plan, ...]) -> None:
        """The Protocol with a method per operation."""
        file = self._file
        file.lines(["", ""])
        with file.block(f"class {name}({file.ref('typing', 'Protocol')}):"):
            file.docstring(doc)
            for plan in plans:
                file.line()
                with file.block(handler_header(self._spelling, file, plan)):
                    file.docstring(about_operation(plan))
                    file.line("...")

    def routes(self, protocol: str, name: str, plans: tuple[Plan, ...]) -> None:
        """The function that binds every operation to its method."""
        file = self._file
        route = self._spelling.runtime(file, "http_server", "Route")
        operations = file.ref(self._spelling.package, "operations")
        file.lines(["", ""])
        with file.block(f"def {name}(api: {protocol}) -> tuple[{route}, ...]:"):
            file.line('"""Every operation with the method that serves it."""')
            bound = "".join(f"{route}({operations}.{plan.constant}, api.{plan.method}), " for plan in plans)
            file.line(f"return ({bound})")

    def app(self, *, serves_contract: bool) -> None:
        """`create_app` for the endpoints."""
        file, service = self._file, self._spelling.service
        contract = ""
        if serves_contract:
            files = file.ref("importlib.resources", "files")
            contract = f", contract={files}({text(self._spelling.package)}).joinpath('openapi.json').read_bytes()"
        self._app(
            "create_app",
            "api: Api",
            "routes(api)",
            "An application that serves every operation of `api`.",
            service.name,
            contract,
        )

    def _app(self, name: str, argument: str, routes: str, doc: str, title: str, contract: str = "") -> None:
        file = self._file
        fastapi = file.ref("fastapi", "FastAPI", typing_only=True)
        options = self._spelling.runtime(file, "http_server", "ServerOptions")
        create = self._spelling.runtime(file, "http_server", "build_app")
        operations = file.ref(self._spelling.package, "operations")
        file.lines(["", ""])
        with file.block(f"def {name}({argument}, options: {options} | None = None) -> {fastapi}:"):
            file.docstring(doc)
            file.line(
                f"return {create}({routes}, {operations}.SCHEMES, title={text(title)}, "
                f"version={text(self._spelling.service.version)}, options=options{contract})"
            )

    def received_routes(self, protocol: str, what: str, plans: tuple[Plan, ...]) -> None:
        """The routes of receivers, whose paths the receiver chooses."""
        file = self._file
        route = self._spelling.runtime(file, "http_server", "Route")
        mapping = file.ref("collections.abc", "Mapping")
        operations = file.ref(self._spelling.package, "operations")
        file.lines(["", ""])
        with file.block(
            f"def {what}_routes(receiver: {protocol}, paths: {mapping}[str, str] | None = None) -> tuple[{route}, ...]:"
        ):
            file.docstring(
                f"Every {what} with the method that receives it. `paths` are by method name; "
                "without one the path is that name."
            )
            file.line("chosen = paths or {}")
            bound = "".join(
                f"{route}({operations}.{plan.constant}, receiver.{plan.method}, "
                f"chosen.get({text(plan.method)}, {text('/' + plan.method)})), "
                for plan in plans
            )
            file.line(f"return ({bound})")
        self._app(
            f"create_{what}_app",
            f"receiver: {protocol}, paths: {mapping}[str, str] | None = None",
            f"{what}_routes(receiver, paths)",
            f"An application that receives every {what}.",
            f"{self._spelling.service.name}: {what}s",
        )


def handler_header(spelling: HttpSpelling, file: PythonFile, plan: Plan) -> str:
    """The line that begins the method that serves an operation."""
    streams = not plan.unary and plan.events is not None and not plan.binary
    prefix = "def" if streams else "async def"
    return (
        f"{prefix} {plan.method}({handler_signature(spelling, file, plan)}) "
        f"-> {_result(spelling, file, plan, streams=streams)}:"
    )


def _result(spelling: HttpSpelling, file: PythonFile, plan: Plan, *, streams: bool) -> str:
    iterator = file.ref("collections.abc", "AsyncIterator") if plan.events or plan.binary else ""
    if streams:
        return f"{iterator}[{spelling.event(file, plan)}]"
    parts = [spelling.result(file, plan)] if plan.unary else []
    if plan.events is not None:
        parts.append(f"{iterator}[{spelling.event(file, plan)}]")
    if plan.binary:
        parts += ["bytes", f"{iterator}[bytes]"]
    shown = spelling.types.either(parts, file)
    reply = spelling.runtime(file, "http_server", "Reply")
    return spelling.types.either([shown, f"{reply}[{shown}]"], file)


def handler_signature(spelling: HttpSpelling, file: PythonFile, plan: Plan) -> str:
    """The parameters of the method that serves an operation."""
    context = spelling.runtime(file, "http_requests", "RequestContext", typing_only=True)
    keywords = [_argument(spelling, file, argument) for argument in plan.arguments]
    if plan.body is not None:
        shown = spelling.received_body(file, plan.body)
        keywords.append(f"body: {shown if plan.body.required else spelling.types.either([shown, 'None'], file)}")
        if len(plan.body.content) > 1:
            keywords.append("content_type: str")
    return ", ".join(["self", f"context: {context}", *(["*", *keywords] if keywords else [])])


def _argument(spelling: HttpSpelling, file: PythonFile, argument: Argument) -> str:
    parameter = argument.parameter
    shown = spelling.argument(file, argument)
    given = parameter.required or (parameter.has_default and parameter.default is not None)
    return f"{argument.name}: {shown if given else spelling.types.either([shown, 'None'], file)}"
