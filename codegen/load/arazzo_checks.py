"""What must hold across the steps and workflows of one Arazzo document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from codegen.diagnostics import Diagnostics
from codegen.load.expressions import embedded_in, in_condition, parse_expression
from codegen.model.ids import Location
from codegen.model.workflows import Step, StepAction, StepTarget, Workflow


def check_workflows(workflows: tuple[Workflow, ...], diagnostics: Diagnostics) -> None:
    """Ids are unique, targets exist, dependencies have no circle."""
    named: dict[str, Workflow] = {}
    for workflow in workflows:
        other = named.setdefault(workflow.name, workflow)
        if other is not workflow:
            diagnostics.error(
                "arazzo/duplicate-workflow",
                f"two workflows are called `{workflow.name}`",
                workflow.location,
                related=(other.location,),
                hint="rename one of them",
            )
    for workflow in workflows:
        _check_steps(workflow, named, diagnostics)
        for action in (*workflow.success_actions, *workflow.failure_actions):
            _check_action(action, workflow, named, diagnostics)
        for name in workflow.depends_on:
            _check_workflow(name, workflow.location, named, diagnostics)
    places = {workflow.name: workflow.location for workflow in workflows}
    _check_circles({w.name: w.depends_on for w in workflows}, places, "dependsOn", diagnostics)
    runs = {
        w.name: tuple(s.workflow for s in w.steps if s.target is StepTarget.WORKFLOW and s.workflow) for w in workflows
    }
    _check_circles(runs, places, "workflowId", diagnostics)


def _check_steps(workflow: Workflow, named: Mapping[str, Workflow], diagnostics: Diagnostics) -> None:
    steps: dict[str, Step] = {}
    for step in workflow.steps:
        other = steps.setdefault(step.id, step)
        if other is not step:
            diagnostics.error(
                "arazzo/duplicate-step",
                f"two steps of `{workflow.name}` are called `{step.id}`",
                step.location,
                related=(other.location,),
                hint="rename one of them",
            )
    for step in workflow.steps:
        for name in step.depends_on:
            if name not in steps and not name.startswith(("$workflows.", "$sourceDescriptions.")):
                diagnostics.error(
                    "arazzo/unknown-step",
                    f"`{workflow.name}` has no step `{name}` to depend on",
                    step.location,
                    hint="correct the name, or add the step",
                )
        for action in (*step.on_success, *step.on_failure):
            _check_action(action, workflow, named, diagnostics)
        if step.target is StepTarget.WORKFLOW and step.workflow:
            _check_workflow(step.workflow, step.location, named, diagnostics)
    _check_uses(workflow, steps, diagnostics)
    places = {step.id: step.location for step in workflow.steps}
    _check_circles({s.id: s.depends_on for s in workflow.steps}, places, "dependsOn", diagnostics)


def _check_uses(workflow: Workflow, steps: Mapping[str, Step], diagnostics: Diagnostics) -> None:
    """Outputs that are used belong to a step of this workflow, which comes first (1.1 section 5.8.5.2.5)."""
    order = {id_: i for i, id_ in enumerate(steps)}
    jumps = any(action.step for step in workflow.steps for action in (*step.on_success, *step.on_failure))
    for position, step in enumerate(workflow.steps):
        for used in _steps_used(step):
            if used not in steps:
                diagnostics.error(
                    "arazzo/unknown-step",
                    f"`{workflow.name}` has no step `{used}`",
                    step.location,
                    hint="correct the name, or add the step",
                )
            elif order[used] >= position and not step.depends_on and not jumps:
                diagnostics.warning(
                    "arazzo/forward-reference",
                    f"`{step.id}` uses outputs of `{used}`, which has not run by then",
                    step.location,
                    related=(steps[used].location,),
                    hint="move the step behind the one whose outputs it uses",
                )
    for _, value in workflow.outputs:
        for used in _steps_in(value):
            if used not in steps:
                diagnostics.error(
                    "arazzo/unknown-step",
                    f"`{workflow.name}` has no step `{used}`",
                    workflow.location,
                    hint="correct the name, or add the step",
                )


def _steps_used(step: Step) -> Iterator[str]:
    values: list[Any] = [p.value for p in step.parameters]
    if step.body is not None:
        values += [step.body.payload, *(r.value for r in step.body.replacements)]
    for value in values:
        yield from _steps_in(value)
    for criterion in step.success_criteria:
        texts = [criterion.context or "", *in_condition(criterion.condition)]
        for text in texts:
            yield from _steps_in(text)


def _steps_in(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            for text in (current, *embedded_in(current)):
                expression = parse_expression(text) if text.startswith("$steps.") else None
                if expression is not None and expression.step is not None:
                    yield expression.step
        elif isinstance(current, dict):
            stack.extend(current.values())
        elif isinstance(current, list):
            stack.extend(current)


def _check_action(
    action: StepAction, workflow: Workflow, named: Mapping[str, Workflow], diagnostics: Diagnostics
) -> None:
    if action.step and all(step.id != action.step for step in workflow.steps):
        diagnostics.error(
            "arazzo/unknown-step",
            f"`{workflow.name}` has no step `{action.step}` to go to",
            action.location,
            hint="correct the name, or add the step",
        )
    if action.workflow:
        _check_workflow(action.workflow, action.location, named, diagnostics)


def _check_workflow(name: str, location: Location, named: Mapping[str, Workflow], diagnostics: Diagnostics) -> None:
    if name not in named and not name.startswith("$sourceDescriptions."):
        diagnostics.error(
            "arazzo/unknown-workflow",
            f"there is no workflow `{name}`",
            location,
            hint="one of another document is `$sourceDescriptions.<name>.<workflowId>`",
        )


def _check_circles(
    edges: Mapping[str, tuple[str, ...]], places: Mapping[str, Location], key: str, diagnostics: Diagnostics
) -> None:
    """Report each circle once, at its first element."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, next_edge = stack.pop()
            if next_edge == 0:
                if name in done:
                    continue
                path.append(name)
            following = edges.get(name, ())
            if next_edge < len(following):
                stack.append((name, next_edge + 1))
                target = following[next_edge]
                if target in path:
                    circle = " -> ".join([*path[path.index(target) :], target])
                    diagnostics.error(
                        "arazzo/circle",
                        f"`{key}` goes round in a circle: {circle}",
                        places[target],
                        hint="remove one of the dependencies of the circle",
                    )
                elif target in edges and target not in done:
                    stack.append((target, 0))
            else:
                path.pop()
                done.add(name)
