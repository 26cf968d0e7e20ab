"""What workflow steps name: operations and channels of the source descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from urllib.parse import unquote

from codegen.diagnostics import Diagnostics
from codegen.model.graph import Graph
from codegen.model.ids import ChannelId, OperationId
from codegen.model.services import HttpBinding, Operation
from codegen.model.workflows import SourceDescription, Step, StepTarget, Workflow

_SOURCE_URL = re.compile(r"^\{?\$sourceDescriptions\.([A-Za-z0-9_\-]+)\.url\}?#?(.*)$")


class StepResolver:
    """Fills in `operation`, `channel` and `workflow` of every step (Arazzo 1.1 section 5.8.5)."""

    def __init__(self, graph: Graph, diagnostics: Diagnostics) -> None:
        self._graph = graph
        self._diagnostics = diagnostics
        self._operations: dict[str, dict[str, OperationId]] = {}
        for service in graph.services.values():
            self._operations.setdefault(service.location.path, {}).update(
                {graph.operations[id_].name: id_ for id_ in service.operations}
            )
        for application in graph.applications.values():
            self._operations.setdefault(application.id, {}).update(
                {graph.event_operations[id_].name: id_ for id_ in application.operations}
            )

    def resolved(self) -> Mapping[str, Workflow]:
        """All workflows with their steps resolved."""
        return {
            w.id: replace(w, steps=tuple(self._step(step, w) for step in w.steps))
            for w in self._graph.workflows.values()
        }

    def _step(self, step: Step, workflow: Workflow) -> Step:
        if step.target is StepTarget.WORKFLOW:
            return self._nested(step, workflow)
        by_pointer = _SOURCE_URL.match(step.reference)
        if by_pointer:
            source = next((s for s in workflow.sources if s.name == by_pointer[1]), None)
            if source is None:
                self._unknown(step, "source description", by_pointer[1], [s.name for s in workflow.sources])
                return step
            return self._at_pointer(step, source, unquote(by_pointer[2]))
        return self._named(step, workflow)

    def _sources(self, step: Step, workflow: Workflow) -> list[SourceDescription]:
        if step.source is None:
            return list(workflow.sources)
        return [source for source in workflow.sources if source.name == step.source]

    def _named(self, step: Step, workflow: Workflow) -> Step:
        sources = self._sources(step, workflow)
        name = step.reference.rpartition(".")[2] if step.reference.startswith("$") else step.reference
        if step.reference.startswith("$sourceDescriptions."):
            name = step.reference.split(".", 2)[2] if step.reference.count(".") >= 2 else name
        found = [ids[name] for s in sources if name in (ids := self._operations.get(s.path or "", {}))]
        if not found:
            if any(source.path is None for source in sources):
                self._elsewhere(step)
            else:
                known = [n for s in sources for n in self._operations.get(s.path or "", {})]
                self._unknown(step, "operation", name, known)
            return step
        if len(set(found)) > 1:
            self._diagnostics.error(
                "link/step-ambiguous",
                f"step `{step.id}`: several sources have an operation `{name}`",
                step.location,
                hint="name the source: `$sourceDescriptions.<name>." + name + "`",
            )
        return self._with_operation(step, found[0])

    def _with_operation(self, step: Step, operation: OperationId) -> Step:
        event = self._graph.event_operations.get(operation)
        return replace(step, operation=operation, channel=event.channel if event else None)

    def _at_pointer(self, step: Step, source: SourceDescription, pointer: str) -> Step:
        if source.path is None:
            self._elsewhere(step)
            return step
        if step.target is StepTarget.CHANNEL:
            channel = self._channel_at(source.path, pointer)
            if channel is not None:
                return replace(step, channel=channel)
            names = [c.location.pointer for c in self._graph.channels.values() if c.location.path == source.path]
            self._unknown(step, "channel", pointer, names)
            return step
        for id_ in self._operations.get(source.path, {}).values():
            operation = self._graph.operations.get(id_)
            if operation is not None and pointer.rstrip("/") in _pointers(operation):
                return replace(step, operation=id_)
        pointers = [
            o.location.pointer
            for o in self._graph.operations.values()
            if o.location.path == source.path and isinstance(o.binding, HttpBinding)
        ]
        self._unknown(step, "operation", pointer, pointers)
        return step

    def _channel_at(self, path: str, pointer: str) -> ChannelId | None:
        """The channel that stands there, or that the document refers to there."""
        channel = ChannelId(f"{path}#{pointer}")
        application = self._graph.applications.get(path)
        if channel in self._graph.channels or application is None:
            return channel if channel in self._graph.channels else None
        return next((id_ for key, id_ in application.channel_keys if pointer == f"/channels/{_escaped(key)}"), None)

    def _nested(self, step: Step, workflow: Workflow) -> Step:
        reference = step.reference
        path = workflow.location.path
        if reference.startswith("$sourceDescriptions."):
            _, source_name, reference = reference.split(".", 2)
            source = next((s for s in workflow.sources if s.name == source_name), None)
            if source is None or source.path is None:
                self._elsewhere(step)
                return step
            path = source.path
        target = f"{path}#{reference}"
        if target not in self._graph.workflows:
            self._unknown(
                step, "workflow", reference, [w.name for w in self._graph.workflows.values() if w.location.path == path]
            )
            return step
        return replace(step, workflow=target)

    def _unknown(self, step: Step, kind: str, name: str, known: Iterable[str]) -> None:
        close = get_close_matches(name, list(known), n=1)
        self._diagnostics.error(
            f"link/step-{kind.replace(' ', '-')}",
            f"step `{step.id}`: there is no {kind} `{name}`",
            step.location,
            hint=f"did you mean `{close[0]}`?" if close else "",
        )

    def _elsewhere(self, step: Step) -> None:
        self._diagnostics.unsupported(
            "link/step-elsewhere",
            f"step `{step.id}` names something of a source that is not among the contracts; it is not checked",
            step.location,
            hint="copy the source into the contracts folder and name it by a relative url",
        )


def _pointers(operation: Operation) -> tuple[str, ...]:
    """Where it stands, and where its path leads to it when the path item is a reference."""
    own = operation.location.pointer.rstrip("/")
    if not isinstance(operation.binding, HttpBinding):
        return (own,)
    return own, f"/paths/{_escaped(operation.binding.path)}/{operation.binding.method.lower()}"


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
