"""The HTTP side of a skeleton: the OpenAPI documents of its domain, answered by RPCs or by handlers of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from codegen.diagnostics import Diagnostics
from codegen.model.services import HttpRole, SecurityScheme, Service
from codegen.targets.python.front import front_clients
from codegen.targets.python.grpc import module_names
from codegen.targets.python.http_plan import Plan, of_role, plan_operations
from codegen.targets.python.http_server import handler_header
from codegen.targets.python.http_spelling import HttpSpelling
from codegen.targets.python.names import pascal, snake
from codegen.targets.python.skeleton.source import Source, finished
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, printable, text

_COMMENT_WIDTH = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An OpenAPI document that the service serves; of one that has only webhooks, the service is the receiver."""

    service: Service
    spelling: HttpSpelling
    plans: tuple[Plan, ...]
    receives: bool
    clients: tuple[tuple[str, str], ...]
    """(argument of `Front`, full name of the proto service); empty = it has handlers of its own."""

    @property
    def server(self) -> str:
        """The generated module that binds it."""
        return f"{self.spelling.package}.server"

    @property
    def name(self) -> str:
        """Of the class in the skeleton: `GatewayV1Api`."""
        path = PurePosixPath(self.service.id)
        stem = path.name.partition(".")[0]
        kind = "Webhooks" if self.receives else "Api"
        return pascal([*path.parent.parts, *([] if stem == "openapi" else [stem]), kind])

    @property
    def schemes(self) -> tuple[SecurityScheme, ...]:
        """Those that some operation asks for."""
        used = {use.scheme for plan in self.plans for requirement in plan.binding.security for use in requirement}
        return tuple(scheme for scheme in self.service.security_schemes if scheme.name in used)


def documents(source: Source) -> tuple[Document, ...]:
    """The OpenAPI documents below the contracts of the service's domain."""
    spelling = Spelling(source.graph, source.layout, Diagnostics())
    found = []
    for service in source.graph.services.values():
        plans = plan_operations(source.graph, service, Diagnostics())
        if plans and _domain(source, service) == source.name:
            package = source.layout.contract_package(service.id)
            found.append(_document(plans, HttpSpelling(source.graph, source.layout, spelling, package, service)))
    return tuple(each for each in found if each.plans)


def _domain(source: Source, service: Service) -> str:
    below = source.layout.contract_package(service.id).removeprefix(f"{source.layout.package}.")
    return below.partition(".")[0]


def _document(plans: tuple[Plan, ...], spelling: HttpSpelling) -> Document:
    endpoints = of_role(plans, HttpRole.ENDPOINT)
    fronted = tuple(plan for plan in endpoints if plan.operation.fronts is not None)
    clients = front_clients(spelling, fronted)
    return Document(
        service=spelling.service,
        spelling=spelling,
        plans=endpoints or of_role(plans, HttpRole.WEBHOOK),
        receives=not endpoints,
        clients=tuple((argument, proto) for proto, argument in clients.items()),
    )


def targets(served: Sequence[Document]) -> dict[str, str]:
    """Names of the settings that say where the services behind the fronts are, by full name of the service."""
    return {proto: f"{argument}_target" for document in served for argument, proto in document.clients}


def handlers(served: Sequence[Document], source: Source, file: PythonFile) -> None:
    """One class for each document that fronts nothing, one method for each operation, appended to `file`."""
    for document in with_handlers(served):
        with file.block(f"class {document.name}:"):
            what = "Receives the webhooks of" if document.receives else "Serves"
            file.docstring(f"{what} {document.service.name}.")
            for plan in document.plans:
                file.line()
                with file.block(f"{handler_header(document.spelling, file, plan)}"):
                    file.docstring(plan.operation.summary or plan.operation.doc)
                    problem = source.runtime(file, "problem", "HttpProblem")
                    file.line(f"raise {problem}(501, {text(f'{plan.operation.name} is not implemented yet')})")
        file.lines(["", ""])


def with_handlers(served: Sequence[Document]) -> Iterator[Document]:
    """The documents that handlers of the service serve."""
    return (document for document in served if not document.clients)


