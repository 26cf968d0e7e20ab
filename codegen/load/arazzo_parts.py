"""Values, criteria, parameters, actions and bodies of Arazzo steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Document, Documents, Node
from codegen.load.expressions import Expression, embedded_in, in_condition, looks_like_expression, parse_expression
from codegen.load.fields import check_fields, is_object
from codegen.model.types import JsonValue
from codegen.model.workflows import Criterion, Replacement, StepAction, StepBody, StepParameter

AREA = "arazzo"
PARAMETER_FIELDS = frozenset({"name", "in", "value"})
CRITERION_FIELDS = frozenset({"context", "condition", "type"})
ACTION_FIELDS = frozenset({"name", "type", "workflowId", "stepId", "criteria", "parameters"})
RETRY_FIELDS = frozenset({"retryAfter", "retryLimit"})
BODY_FIELDS = frozenset({"contentType", "payload", "replacements"})
REPLACEMENT_FIELDS = frozenset({"target", "targetSelectorType", "value"})
SELECTOR_FIELDS = frozenset({"context", "selector", "type"})
CRITERION_KINDS = ("simple", "regex", "jsonpath", "xpath")
PLACES = {0: ("path", "query", "header", "cookie"), 1: ("path", "query", "querystring", "header", "cookie")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Arazzo document being read. `minor` is 0 or 1."""

    document: Document
    documents: Documents
    diagnostics: Diagnostics
    minor: int

    @property
    def root(self) -> Node:
        return self.documents.root_node(self.document)

    def component(self, node: Node, section: str) -> Node | None:
        """What a Reusable Object refers to (`reference: $components.<section>.<name>`); None, reported."""
        reference = node.text("reference")
        expression = parse_expression(reference)
        if expression is None or expression.component is None or expression.component[0] != section:
            self.diagnostics.error(
                "arazzo/expression",
                f"`{reference}` does not refer to `components.{section}`",
                node.child("reference").location,
                hint=f"write `$components.{section}.<name>`",
            )
            return None
        target = self.root.child("components", section, expression.component[1])
        if target.value is None:
            self.diagnostics.error(
                "arazzo/missing-component",
                f"`{reference}` does not exist",
                node.child("reference").location,
                hint="declare it under `components`, or correct the name",
            )
            return None
        return target

    def expression(self, text: str, at: Node) -> Expression | None:
        """A runtime expression, checked; the loose grammar of 1.0 gives a warning."""
        found = parse_expression(text)
        if found is None:
            self.diagnostics.error(
                "arazzo/expression",
                f"`{text}` is no runtime expression",
                at.location,
                hint="see Arazzo 1.1, section 5.9",
            )
        elif not found.strict:
            report = self.diagnostics.warning if self.minor == 0 else self.diagnostics.error
            report(
                "arazzo/expression",
                f"`{text}` names nothing that can be evaluated",
                at.location,
                hint="a step's value is `$steps.<stepId>.outputs.<name>`",
            )
        return found

    def reusables(self, node: Node, section: str) -> Iterator[tuple[Node, Node]]:
        """(item as written, the object meant) of a list whose items may be Reusable Objects."""
        for item in node.items():
            if not is_object(item, f"an item of `{node.key}`", AREA, self.diagnostics):
                continue
            target = self.component(item, section) if item.has("reference") else item
            if target is not None:
                yield item, target


def check_value(source: Source, node: Node) -> JsonValue:
    """The value, every expression and selector within checked."""
    stack = [node]
    while stack:
        current = stack.pop()
        value = current.value
        if isinstance(value, str):
            if looks_like_expression(value) and not value.startswith("$ "):
                source.expression(value, current)
            else:
                for expression in embedded_in(value):
                    source.expression(expression, current)
        elif isinstance(value, dict) and source.minor >= 1 and {"context", "selector", "type"} <= value.keys():
            _check_selector(source, current)
        elif isinstance(value, dict):
            stack.extend(child for _, child in current.members())
        elif isinstance(value, list):
            stack.extend(current.items())
    return node.value


