"""The files a service starts from: `services/<name>/`, written once, then its author's.

Every service has the same ones: `app` starts it, `config` is its environment,
`api` and `consumers` bind it to gRPC, HTTP and events, `handlers` answer,
`domain` holds the rules, `adapters` speak to the outside, `migrations` shape
the database. What is written here starts, serves health, and answers every
call with UNIMPLEMENTED or 501; HTTP operations that front RPCs call these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.services import GrpcBinding, Service
from codegen.targets.files import GeneratedFile, Policy
from codegen.targets.python.layout import Layout
from codegen.targets.python.skeleton import composition, consumers, grpc_side, http_side
from codegen.targets.python.skeleton.http_side import Document
from codegen.targets.python.skeleton.source import Source, finished

_FRONTED = (
    "Operations that front RPCs are answered by the generated `Front`. To answer one by other means, override its "
    "method in a class of this module, and make that in app.py."
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for. `services` are full names of proto services; empty = those of the proto package `name`.

    `package` is the root of the generated code, `folder` the folder of all services.
    """

    name: str
    services: tuple[str, ...]
    package: str
    folder: str
    names: Mapping[str, str] = field(default_factory=dict)
    """What the settings call elements of contracts."""


def emit(graph: Graph, request: Request, diagnostics: Diagnostics) -> tuple[GeneratedFile, ...]:
    """The files below the parent of the services folder; what is wrong with the request is reported."""
    if not _NAME.fullmatch(request.name):
        diagnostics.error(
            "invocation/value",
            f"`{request.name}` cannot name a service",
            hint="lower-case letters, digits and underscores",
        )
        return ()
    chosen = _chosen(graph, request, diagnostics)
    layout = Layout(graph, request.package, diagnostics, request.names)
    source = Source(graph=graph, layout=layout, name=request.name, home=f"{request.folder}.{request.name}")
    received = consumers.received_by(source, diagnostics)
    served = () if diagnostics.errors else http_side.documents(source)
    if not chosen and not received and not served and not diagnostics.errors:
        known = sorted(s.id for s in graph.services.values() if _is_grpc(graph, s))
        diagnostics.error(
            "invocation/no-service",
            f"no contract says what `{request.name}` serves or receives",
            hint=f"name proto services with --service: {', '.join(known) or 'there are none'}",
        )
    if diagnostics.errors:
        return ()
    written = _files(source, chosen, received, served)
    below = f"{request.folder}/{request.name}"
    return (
        GeneratedFile(path=f"{request.folder}/__init__.py", content="", policy=Policy.ONCE),
        *(GeneratedFile(path=f"{below}/{path}", content=text, policy=Policy.ONCE) for path, text in written.items()),
    )


def _files(
    source: Source, services: list[Service], received: tuple[consumers.Received, ...], served: tuple[Document, ...]
) -> dict[str, str]:
    parts = composition.Parts(grpc=bool(services) or not served, events=bool(received), http=served)
    authentication = http_side.authentication(served, source)
    return {
        "__init__.py": f'"""The {source.name} service."""\n',
        "app.py": composition.app(source, parts),
        "config.py": composition.config(source, parts),
        "api.py": _api(source, services, parts),
        "handlers.py": _handlers(source, services, received, served),
        **({"consumers.py": consumers.module(source, received)} if received else {}),
        "domain.py": composition.DOMAIN.format(name=source.name),
        "adapters/__init__.py": composition.ADAPTERS.format(name=source.name),
        **({"adapters/authentication.py": authentication} if authentication else {}),
        "migrations/README.md": composition.MIGRATIONS.format(name=source.name),
    }


def _api(source: Source, services: list[Service], parts: composition.Parts) -> str:
    file = source.file("api", f"How the {source.name} service is called: its handlers, bound to gRPC and HTTP.")
    file.define("bind", export=False)
    file.define("http_app", export=False)
    if parts.grpc:
        grpc_side.api(source, services, file)
    http_side.api(parts.http, source, file)
    return finished(file)


def _handlers(
    source: Source, services: list[Service], received: tuple[consumers.Received, ...], served: tuple[Document, ...]
) -> str:
    about = f"What the {source.name} service does when it is called, and when it is told."
    file = source.file("handlers", f"{about}\n\n{_FRONTED}" if any(each.clients for each in served) else about)
    own = [document.name for document in http_side.with_handlers(served)]
    for name in (*(grpc_side.class_name(s) for s in services), *own, *(each.handlers for each in received)):
        file.define(name, export=False)
    grpc_side.handlers(source, services, file)
    http_side.handlers(served, source, file)
    consumers.handlers(source, received, file)
    return finished(file)


def next_steps(request: Request) -> str:
    """What to do with the files."""
    return (
        f"\nIt starts already: `python -m {request.folder}.{request.name}.app`, with the generated package and "
        f"this folder on the path.\nWrite what is not implemented yet in {request.folder}/{request.name}/"
        "handlers.py, and who may call in adapters/, where they ask for it; these files are not written again.\n"
    )


def _chosen(graph: Graph, request: Request, diagnostics: Diagnostics) -> list[Service]:
    grpc_services = {s.id: s for s in graph.services.values() if _is_grpc(graph, s)}
    if not request.services:
        return [s for s in grpc_services.values() if s.id.partition(".")[0] == request.name]
    for name in request.services:
        if name not in grpc_services:
            diagnostics.error(
                "invocation/no-service",
                f"there is no proto service `{name}`",
                hint=f"there are: {', '.join(sorted(grpc_services)) or 'none'}",
            )
    return [grpc_services[name] for name in request.services if name in grpc_services]


def _is_grpc(graph: Graph, service: Service) -> bool:
    return any(isinstance(graph.operations[operation].binding, GrpcBinding) for operation in service.operations)
