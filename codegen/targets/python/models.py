"""Emits the models of one OpenAPI, AsyncAPI or schema file: `models.py`.

Order within the module: aliases of scalars, enumerations, records in the
contract's order, then unions and the other aliases, each after what it names.
Annotations of records are text until pydantic first uses the class, so records
may name anything. Modules that name each other import each other at their end.
"""

from __future__ import annotations

from collections.abc import Iterator

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.types import Alias, Declaration, Enum, Record, Scalar, Union
from codegen.targets.files import GeneratedFile
from codegen.targets.python.enums import emit_enum
from codegen.targets.python.layout import Layout
from codegen.targets.python.records import RecordEmitter
from codegen.targets.python.types import Spelling, uses
from codegen.targets.python.unions import UnionEmitter
from codegen.targets.python.writer import PythonFile


def emit_models(
    graph: Graph, layout: Layout, path: str, diagnostics: Diagnostics, spelling: Spelling | None = None
) -> tuple[GeneratedFile, ...]:
    """The models module of the contract at `path`; none when it declares nothing.

    Pass the run's `Spelling` to save building it for each contract.
    """
    declared = [graph.declarations[type_id] for type_id in graph.declarations_of.get(path, ())]
    if not declared:
        return ()
    return (_Module(spelling or Spelling(graph, layout, diagnostics), path, declared, diagnostics).emit(),)


class _Module:
    def __init__(self, spelling: Spelling, path: str, declared: list[Declaration], diagnostics: Diagnostics) -> None:
        self._spelling = spelling
        self._path = path
        self._declared = declared
        self._diagnostics = diagnostics
        module = spelling.layout.models_module(path)
        self._file = PythonFile(module, source=path, doc=f"Models of `{path}`.")
        self._cyclic = frozenset(_cyclic_modules(spelling, path))

    def emit(self) -> GeneratedFile:
        self._reserve_names()
        simple, late = [], []
        for declared in self._declared:
            if isinstance(declared, Alias) and isinstance(declared.type, Scalar):
                simple.append(declared)
            elif isinstance(declared, (Alias, Union)):
                late.append(declared)
        unions = UnionEmitter(self._spelling, self._file, self._cyclic, self._diagnostics)
        for alias in simple:
            unions.simple_alias(alias)
        for declared in self._declared:
            if isinstance(declared, Enum):
                emit_enum(declared, self._spelling, self._file, self._diagnostics)
        self._emit_records()
        unions.emit_in_order(late)
        self._import_at_end()
        return GeneratedFile(path=self._file.path, content=self._file.render())

    def _reserve_names(self) -> None:
        taken: dict[str, Declaration] = {}
        for declared in self._declared:
            for name in self._names_of(declared):
                other = taken.setdefault(name, declared)
                if other is not declared:
                    self._diagnostics.error(
                        "names/collision",
                        f"`{'.'.join(declared.name)}` needs the class `{name}`, which "
                        f"`{'.'.join(other.name)}` has already",
                        declared.location,
                        related=(other.location,),
                        hint="rename one of them in the contract, or under [names] in the settings",
                    )
                self._file.define(name)

    def _names_of(self, declared: Declaration) -> Iterator[str]:
        for written in self._directions(declared):
            name = self._spelling.class_of(declared.id, written=written)[1]
            yield name
            if isinstance(declared, Union) and declared.discriminator:
                yield self._spelling.unknown_of(declared.id, written=written)

    def _directions(self, declared: Declaration) -> tuple[bool, ...]:
        return (False, True) if self._spelling.is_split(declared.id) else (False,)

    def _emit_records(self) -> None:
        records = RecordEmitter(self._spelling, self._file, self._cyclic, self._diagnostics)
        for declared in self._declared:
            if isinstance(declared, Record):
                for written in self._directions(declared):
                    records.emit(declared, written=written)

    def _import_at_end(self) -> None:
        own = self._file.module
        needed: dict[str, set[str]] = {}
        for declared in self._declared:
            for used in uses(declared):
                for written in self._directions(declared):
                    module, name = self._spelling.class_of(used, written=written)
                    if module in self._cyclic and module != own:
                        local = self._file.ref(module, name, typing_only=True)
                        needed.setdefault(module, set()).add(name if local == name else f"{name} as {local}")
        if needed:
            self._file.lines(["", "", "# Last, because these modules import this one."])
        for module, names in sorted(needed.items()):
            self._file.line(f"from {module} import {', '.join(sorted(names))}")


def _cyclic_modules(spelling: Spelling, path: str) -> Iterator[str]:
    """Models modules of other contracts that this one needs and that need this one."""
    steps = spelling.contract_uses
    for other in sorted(steps.get(path, ())):
        if other != path and path in _reached(steps, other):
            yield spelling.layout.models_module(other)


def _reached(steps: dict[str, set[str]], start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        for following in steps.get(waiting.pop(), set()) - found:
            found.add(following)
            waiting.append(following)
    return found