def _check_selector(source: Source, node: Node) -> None:
    check_fields(node.members(), SELECTOR_FIELDS, "a selector", AREA, source.diagnostics)
    source.expression(node.text("context"), node.child("context"))
    kind, _ = _kind_of(node.child("type"))
    if kind not in ("jsonpath", "xpath", "jsonpointer"):
        source.diagnostics.error(
            "arazzo/selector",
            f"`{kind}` is no kind of selector",
            node.child("type").location,
            hint="jsonpath, xpath or jsonpointer",
        )


def _kind_of(node: Node) -> tuple[str, str | None]:
    """(type, version) of a `type` that is a word or an Expression Type Object."""
    if isinstance(node.value, dict):
        return node.text("type"), node.text("version") or None
    return str(node.value), None


def criteria_of(source: Source, node: Node) -> tuple[Criterion, ...]:
    """Conditions; all must hold."""
    return tuple(
        _criterion(source, item) for item in node.items() if is_object(item, "a criterion", AREA, source.diagnostics)
    )


def _criterion(source: Source, node: Node) -> Criterion:
    diagnostics = source.diagnostics
    check_fields(node.members(), CRITERION_FIELDS, "a criterion", AREA, diagnostics)
    kind, version = _kind_of(node.child("type")) if node.has("type") else ("simple", None)
    condition, context = node.child("condition").value, node.text("context") or None
    if kind not in CRITERION_KINDS:
        diagnostics.error(
            "arazzo/criterion",
            f"`{kind}` is no kind of condition",
            node.child("type").location,
            hint=", ".join(CRITERION_KINDS),
        )
    if not isinstance(condition, str) or not condition.strip():
        diagnostics.error(
            "arazzo/missing-field",
            "the criterion has no `condition`",
            node.location,
            hint="write such as `condition: $statusCode == 200`",
        )
    if kind != "simple" and context is None:
        diagnostics.error(
            "arazzo/missing-field",
            f"a `{kind}` condition needs a `context`",
            node.location,
            hint="for example `context: $response.body`",
        )
    if context is not None:
        source.expression(context, node.child("context"))
    text = condition if isinstance(condition, str) else str(condition)
    for expression in in_condition(text) if kind == "simple" else embedded_in(text):
        source.expression(expression, node.child("condition"))
    return Criterion(condition=text, kind=kind, kind_version=version, context=context, location=node.location)


def parameters_of(source: Source, node: Node, *, placed: bool) -> tuple[StepParameter, ...]:
    """Parameters; `placed` when each must say where it goes (`in`), as for operations."""
    found: dict[tuple[str, str | None], StepParameter] = {}
    for item, target in source.reusables(node, "parameters"):
        check_fields(target.members(), PARAMETER_FIELDS, "a parameter", AREA, source.diagnostics)
        name, place = target.text("name"), target.text("in") or None
        value = check_value(source, item.child("value") if item.has("value") else target.child("value"))
        if not name:
            source.diagnostics.error(
                "arazzo/missing-field",
                "the parameter has no `name`",
                target.location,
                hint="give the parameter the `name` that the operation has for it",
            )
        if placed and place is None:
            source.diagnostics.error(
                "arazzo/missing-field",
                f"the parameter `{name}` has no `in`",
                target.location,
                hint="path, query, header or cookie",
            )
        if place is not None and place not in PLACES[min(source.minor, 1)]:
            source.diagnostics.error(
                "arazzo/parameter-place",
                f"parameters do not go into `{place}`",
                target.child("in").location,
                hint="`in` is path, query, header, cookie or querystring",
            )
        if (name, place) in found:
            source.diagnostics.error(
                "arazzo/duplicate-parameter", f"`{name}` is given twice", item.location, hint="remove one of the two"
            )
        found[name, place] = StepParameter(name=name, place=place, value=value)
    return tuple(found.values())


