"""Workflow steps give the operations they name what these need. Advice only: what cannot be run can still be read."""

from __future__ import annotations

from codegen.diagnostics import Diagnostics
from codegen.model.events import Action
from codegen.model.graph import Graph
from codegen.model.services import HttpBinding, Operation
from codegen.model.workflows import Step, Workflow


def check(graph: Graph, diagnostics: Diagnostics) -> None:
    """Check the parameters of HTTP steps and the direction of channel steps."""
    for workflow in graph.workflows.values():
        for step in workflow.steps:
            operation = graph.operations.get(step.operation) if step.operation else None
            if operation is not None and isinstance(operation.binding, HttpBinding):
                _parameters(workflow, step, operation, operation.binding, diagnostics)
            if step.operation in graph.event_operations:
                _direction(graph, step, diagnostics)


def _parameters(
    workflow: Workflow, step: Step, operation: Operation, http: HttpBinding, diagnostics: Diagnostics
) -> None:
    given = {(p.name, p.place) for p in (*workflow.parameters, *step.parameters)}
    names = {name for name, _ in given}
    declared = {(p.name, p.place.value) for p in http.parameters}
    for name, place in sorted(given, key=str):
        if (
            place in ("path", "query", "cookie")
            and (name, place) not in declared
            and any(p.name == name and p.place == place for p in step.parameters)
        ):
            diagnostics.warning(
                "link/step-parameter",
                f"step `{step.id}`: `{operation.name}` has no {place} parameter `{name}`",
                step.location,
                related=(operation.location,),
                hint="remove it, or correct its `name` or `in`",
            )
    for parameter in http.parameters:
        if (
            parameter.required
            and not parameter.has_default
            and parameter.name not in names
            and (parameter.place.value != "header")
        ):
            diagnostics.warning(
                "link/step-parameter",
                f"step `{step.id}` lacks the {parameter.place.value} parameter "
                f"`{parameter.name}` of `{operation.name}`",
                step.location,
                related=(parameter.location,),
                hint="give it under the `parameters` of the step or of the workflow",
            )
    if http.body and http.body.required and step.body is None:
        diagnostics.warning(
            "link/step-body",
            f"step `{step.id}` has no request body, `{operation.name}` wants one",
            step.location,
            related=(http.body.location,),
            hint="give the step a `requestBody`",
        )


def _direction(graph: Graph, step: Step, diagnostics: Diagnostics) -> None:
    operation = graph.event_operations[step.operation] if step.operation else None
    if operation is None or step.action is None:
        return
    if step.action not in (Action.SEND.value, Action.RECEIVE.value):
        diagnostics.error(
            "link/step-action",
            f"step `{step.id}`: `{step.action}` is neither send nor receive",
            step.location,
            hint="write `action: send` or `action: receive`",
        )
