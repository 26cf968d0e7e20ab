"""Python of one OpenAPI document: `operations.py`, `client.py`, `server.py`, and `front.py` where RPCs are fronted."""

from __future__ import annotations

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.services import HttpRole, Service
from codegen.targets.files import GeneratedFile
from codegen.targets.python.front import emit_front
from codegen.targets.python.http_client import emit_client
from codegen.targets.python.http_operations import emit_operations
from codegen.targets.python.http_plan import of_role, plan_operations
from codegen.targets.python.http_server import emit_server
from codegen.targets.python.http_spelling import HttpSpelling
from codegen.targets.python.layout import Layout
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile


def emit_http(
    graph: Graph,
    layout: Layout,
    service: Service,
    diagnostics: Diagnostics,
    *,
    spelling: Spelling | None = None,
    contract: bytes | None = None,
) -> tuple[GeneratedFile, ...]:
    """The HTTP package of a document, without its models.

    `contract` is the document as JSON; with it the generated application serves it at `/openapi.json`.
    Pass the run's `Spelling` to save building it again.
    """
    plans = plan_operations(graph, service, diagnostics)
    package = layout.contract_package(service.id)
    spelled = HttpSpelling(graph, layout, spelling or Spelling(graph, layout, diagnostics), package, service)
    package_file = PythonFile(f"{package}.__init__", source=service.id, doc=_package_doc(service))
    files = [GeneratedFile(path=package_file.path, content=package_file.render())]
    if plans:
        files.append(emit_operations(spelled, plans))
        files.append(emit_client(spelled, plans))
        files.append(emit_server(spelled, plans, serves_contract=contract is not None))
    if contract is not None:
        files.append(GeneratedFile(path=f"{package.replace('.', '/')}/openapi.json", content=contract))
    fronted = tuple(plan for plan in of_role(plans, HttpRole.ENDPOINT) if plan.operation.fronts is not None)
    if fronted:
        files.append(emit_front(spelled, of_role(plans, HttpRole.ENDPOINT), fronted, diagnostics))
    return tuple(files)


def _package_doc(service: Service) -> str:
    head = f"{service.name} {service.version}".strip()
    return f"{head}\n\n{service.doc}".strip()
