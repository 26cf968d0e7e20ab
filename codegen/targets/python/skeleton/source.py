"""A module of a skeleton under construction: like a generated one, without the mark that it must not be edited."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.model.graph import Graph
from codegen.targets.python.layout import Layout
from codegen.targets.python.writer import PythonFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the modules of one skeleton have in common. `home` is the dotted name of the service's package."""

    graph: Graph
    layout: Layout
    name: str
    home: str

    def file(self, module: str, doc: str) -> PythonFile:
        """A new module of the service."""
        return PythonFile(f"{self.home}.{module}", source="", doc=doc)

    def runtime(self, file: PythonFile, module: str, name: str) -> str:
        """A reference to something of the generated package's runtime."""
        return file.ref(f"{self.layout.package}.runtime.{module}", name)


def finished(file: PythonFile) -> str:
    """The text of a module that its author may edit."""
    return file.render().partition("\n")[2]
