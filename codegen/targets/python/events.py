"""Emits the event side of one AsyncAPI document: `events/{__init__,publishers,consumers}.py`.

The models are emitted with the contract that declares them; a document may
send to, and receive from, channels of another one.
"""

from __future__ import annotations

from codegen.diagnostics import Diagnostics
from codegen.model.events import Application
from codegen.model.graph import Graph
from codegen.targets.files import GeneratedFile
from codegen.targets.python.event_consumers import emit_consumers
from codegen.targets.python.event_messages import Modules
from codegen.targets.python.event_publishers import emit_publishers
from codegen.targets.python.layout import Layout
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile, printable


def emit_events(
    graph: Graph, layout: Layout, application: Application, diagnostics: Diagnostics, spelling: Spelling | None = None
) -> tuple[GeneratedFile, ...]:
    """The files of one application. Pass the run's `Spelling` to save building it for each contract."""
    modules = Modules(graph, layout, spelling or Spelling(graph, layout, diagnostics), diagnostics)
    operations = [graph.event_operations[id_] for id_ in application.operations if id_ in graph.event_operations]
    found = (emit_publishers(application, operations, modules), emit_consumers(application, operations, modules))
    return (_package(application, layout), *(file for file in found if file is not None))


def _package(application: Application, layout: Layout) -> GeneratedFile:
    package = layout.contract_package(application.id)
    about = printable(f"{application.name} {application.version}".strip())
    doc = f"{about}\n\n{application.doc}" if application.doc.strip() else about
    file = PythonFile(f"{package}.__init__", source=application.id, doc=doc)
    return GeneratedFile(path=file.path, content=file.render())