def api(served: Sequence[Document], source: Source, file: PythonFile) -> None:
    """`http_app` of `api.py`: all documents as one application."""
    if not served:
        return
    fastapi = file.ref("fastapi", "FastAPI", typing_only=True)
    options = source.runtime(file, "http_server", "ServerOptions")
    guarded = any(document.schemes for document in served)
    module = f"{source.home}.adapters.authentication"
    given = f"authenticators={file.ref(module, 'AUTHENTICATORS')}" if guarded else ""
    with file.block(f"def http_app({_parameters(served, file)}) -> {fastapi}:"):
        file.line('"""Everything that the OpenAPI documents say this service serves."""')
        if len(served) == 1:
            file.line(f"return {_create(served, served[0], source, file)}, options={options}({given}))")
            return
        file.line(f"options = {options}({given})")
        file.line(f"app = {_create(served, served[0], source, file)}, options=options)")
        for document in served[1:]:
            route = source.runtime(file, "http_fastapi", "ContractRoute")
            routes = file.ref(document.server, "webhook_routes" if document.receives else "routes")
            schemes = f"{file.ref(document.spelling.package, 'operations')}.SCHEMES"
            handler = _handler(served, document, source, file)
            file.line(f"app.router.routes.append({route}({routes}({handler}), {schemes}, options))")
        file.line("return app")


def _create(served: Sequence[Document], document: Document, source: Source, file: PythonFile) -> str:
    """The call that makes the application of a document, up to its handler."""
    create = file.ref(document.server, "create_webhook_app" if document.receives else "create_app")
    return f"{create}({_handler(served, document, source, file)}"


def _handler(served: Sequence[Document], document: Document, source: Source, file: PythonFile) -> str:
    if document.clients:
        return _argument(served, document)
    return f"{file.ref(f'{source.home}.handlers', document.name)}()"


def _parameters(served: Sequence[Document], file: PythonFile) -> str:
    fronts = [document for document in served if document.clients]
    return ", ".join(
        f"{_argument(served, document)}: {file.ref(f'{document.spelling.package}.front', 'Front', typing_only=True)}"
        for document in fronts
    )


def _argument(served: Sequence[Document], document: Document) -> str:
    """The front of a document, as an argument: `front`, or `gateway_v2_front` where there are several."""
    several = sum(bool(each.clients) for each in served) > 1
    return f"{snake(document.name).removesuffix('_api')}_front" if several else "front"


def app(served: Sequence[Document], source: Source, file: PythonFile) -> str:
    """The lines of `run` that make the fronts, written to `file` inside a stack called `clients`; the application."""
    named = targets(served)
    given = []
    for document in served:
        if not document.clients:
            continue
        front = file.ref(f"{document.spelling.package}.front", "Front")
        with file.block(f"{_argument(served, document)} = {front}("):
            for argument, proto in document.clients:
                service = source.graph.services[proto]
                module = source.layout.proto_module(service.location.path, "_grpc")
                client = file.ref(module, module_names(service, source.layout).client)
                file.line(f"{argument}=await clients.enter_async_context({client}(config.{named[proto]})),")
        file.line(")")
        given.append(_argument(served, document))
    return f"{file.ref(source.home, 'api')}.http_app({', '.join(given)})"


def authentication(served: Sequence[Document], source: Source) -> str:
    """`adapters/authentication.py`; empty when no operation asks for credentials."""
    schemes = {scheme.name: scheme for document in served for scheme in document.schemes}
    if not schemes:
        return ""
    file = source.file("adapters.authentication", "Who calls: a function for each security scheme of the contracts.")
    credentials = source.runtime(file, "http_security", "Credentials")
    context = source.runtime(file, "http_requests", "RequestContext")
    logging = file.ref("logging")
    file.lines([f"LOG = {logging}.getLogger(__name__)", "", ""])
    with file.block(f"async def refuse(credentials: {credentials}, request: {context}) -> object | None:"):
        file.docstring(
            "Lets nobody in, and says so.\n\nReplace it with a function that returns who the caller is, "
            "or None for credentials that are not valid (401). Raise `HttpProblem(403)` to forbid."
        )
        said = "%s is refused: nothing checks the credentials of `%s` yet (see %s)"
        file.line(f"LOG.warning({text(said)}, request.operation.name, credentials.scheme.name, __name__)")
        file.line("return None")
    mapping = file.ref("collections.abc", "Mapping")
    authenticator = source.runtime(file, "http_security", "Authenticator")
    file.lines(["", ""])
    with file.block(f"AUTHENTICATORS: {mapping}[str, {authenticator}] = {{"):
        for scheme in schemes.values():
            file.lines(f"# {line}" for line in textwrap.wrap(printable(scheme.doc), _COMMENT_WIDTH))
            file.line(f"{text(scheme.name)}: refuse,")
    file.line("}")
    return finished(file)
