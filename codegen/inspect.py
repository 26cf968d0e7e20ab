"""The graph for readers: the whole of it as JSON, its services, operations and channels as Mermaid or DOT."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

from codegen.model.events import Action, EventOperation
from codegen.model.graph import Graph
from codegen.model.ids import OperationId
from codegen.model.services import GrpcBinding, HttpBinding, HttpRole, Operation

_LEFT_OUT = frozenset({"descriptor_set", "published"})
"""Of the graph's fields: bytes that say nothing new."""


def as_json(graph: Graph) -> str:
    """Every node with its class (`node`) and its place in the contracts; what has its default is left out."""
    return json.dumps(_plain(graph), indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        stated = (part for part in fields(value) if part.name not in _LEFT_OUT)
        shown = {part.name: _plain(getattr(value, part.name)) for part in stated if not _is_default(value, part)}
        return {"node": type(value).__name__, **shown}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return value.hex()
    return value


def _is_default(value: Any, part: Field[Any]) -> bool:
    default = part.default_factory() if part.default_factory is not MISSING else part.default
    return bool(getattr(value, part.name) == default)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    id: str
    label: str
    shape: str
    """operation, channel, party or workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    source: str
    target: str
    label: str
    dashed: bool = False


@dataclass(slots=True)
class _Picture:
    """What is drawn. Groups are boxes with a title around nodes."""

    groups: dict[tuple[str, str], list[_Node]] = field(default_factory=dict)
    """By (id, title)."""
    nodes: dict[str, _Node] = field(default_factory=dict)
    edges: dict[_Edge, None] = field(default_factory=dict)

    def add(self, node: _Node, group: str = "", title: str = "") -> None:
        if node.id not in self.nodes:
            self.nodes[node.id] = node
            self.groups.setdefault((group, title or group), []).append(node)

    def connect(self, source: str, target: str | None, label: str, *, dashed: bool = False) -> None:
        if source in self.nodes and target in self.nodes:
            self.edges.setdefault(_Edge(source=source, target=target, label=label, dashed=dashed))


def _picture(graph: Graph) -> _Picture:
    picture = _Picture()
    for service in graph.services.values():
        for operation_id in service.operations:
            operation = graph.operations[operation_id]
            picture.add(
                _Node(id=operation.id, label=_operation_label(operation), shape="operation"), service.id, service.name
            )
    for channel in graph.channels.values():
        label = channel.name if channel.address in (None, channel.name) else f"{channel.name}\n{channel.address}"
        picture.add(_Node(id=channel.id, label=label, shape="channel"), "channels")
    for event in graph.event_operations.values():
        party = _party(graph, event)
        picture.add(_Node(id=party, label=party.partition(":")[2], shape="party"))
    for workflow in graph.workflows.values():
        picture.add(_Node(id=workflow.id, label=workflow.name, shape="workflow"), "workflows")
    _connect(graph, picture)
    return picture


def _connect(graph: Graph, picture: _Picture) -> None:
    for operation in graph.operations.values():
        picture.connect(operation.id, operation.fronts, "fronts")
    for event in graph.event_operations.values():
        party = _party(graph, event)
        if event.action is Action.SEND:
            picture.connect(party, event.channel, "sends")
        else:
            picture.connect(event.channel, party, "receives")
        if event.reply:
            picture.connect(event.channel, event.reply.channel, "replies", dashed=True)
    for channel in graph.channels.values():
        picture.connect(channel.id, channel.dead_letter, "dead letters", dashed=True)
    for workflow in graph.workflows.values():
        for number, step in enumerate(workflow.steps, 1):
            for target in (step.operation, step.channel, step.workflow):
                picture.connect(workflow.id, _drawn(graph, target), f"{number} {step.id}", dashed=True)


def _drawn(graph: Graph, target: str | None) -> str | None:
    """The node that stands for a step's target: a party's operation is drawn as its channel."""
    event = graph.event_operations.get(OperationId(target)) if target else None
    return event.channel if event else target


def _party(graph: Graph, event: EventOperation) -> str:
    owner = next((a.name for a in graph.applications.values() if event.id in a.operations), event.location.path)
    return f"party:{event.service or owner}"


def _operation_label(operation: Operation) -> str:
    binding = operation.binding
    if isinstance(binding, HttpBinding):
        role = "" if binding.role is HttpRole.ENDPOINT else f"{binding.role.value} "
        return f"{role}{binding.method} {binding.path}"
    return binding.method + _streams(binding)


def _streams(binding: GrpcBinding) -> str:
    kinds = {
        (False, False): "",
        (False, True): " (server stream)",
        (True, False): " (client stream)",
        (True, True): " (both stream)",
    }
    return kinds[binding.client_streaming, binding.server_streaming]


def as_mermaid(graph: Graph) -> str:
    """A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""
    picture = _picture(graph)
    ids = {node: f"n{i}" for i, node in enumerate(picture.nodes)}
    shapes = {"operation": '["{}"]', "channel": '[("{}")]', "party": '(["{}"])', "workflow": '{{{{"{}"}}}}'}
    lines = ["flowchart LR"]
    for i, ((_, title), nodes) in enumerate(picture.groups.items()):
        drawn = [f"    {ids[node.id]}{shapes[node.shape].format(_mermaid_text(node.label))}" for node in nodes]
        lines += [f'  subgraph g{i}["{_mermaid_text(title)}"]', *drawn, "  end"] if title else [d[2:] for d in drawn]
    for edge in picture.edges:
        arrow = "-.->" if edge.dashed else "-->"
        lines.append(f'  {ids[edge.source]} {arrow}|"{_mermaid_text(edge.label)}"| {ids[edge.target]}')
    return "".join(f"{line}\n" for line in lines)


def _mermaid_text(text: str) -> str:
    """Text for a quoted label: everything that could end it or be read as markup becomes an entity."""
    escaped = re.sub(r"[^\w ./,:;(){}?!+*=~^'\n-]|[\x00-\x09\x0b-\x1f]", lambda found: f"#{ord(found[0])};", text)
    return escaped.replace("\n", "<br>")


def as_dot(graph: Graph) -> str:
    """A Graphviz digraph (https://graphviz.org/doc/info/lang.html)."""
    picture = _picture(graph)
    shapes = {"operation": "box", "channel": "cylinder", "party": "ellipse", "workflow": "hexagon"}
    lines = ["digraph contracts {", "  rankdir=LR;", "  node [fontname=Helvetica];"]
    for i, ((_, title), nodes) in enumerate(picture.groups.items()):
        drawn = [f"{_quoted(node.id)} [shape={shapes[node.shape]}, label={_quoted(node.label)}];" for node in nodes]
        inner = "".join(f"\n    {line}" for line in drawn)
        if title:
            lines.append(f"  subgraph cluster_{i} {{\n    label={_quoted(title)};{inner}\n  }}")
        else:
            lines += [f"  {line}" for line in drawn]
    for edge in picture.edges:
        style = ", style=dashed" if edge.dashed else ""
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(edge.label)}{style}];")
    return "".join(f"{line}\n" for line in [*lines, "}"])


def _quoted(text: str) -> str:
    clean = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


PRINTERS: Mapping[str, Callable[[Graph], str]] = {"json": as_json, "mermaid": as_mermaid, "dot": as_dot}
