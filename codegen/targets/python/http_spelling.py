"""Annotations of one HTTP package: models are imported for type checkers only, except where data needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from codegen.model.graph import ContractKind, Graph
from codegen.model.services import Body, Service
from codegen.model.types import Type
from codegen.targets.python.http_plan import Argument, Plan, media_kind
from codegen.targets.python.layout import Layout
from codegen.targets.python.types import Spelling
from codegen.targets.python.writer import PythonFile


@dataclass(slots=True)
class HttpSpelling:
    """What the emitters of one document share."""

    graph: Graph
    layout: Layout
    types: Spelling
    package: str
    service: Service
    _models: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._models = frozenset(
            self.layout.models_module(contract.path)
            for contract in self.graph.contracts.values()
            if contract.kind not in (ContractKind.PROTO, ContractKind.ARAZZO)
        )

    def runtime(self, file: PythonFile, module: str, name: str, *, typing_only: bool = False) -> str:
        """A name of the package's runtime."""
        return file.ref(f"{self.layout.package}.runtime.{module}", name, typing_only=typing_only)

    def file(self, module: str, doc: str) -> PythonFile:
        """A module of this package."""
        return PythonFile(f"{self.package}.{module}", source=self.service.id, doc=doc)

    def shown(self, file: PythonFile, type_: Type, *, written: bool = False) -> str:
        """A type as signatures show it."""
        return self.types.plain(type_, file, written=written, typing_only=self._models)

    def result(self, file: PythonFile, plan: Plan) -> str:
        """What a call returns that is read as a whole."""
        parts = ["None" if result is None else self.shown(file, result) for result in plan.results]
        if plan.text_result:
            parts.append("str")
        return self.types.either(parts, file) if parts else "None"

    def event(self, file: PythonFile, plan: Plan) -> str:
        """What one server-sent event holds."""
        kind = plan.events[0] if plan.events else None
        return "str" if kind is None else self.shown(file, kind)

    def body(self, file: PythonFile, body: Body) -> str:
        """What a client passes as a body: the model; a mapping, too, where parts may be files."""
        return self.types.either(self._body_parts(file, body, sent=True), file)

    def received_body(self, file: PythonFile, body: Body) -> str:
        """What a handler gets as a body."""
        return self.types.either(self._body_parts(file, body, sent=False), file)

    def _body_parts(self, file: PythonFile, body: Body, *, sent: bool) -> Iterable[str]:
        parts: dict[str, None] = {}
        for media in body.content:
            kind = media_kind(media.name)
            if media.type is not None and kind in ("json", "form", "multipart"):
                parts[self.shown(file, media.type, written=True)] = None
            elif kind == "json":
                parts[file.ref("typing", "Any")] = None
            elif kind == "form" or (kind == "multipart" and not sent):
                parts[f"dict[str, {file.ref('typing', 'Any')}]"] = None
            elif kind in ("text", "events"):
                parts["str"] = None
            elif kind == "bytes":
                parts["bytes"] = None
            if kind == "multipart" and sent:
                parts[self.runtime(file, "http_bodies", "MultipartForm")] = None
        return parts

    def argument(self, file: PythonFile, argument: Argument) -> str:
        """The type of a parameter's value."""
        return self.shown(file, argument.parameter.type, written=True)
