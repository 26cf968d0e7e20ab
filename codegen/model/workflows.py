"""Workflows: sequences of operations that reach a goal (Arazzo 1.0 and 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum as PythonEnum

from codegen.model.ids import ChannelId, Location, OperationId
from codegen.model.types import JsonValue, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A condition. `kind`: simple, regex, jsonpath, xpath (with `kind_version`, when stated)."""

    condition: str
    kind: str = "simple"
    kind_version: str | None = None
    context: str | None = None
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class StepParameter:
    """`place` is path, query, header, cookie, or None when the step runs a workflow."""

    name: str
    place: str | None
    value: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A value put at `target` (JSON pointer, or an expression of `selector_kind`) of the payload."""

    target: str
    value: JsonValue
    selector_kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBody:
    content_type: str | None
    payload: JsonValue
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAction:
    """What follows a success or a failure. `kind`: end, goto, retry."""

    name: str
    kind: str
    step: str | None = None
    workflow: str | None = None
    retry_after: float | None = None
    """Seconds."""
    retry_limit: int | None = None
    parameters: tuple[StepParameter, ...] = ()
    """Inputs of the workflow it goes to (Arazzo 1.1)."""
    criteria: tuple[Criterion, ...] = ()
    location: Location


class StepTarget(PythonEnum):
    OPERATION = "operation"
    CHANNEL = "channel"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call, one message sent or received, or one nested workflow.

    `reference` is the target as written; `operation` and `channel` are what
    the linker found for it.
    """

    id: str
    doc: str = ""
    target: StepTarget
    reference: str
    source: str | None = None
    """Name of the source description the reference names, when it does."""
    operation: OperationId | None = None
    channel: ChannelId | None = None
    workflow: str | None = None
    action: str | None = None
    """`send` or `receive` for channels."""
    correlation_id: JsonValue = None
    timeout: float | None = None
    """Seconds (Arazzo gives milliseconds)."""
    depends_on: tuple[str, ...] = ()
    parameters: tuple[StepParameter, ...] = ()
    body: StepBody | None = None
    success_criteria: tuple[Criterion, ...] = ()
    on_success: tuple[StepAction, ...] = ()
    on_failure: tuple[StepAction, ...] = ()
    outputs: tuple[tuple[str, JsonValue], ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """A contract the workflows run over. `path` is its place among the contracts, None when it is elsewhere."""

    name: str
    url: str
    kind: str | None
    path: str | None
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    id: str
    """Document path, `#`, workflowId."""
    name: str
    summary: str = ""
    doc: str = ""
    inputs: Type | None = None
    depends_on: tuple[str, ...] = ()
    parameters: tuple[StepParameter, ...] = ()
    steps: tuple[Step, ...]
    success_actions: tuple[StepAction, ...] = ()
    failure_actions: tuple[StepAction, ...] = ()
    outputs: tuple[tuple[str, JsonValue], ...] = ()
    sources: tuple[SourceDescription, ...] = ()
    location: Location
    extensions: Mapping[str, JsonValue] = field(default_factory=dict)
