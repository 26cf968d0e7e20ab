"""Arazzo 1.0 and 1.1 documents become workflows of the graph."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.diagnostics import Diagnostics, Severity
from codegen.load.arazzo import load_arazzo
from codegen.load.documents import Documents
from codegen.load.expressions import embedded_in, parse_expression
from codegen.load.schemas import SchemaReader
from codegen.model.graph import Fragment
from codegen.model.types import Reference
from codegen.model.workflows import Step, StepTarget


def load(folder: Path, text: str) -> tuple[Fragment, Diagnostics]:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows/a.arazzo.yaml").write_text(textwrap.dedent(text))
    diagnostics = Diagnostics()
    documents = Documents(folder, diagnostics)
    document = documents.load("flows/a.arazzo.yaml")
    assert document is not None, list(diagnostics)
    return load_arazzo(document, documents, SchemaReader(documents, diagnostics), diagnostics), diagnostics


FLOW = """
arazzo: 1.1.0
info: {title: Orders, version: '1'}
sourceDescriptions:
  - {name: gateway, url: ../gateway/v1/openapi.yaml, type: openapi}
  - {name: orders, url: ../order/v1/asyncapi.yaml, type: asyncapi}
  - {name: other, url: ./other.arazzo.yaml, type: arazzo}
workflows:
  - workflowId: place
    inputs: {$ref: '#/components/inputs/cart'}
    parameters:
      - {reference: $components.parameters.token, value: secret}
    steps:
      - stepId: start
        operationId: $sourceDescriptions.gateway.startCheckout
        parameters:
          - {name: cart, in: query, value: $inputs.cart_id}
          - reference: $components.parameters.token
        requestBody:
          contentType: application/json
          payload: {cart: '{$inputs.cart_id}', sum: 1}
          replacements:
            - {target: /sum, value: $inputs.sum}
            - target: $.sum
              targetSelectorType: jsonpath
              value: {context: $inputs.all, selector: $.a, type: jsonpath}
        successCriteria:
          - condition: $statusCode == 201 && $response.body#/status != 'bad $text'
          - {context: $response.body, condition: '$.items[?(@.id == "{$inputs.cart_id}")]', type: jsonpath}
          - {context: $response.body, condition: //a, type: {type: xpath, version: xpath-10}}
        onSuccess: [{name: on, type: goto, stepId: confirm}]
        onFailure:
          - {name: again, type: retry, retryAfter: 1.5, retryLimit: 2, criteria: [{condition: $statusCode == 503}]}
          - reference: $components.failureActions.stop
        outputs: {order: $response.body#/order_id}
      - stepId: read
        operationPath: '{$sourceDescriptions.gateway.url}#/paths/~1orders/get'
      - stepId: confirm
        channelPath: '{$sourceDescriptions.orders.url}#/channels/orderCreated'
        action: receive
        correlationId: $steps.start.outputs.order
        timeout: 2500
        dependsOn: [start]
        outputs:
          total: {context: $message.payload, selector: $.data.total, type: jsonpath}
      - stepId: ship
        workflowId: $sourceDescriptions.other.ship
        parameters: [{name: order, value: $steps.start.outputs.order}]
    outputs: {order: $steps.start.outputs.order}
  - workflowId: after
    dependsOn: [place]
    steps: [{stepId: one, workflowId: place}]
components:
  inputs: {cart: {type: object, properties: {cart_id: {type: string}}}}
  parameters: {token: {name: token, in: header, value: none}}
  failureActions: {stop: {name: stop, type: end}}
"""


def steps(folder: Path, text: str = FLOW) -> dict[str, Step]:
    fragment, _ = load(folder, text)
    return {step.id: step for step in fragment.workflows[0].steps}


def test_a_1_1_document_is_read_without_complaint(tmp_path: Path) -> None:
    fragment, diagnostics = load(tmp_path, FLOW)
    assert list(diagnostics) == []
    place, after = fragment.workflows
    assert (place.id, after.depends_on) == ("flows/a.arazzo.yaml#place", ("place",))
    assert isinstance(place.inputs, Reference)
    assert [source.path for source in place.sources] == [
        "gateway/v1/openapi.yaml",
        "order/v1/asyncapi.yaml",
        "flows/other.arazzo.yaml",
    ]
    assert fragment.contract.depends_on == (
        "flows/other.arazzo.yaml",
        "gateway/v1/openapi.yaml",
        "order/v1/asyncapi.yaml",
    )


def test_steps_say_what_they_call_and_in_which_source(tmp_path: Path) -> None:
    found = steps(tmp_path)
    assert [(step.target, step.source, step.workflow) for step in found.values()] == [
        (StepTarget.OPERATION, "gateway", None),
        (StepTarget.OPERATION, "gateway", None),
        (StepTarget.CHANNEL, "orders", None),
        (StepTarget.WORKFLOW, "other", "$sourceDescriptions.other.ship"),
    ]
    assert (found["confirm"].action, found["confirm"].timeout, found["confirm"].depends_on) == (
        "receive",
        2.5,
        ("start",),
    )


def test_reusable_parameters_and_actions_are_resolved_and_overridden(tmp_path: Path) -> None:
    fragment, _ = load(tmp_path, FLOW)
    start = fragment.workflows[0].steps[0]
    assert [(p.name, p.place, p.value) for p in fragment.workflows[0].parameters] == [("token", "header", "secret")]
    assert [(p.name, p.value) for p in start.parameters] == [("cart", "$inputs.cart_id"), ("token", "none")]
    again, stop = start.on_failure
    assert (again.kind, again.retry_after, again.retry_limit, again.criteria[0].condition) == (
        "retry",
        1.5,
        2,
        "$statusCode == 503",
    )
    assert (stop.name, stop.kind) == ("stop", "end")


def test_bodies_criteria_and_selectors_are_kept(tmp_path: Path) -> None:
    start = steps(tmp_path)["start"]
    assert start.body is not None
    assert [(r.target, r.selector_kind) for r in start.body.replacements] == [("/sum", None), ("$.sum", "jsonpath")]
    assert [(c.kind, c.kind_version) for c in start.success_criteria] == [
        ("simple", None),
        ("jsonpath", None),
        ("xpath", "xpath-10"),
    ]
    assert dict(steps(tmp_path)["confirm"].outputs)["total"]["selector"] == "$.data.total"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("arazzo: 1.1.0", "arazzo: 2.0.0", "arazzo/version"),
        ("value: $inputs.cart_id}", "value: $Inputs.cart_id}", "arazzo/expression"),
        ("cart: '{$inputs.cart_id}'", "cart: '{$inptus.cart_id}'", "arazzo/expression"),
        ("$statusCode == 201", "$status == 201", "arazzo/expression"),
        ("order: $response.body#/order_id", "order: $response.order_id", "arazzo/expression"),
        ("#/paths/~1orders/get", "", "arazzo/expression"),
        ("stepId: confirm}", "stepId: confirmed}", "arazzo/unknown-step"),
        ("dependsOn: [start]", "dependsOn: [begin]", "arazzo/unknown-step"),
        ("value: $steps.start.outputs.order}", "value: $steps.strat.outputs.order}", "arazzo/unknown-step"),
        ("dependsOn: [place]", "dependsOn: [palace]", "arazzo/unknown-workflow"),
        ("stepId: read", "stepId: start", "arazzo/duplicate-step"),
        ("workflowId: after", "workflowId: place", "arazzo/duplicate-workflow"),
        ("name: other,", "name: orders,", "arazzo/duplicate-source"),
        (
            "$sourceDescriptions.gateway.startCheckout",
            "$sourceDescriptions.gate.startCheckout",
            "arazzo/unknown-source",
        ),
        ("$sourceDescriptions.gateway.startCheckout", "startCheckout", "arazzo/ambiguous-operation"),
        ("failureActions.stop\n", "failureActions.halt\n", "arazzo/missing-component"),
        ("        action: receive\n", "", "arazzo/missing-field"),
        ("timeout: 2500", "timeout: PT2S", "arazzo/bad-value"),
        ("type: retry", "type: redo", "arazzo/action"),
        ("type: goto, stepId: confirm", "type: goto", "arazzo/action"),
        ("dependsOn: [place]", "dependsOn: [after]", "arazzo/circle"),
        ("dependsOn: [start]", "dependsOn: [confirm]", "arazzo/circle"),
        ("in: query", "in: body", "arazzo/parameter-place"),
        ("        timeout: 2500", "        timeOut: 2500", "arazzo/unknown-field"),
        ("operationPath:", "workflowId: x\n        operationPath:", "arazzo/step-target"),
        ("../gateway/v1/openapi.yaml", "https://example.com/openapi.yaml", "arazzo/remote-source"),
        ("../gateway/v1/openapi.yaml", "../../openapi.yaml", "arazzo/outside"),
        ("failureActions: {stop: {name: stop, type: end}}", "successActions: 5", "arazzo/bad-value"),
        ("arazzo: 1.1.0", "arazzo: 1.0.1", "arazzo/unknown-field"),
    ],
)
def test_a_mistake_is_reported_where_it_stands(tmp_path: Path, before: str, after: str, rule: str) -> None:
    assert before in FLOW
    _, diagnostics = load(tmp_path, FLOW.replace(before, after, 1))
    assert rule in [found.rule for found in diagnostics]
    assert all(found.location.line > 0 for found in diagnostics)


def test_the_loose_expressions_of_1_0_are_a_warning(tmp_path: Path) -> None:
    text = """
        arazzo: 1.0.0
        info: {title: t, version: '1'}
        sourceDescriptions: [{name: a, url: a.yaml}]
        workflows: [{workflowId: w, steps: [{stepId: s, operationId: o}], outputs: {x: $steps.s.x}}]
        """
    for version, severity in (("1.0.0", Severity.WARNING), ("1.1.0", Severity.ERROR)):
        _, diagnostics = load(tmp_path, text.replace("1.0.0", version))
        assert [(found.rule, found.severity) for found in diagnostics] == [("arazzo/expression", severity)]


def test_an_output_that_is_plain_text_is_a_warning_and_all_inputs_at_once_are_too_in_1_0(tmp_path: Path) -> None:
    text = """
        arazzo: 1.0.1
        info: {title: t, version: '1'}
        sourceDescriptions: [{name: a, url: a.yaml}]
        workflows:
          - workflowId: w
            steps: [{stepId: s, operationId: o, requestBody: {payload: $inputs}, outputs: {x: done}}]
        """
    fragment, diagnostics = load(tmp_path, text)
    assert [(found.rule, found.severity) for found in diagnostics] == [("arazzo/expression", Severity.WARNING)] * 2
    assert fragment.workflows[0].steps[0].outputs == (("x", "done"),)


@pytest.mark.parametrize(
    "text",
    [
        "$url",
        "$method",
        "$statusCode",
        "$self",
        "$request.header.accept",
        "$request.path.id",
        "$request.body#/user/0/~1a",
        "$response.body",
        "$response.header.X-Rate-Limit",
        "$message.payload#/status",
        "$message.header.a",
        "$message.payload.orderId",
        "$inputs.user.name",
        "$inputs.a#/b",
        "$steps.a-b.outputs.c.d#/0",
        "$outputs.x",
        "$workflows.foo.inputs.username",
        "$workflows.foo.steps.bar",
        "$sourceDescriptions.petstore.getPetById",
        "$components.parameters.foo",
        "$components.failureActions.a.b",
    ],
)
def test_expressions_of_the_specification_are_understood(text: str) -> None:
    expression = parse_expression(text)
    assert expression is not None
    assert expression.strict
    assert list(embedded_in(f"a{{{text}}}b{{{text}}}")) == [text, text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "url",
        "$urls",
        "$input",
        "$inputs.",
        "$response.body/x",
        "$request.id",
        "$response.body#x",
        "$response.body#/~2",
        "$inputs.{a}",
    ],
)
def test_what_is_no_expression_is_not_understood(text: str) -> None:
    assert parse_expression(text) is None


@given(st.text())
def test_no_text_breaks_the_expression_parser(text: str) -> None:
    for candidate in (text, f"${text}", f"$response.body#/{text}"):
        found = parse_expression(candidate)
        assert found is None or found.text == candidate