def actions_of(source: Source, node: Node, section: str) -> tuple[StepAction, ...]:
    """`section` is successActions or failureActions: where Reusable Objects are looked up, and whether retry is one."""
    failure = section == "failureActions"
    kinds = ("end", "goto", "retry") if failure else ("end", "goto")
    found: dict[str, StepAction] = {}
    for item, target in source.reusables(node, section):
        known = ACTION_FIELDS | RETRY_FIELDS if failure else ACTION_FIELDS
        check_fields(target.members(), known, "an action", AREA, source.diagnostics)
        action = _action(source, target, kinds)
        if action.name in found:
            source.diagnostics.error(
                "arazzo/duplicate-action",
                f"two actions are called `{action.name}`",
                item.location,
                hint="rename one of them",
            )
        found[action.name] = action
    return tuple(found.values())


def _action(source: Source, node: Node, kinds: tuple[str, ...]) -> StepAction:
    diagnostics = source.diagnostics
    kind, step, workflow = node.text("type"), node.text("stepId") or None, node.text("workflowId") or None
    if not node.text("name"):
        diagnostics.error(
            "arazzo/missing-field", "the action has no `name`", node.location, hint="give the action a `name`"
        )
    if kind not in kinds:
        diagnostics.error(
            "arazzo/action", f"`{kind}` is no type of action here", node.child("type").location, hint=", ".join(kinds)
        )
    if (step and workflow) or (kind == "goto" and not (step or workflow)):
        diagnostics.error(
            "arazzo/action", "`goto` needs either `stepId` or `workflowId`", node.location, hint="write one of the two"
        )
    after, limit = node.child("retryAfter"), node.child("retryLimit")
    for number in (after, limit):
        if number.value is not None and not _is_count(number.value, whole=number is limit):
            diagnostics.error(
                "arazzo/bad-value",
                f"`{number.key}` must be a number that is not negative",
                number.location,
                hint="write a number without quotes",
            )
    return StepAction(
        name=node.text("name"),
        kind=kind,
        step=step,
        workflow=workflow,
        retry_after=float(after.value) if _is_count(after.value, whole=False) else None,
        retry_limit=limit.value if _is_count(limit.value, whole=True) else None,
        parameters=parameters_of(source, node.child("parameters"), placed=False),
        criteria=criteria_of(source, node.child("criteria")),
        location=node.location,
    )


def _is_count(value: object, *, whole: bool) -> bool:
    kinds = int if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and value >= 0


def body_of(source: Source, node: Node) -> StepBody | None:
    """The request body, or the message to send."""
    if node.value is None or not is_object(node, "`requestBody`", AREA, source.diagnostics):
        return None
    check_fields(node.members(), BODY_FIELDS, "`requestBody`", AREA, source.diagnostics)
    replacements = []
    for item in node.child("replacements").items():
        check_fields(item.members(), REPLACEMENT_FIELDS, "a replacement", AREA, source.diagnostics)
        if not item.text("target"):
            source.diagnostics.error(
                "arazzo/missing-field",
                "the replacement has no `target`",
                item.location,
                hint="write the JSON pointer or XPath of what is replaced",
            )
        kind = _kind_of(item.child("targetSelectorType"))[0] if item.has("targetSelectorType") else None
        replacements.append(
            Replacement(target=item.text("target"), selector_kind=kind, value=check_value(source, item.child("value")))
        )
    return StepBody(
        content_type=node.text("contentType") or None,
        payload=check_value(source, node.child("payload")),
        replacements=tuple(replacements),
    )


def outputs_of(source: Source, node: Node) -> tuple[tuple[str, JsonValue], ...]:
    """Named values: expressions, and selectors in 1.1."""
    found = []
    for name, item in node.members():
        found.append((name, check_value(source, item)))
        if isinstance(item.value, str) and not looks_like_expression(item.value):
            report = source.diagnostics.error if item.value.startswith("$") else source.diagnostics.warning
            report(
                "arazzo/expression",
                f"`{item.value}` is no runtime expression: the output is this text itself",
                item.location,
                hint="see Arazzo 1.1, section 5.9",
            )
    return tuple(found)
