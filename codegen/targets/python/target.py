"""The Python target: which units the graph gives, and the files of each.

A unit is what is emitted again together: one contract. Its inputs are the
contract files its output depends on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codegen.diagnostics import Diagnostic, Diagnostics
from codegen.model.graph import Contract, ContractKind, Graph
from codegen.model.services import GrpcBinding, HttpBinding
from codegen.targets.files import GeneratedFile
from codegen.targets.python.layout import Layout

if TYPE_CHECKING:
    from codegen.targets.python.types import Spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`name` is the contract's path; `inputs` are contract paths, sorted."""

    name: str
    kind: ContractKind
    inputs: tuple[str, ...]


@dataclass(slots=True)
class PythonTarget:
    """Emits the package `package` from the graph."""

    graph: Graph
    package: str
    diagnostics: Diagnostics
    renamed: Mapping[str, str] = field(default_factory=dict)
    _layout: Layout = field(init=False)
    _spelled: Spelling | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._layout = Layout(self.graph, self.package, self.diagnostics, self.renamed)

    @property
    def layout(self) -> Layout:
        """Where everything is."""
        return self._layout

    def units(self) -> tuple[Unit, ...]:
        """The units, in order of their contracts."""
        return tuple(
            Unit(name=contract.path, kind=contract.kind, inputs=self._inputs(contract))
            for contract in self.graph.contracts.values()
            if contract.kind is not ContractKind.ARAZZO
        )

    def emit(
        self, names: Collection[str], found: Mapping[str, list[Diagnostic]]
    ) -> dict[str, tuple[GeneratedFile, ...]]:
        """The files of the named units, unformatted; complaints go to `found`, by unit."""
        chosen = [unit for unit in self.units() if unit.name in names]
        files: dict[str, tuple[GeneratedFile, ...]] = {unit.name: () for unit in chosen}
        protos = [unit.name for unit in chosen if unit.kind is ContractKind.PROTO]
        if protos:
            self._emit_protos(protos, files, found)
        for unit in chosen:
            if unit.kind is not ContractKind.PROTO:
                own = Diagnostics()
                files[unit.name] = tuple(self._emit_json_side(unit.name, own))
                found[unit.name].extend(own)
        return files

    def _inputs(self, contract: Contract) -> tuple[str, ...]:
        found: dict[str, None] = {}
        queue = [contract.path, *self._fronted(contract.path)]
        while queue:
            path = queue.pop()
            if path not in found and path in self.graph.contracts:
                found[path] = None
                queue.extend(self.graph.contracts[path].depends_on)
        if contract.kind is not ContractKind.PROTO:
            found |= dict.fromkeys(self._referring(contract.path))
        return tuple(sorted(found))

    def _referring(self, path: str) -> Iterable[str]:
        """Contracts that refer to this one: which of its schemas are declared can depend on them."""
        return (c.path for c in self.graph.contracts.values() if path in c.depends_on)

    def _fronted(self, path: str) -> Iterable[str]:
        service = self.graph.services.get(path)
        for operation_id in service.operations if service else ():
            operation = self.graph.operations[operation_id]
            if isinstance(operation.binding, HttpBinding) and operation.fronts is not None:
                yield self.graph.operations[operation.fronts].location.path

    def _emit_protos(
        self, paths: list[str], files: dict[str, tuple[GeneratedFile, ...]], found: Mapping[str, list[Diagnostic]]
    ) -> None:
        from codegen.targets.python.grpc import emit_proto_file
        from codegen.targets.python.messages import emit_messages

        by_module = {self._layout.proto_module(path).replace(".", "/"): path for path in paths}
        shared = Diagnostics()
        for file in emit_messages(self.graph, self._layout, paths, shared):
            owner = by_module[file.path.removesuffix(".pyi").removesuffix(".py")]
            files[owner] = (*files[owner], file)
        for complaint in shared:
            found.get(complaint.location.path, found[paths[0]]).append(complaint)
        for path in paths:
            proto_file = self.graph.proto_files[path]
            if any(
                isinstance(self.graph.operations[o].binding, GrpcBinding)
                for s in proto_file.services
                for o in self.graph.services[s].operations
            ):
                own = Diagnostics()
                files[path] = (*files[path], *emit_proto_file(self.graph, self._layout, path, own))
                found[path].extend(own)

    def _emit_json_side(self, path: str, own: Diagnostics) -> Iterable[GeneratedFile]:
        from codegen.targets.python.models import emit_models

        spelling = self._spelling().reporting_to(own)
        if self.graph.declarations_of.get(path):
            yield from emit_models(self.graph, self._layout, path, own, spelling)
        if path in self.graph.services:
            from codegen.targets.python.http import emit_http

            yield from emit_http(
                self.graph,
                self._layout,
                self.graph.services[path],
                own,
                spelling=spelling,
                contract=self.graph.published.get(path),
            )
        if path in self.graph.applications:
            from codegen.targets.python.events import emit_events

            yield from emit_events(self.graph, self._layout, self.graph.applications[path], own, spelling)

    def _spelling(self) -> Spelling:
        if self._spelled is None:
            from codegen.targets.python.types import Spelling

            self._spelled = Spelling(self.graph, self._layout, self.diagnostics)
        return self._spelled
