"""Contracts of three protocols that speak of the same thing are held to each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from codegen.diagnostics import Diagnostics, Severity
from codegen.link.linker import link
from codegen.link.rules.fronts import HTTP_OF_GRPC
from codegen.load.contracts import load_contracts
from codegen.load.listing import contract_files
from codegen.model.graph import Graph
from codegen.targets.python.runtime.errors import HTTP_STATUS, Code

PROTO = """
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
service Orders {
  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse);
  rpc Watch(GetOrderRequest) returns (stream Order);
  rpc Upload(stream Order) returns (Order);
}
message GetOrderRequest { string order_id = 1; map<string, string> headers = 2; }
message GetOrderResponse { Order order = 1; }
enum State { STATE_UNSPECIFIED = 0; STATE_OPEN = 1; STATE_DONE = 2; }
message Order {
  string id = 1;
  State state = 2;
  int64 total = 3;
  optional string note = 4;
  repeated string tags = 5;
  google.protobuf.Timestamp created_at = 6;
  double weight = 7;
}
"""

ORDER = """
    Order:
      x-proto-message: shop.v1.Order
      type: object
      required: [id, created_at]
      properties:
        id: {type: string, format: uuid}
        state: {$ref: '#/components/schemas/State'}
        total: {type: integer, format: int64}
        note: {type: string}
        tags: {type: array, items: {type: string}}
        created_at: {type: string, format: date-time}
        weight: {type: number}
    State:
      x-proto-enum: shop.v1.State
      type: string
      enum: [STATE_OPEN, STATE_DONE]
"""

OPERATION = """
      operationId: getOrder
      x-grpc-method: shop.v1.Orders/GetOrder
      x-grpc-response-body: order
      parameters:
        - {name: order_id, in: path, required: true, schema: {type: string}}
        - {name: X-Trace, in: header, x-grpc-field: headers, schema: {type: string}}
      responses:
        '200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        default: {description: Not.}
"""


def openapi(operation: str = OPERATION, schemas: str = ORDER) -> str:
    return (
        f"openapi: 3.1.0\ninfo: {{title: Shop, version: '1'}}\npaths:\n  /orders/{{order_id}}:\n    get:{operation}"
        f"components:\n  schemas:{schemas}"
    )


def linked(folder: Path, **files: str) -> tuple[Graph, Diagnostics]:
    names = {
        "proto": "shop/v1/orders.proto",
        "http": "shop/v1/openapi.yaml",
        "events": "shop/v1/asyncapi.yaml",
        "flow": "shop/v1/flow.arazzo.yaml",
    }
    return linked_files(folder, {names[key]: content for key, content in files.items()})


def linked_files(folder: Path, files: Mapping[str, str]) -> tuple[Graph, Diagnostics]:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    diagnostics = Diagnostics()
    loaded = load_contracts(folder, contract_files(folder), diagnostics)
    contracts = (*loaded.contracts, *(fragment.contract for fragment in loaded.fragments))
    return link(loaded.fragments, loaded.declarations, contracts, loaded.descriptor_set, diagnostics), diagnostics


def test_contracts_that_agree_give_no_complaint_and_one_graph(tmp_path: Path) -> None:
    graph, diagnostics = linked(tmp_path, proto=PROTO, http=openapi())
    assert [str(d) for d in diagnostics] == []
    front = next(o for o in graph.operations.values() if o.name == "getOrder")
    assert front.fronts == "shop.v1.Orders/GetOrder"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("x-proto-message: shop.v1.Order\n", "x-proto-message: shop.v1.Ordr\n", "link/entity-unknown"),
        ("        total: {type: integer, format: int64}\n", "", "link/entity-field-missing"),
        (
            "        total: {type: integer, format: int64}\n",
            "        Total: {type: integer}\n",
            "link/entity-field-extra",
        ),
        ("total: {type: integer, format: int64}", "total: {type: boolean}", "link/entity-field-type"),
        ("weight: {type: number}", "weight: {type: number, format: decimal}", "link/entity-field-type"),
        ("tags: {type: array, items: {type: string}}", "tags: {type: string}", "link/entity-field-type"),
        ("created_at: {type: string, format: date-time}", "created_at: {type: string}", "link/entity-field-type"),
        ("required: [id, created_at]", "required: [id, note]", "link/entity-presence"),
        ("note: {type: string}", "note: {type: [string, 'null']}", "link/entity-presence"),
        ("enum: [STATE_OPEN, STATE_DONE]", "enum: [STATE_OPEN]", "link/entity-enum-values"),
        ("enum: [STATE_OPEN, STATE_DONE]", "enum: [STATE_OPEN, STATE_DONE, STATE_LOST]", "link/entity-enum-values"),
        ("x-proto-enum: shop.v1.State", "x-proto-enum: shop.v1.Order", "link/entity-kind"),
    ],
)
def test_a_schema_that_departs_from_its_proto_type_is_said(tmp_path: Path, before: str, after: str, rule: str) -> None:
    assert before in ORDER
    _, diagnostics = linked(tmp_path, proto=PROTO, http=openapi(schemas=ORDER.replace(before, after)))
    assert rule in {d.rule for d in diagnostics.errors}
    assert all(d.location.line > 0 for d in diagnostics.errors)


def test_a_name_in_another_case_is_recognised(tmp_path: Path) -> None:
    text = openapi(schemas=ORDER.replace("created_at:", "createdAt:").replace("created_at]", "createdAt]"))
    _, diagnostics = linked(tmp_path, proto=PROTO, http=text)
    assert any("another case" in d.hint for d in diagnostics.errors)


def test_the_rules_and_the_generated_code_have_one_table_of_statuses() -> None:
    assert {code.name: status for code, status in HTTP_STATUS.items() if code is not Code.OK} == HTTP_OF_GRPC


def test_an_operation_may_give_a_grpc_code_a_status_of_its_own(tmp_path: Path) -> None:
    own = OPERATION.replace(
        "x-grpc-method:", "x-grpc-status: {FAILED_PRECONDITION: 412}\n      x-grpc-method:"
    ).replace("default: {description: Not.}", "'412': {description: Not.}\n        default: {description: Not.}")
    _, diagnostics = linked(tmp_path, proto=PROTO, http=openapi(own))
    assert [str(d) for d in diagnostics] == []


@pytest.mark.parametrize("stated", ["{NO_SUCH_CODE: 412}", "{NOT_FOUND: yes}", "{NOT_FOUND: true}", "[NOT_FOUND]"])
def test_a_status_that_is_given_to_no_grpc_code_is_said(tmp_path: Path, stated: str) -> None:
    wrong = OPERATION.replace("x-grpc-method:", f"x-grpc-status: {stated}\n      x-grpc-method:")
    _, diagnostics = linked(tmp_path, proto=PROTO, http=openapi(wrong))
    assert [d.rule for d in diagnostics.errors] == ["link/status"]


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("Orders/GetOrder", "Orders/GetOrdr", "link/rpc-unknown"),
        ("name: order_id, in: path", "name: order_id, x-grpc-field: id, in: path", "link/rpc-request-field"),
        (
            "schema: {type: string}}\n        - {name: X-Trace",
            "schema: {type: integer}}\n        - {name: X-Trace",
            "link/entity-field-type",
        ),
        ("x-grpc-response-body: order", "x-grpc-response-body: nothing", "link/rpc-response"),
        ("      x-grpc-response-body: order\n", "", "link/rpc-response"),
        ("Orders/GetOrder", "Orders/Watch", "link/rpc-stream"),
        ("Orders/GetOrder", "Orders/Upload", "link/rpc-stream"),
        ("default: {description: Not.}", "'418': {description: Not.}", "link/status"),
    ],
)
def test_an_operation_that_does_not_map_to_its_rpc_is_said(tmp_path: Path, before: str, after: str, rule: str) -> None:
    assert before in OPERATION
    _, diagnostics = linked(tmp_path, proto=PROTO, http=openapi(OPERATION.replace(before, after)))
    assert rule in {d.rule for d in diagnostics.errors}


def test_statuses_an_rpc_can_end_in_should_be_described(tmp_path: Path) -> None:
    text = openapi(OPERATION.replace("default: {", "'404': {"))
    _, diagnostics = linked(tmp_path, proto=PROTO, http=text)
    found = [d for d in diagnostics if d.rule == "link/status"]
    assert [d.severity for d in found] == [Severity.WARNING]
    assert "400, 500, 503, 504" in found[0].message


EVENTS = """
asyncapi: 3.0.0
info: {title: Orders, version: '1'}
channels:
  created: {address: order-created, messages: {made: {payload: {type: object, properties: {id: {type: string}}}}}}
operations:
  publish: {action: send, channel: {$ref: '#/channels/created'}, x-service: order}
  consume: {action: receive, channel: {$ref: '#/channels/created'}, x-service: mail}
"""


@pytest.mark.parametrize(("gone", "rule"), [("publish", "link/event-unproduced"), ("consume", "link/event-unconsumed")])
def test_an_event_without_its_counterpart_is_said(tmp_path: Path, gone: str, rule: str) -> None:
    _, diagnostics = linked(tmp_path, events=EVENTS)
    assert not list(diagnostics)
    text = "".join(line for line in EVENTS.splitlines(keepends=True) if not line.strip().startswith(f"{gone}:"))
    _, diagnostics = linked(tmp_path, events=text)
    assert [d.rule for d in diagnostics.errors] == [rule]
    _, diagnostics = linked(
        tmp_path,
        events=text.replace("x-service: order}", "x-service: order, x-external: true}").replace(
            "x-service: mail}", "x-service: mail, x-external: true}"
        ),
    )
    assert not diagnostics.errors


def test_without_owners_nothing_is_assumed_of_events(tmp_path: Path) -> None:
    text = EVENTS.replace(", x-service: order", "").replace(", x-service: mail", "")
    _, diagnostics = linked(
        tmp_path, events=text.replace("  publish:", "  other:").replace("action: send", "action: receive")
    )
    assert not diagnostics.errors


FLOW = """
arazzo: 1.1.0
info: {title: Flow, version: '1'}
sourceDescriptions:
  - {name: shop, url: ./openapi.yaml, type: openapi}
workflows:
  - workflowId: get
    steps:
      - stepId: one
        operationId: getOrder
        parameters: [{name: order_id, in: path, value: a}]
        successCriteria: [{condition: $statusCode == 200}]
"""


def test_a_workflow_step_finds_its_operation(tmp_path: Path) -> None:
    graph, diagnostics = linked(tmp_path, proto=PROTO, http=openapi(), flow=FLOW)
    assert not list(diagnostics)
    (workflow,) = graph.workflows.values()
    operation = workflow.steps[0].operation
    assert operation is not None and graph.operations[operation].name == "getOrder"


def test_a_workflow_step_finds_what_its_source_only_refers_to(tmp_path: Path) -> None:
    files = {
        "openapi.yaml": "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/a/b: {$ref: 'items.yaml#/item'}}",
        "items.yaml": "item: {get: {operationId: getIt, responses: {'200': {description: d}}}}",
        "asyncapi.yaml": """
asyncapi: 3.0.0
info: {title: t, version: '1'}
channels: {here: {$ref: '#/components/channels/there'}}
components: {channels: {there: {address: x}}}
""",
        "flow.arazzo.yaml": """
arazzo: 1.1.0
info: {title: Flow, version: '1'}
sourceDescriptions:
  - {name: http, url: ./openapi.yaml, type: openapi}
  - {name: events, url: ./asyncapi.yaml, type: asyncapi}
workflows:
  - workflowId: w
    steps:
      - {stepId: a, operationPath: '{$sourceDescriptions.http.url}#/paths/~1a~1b/get'}
      - {stepId: b, operationId: $sourceDescriptions.http.getIt}
      - {stepId: c, channelPath: '{$sourceDescriptions.events.url}#/channels/here', action: send}
""",
    }
    graph, diagnostics = linked_files(tmp_path, files)
    assert not list(diagnostics)
    (workflow,) = graph.workflows.values()
    assert [step.operation and graph.operations[step.operation].name for step in workflow.steps] == [
        "getIt",
        "getIt",
        None,
    ]
    assert [step.channel and graph.channels[step.channel].address for step in workflow.steps] == [None, None, "x"]


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("operationId: getOrder", "operationId: getOrdr", "link/step-operation"),
        (
            "operationId: getOrder",
            "operationPath: '{$sourceDescriptions.shop.url}#/paths/~1none/get'",
            "link/step-operation",
        ),
        ("operationId: getOrder", "workflowId: nowhere", "link/step-workflow"),
        ("name: order_id, in: path", "name: id, in: path", "link/step-parameter"),
    ],
)
def test_a_step_that_names_nothing_is_said(tmp_path: Path, before: str, after: str, rule: str) -> None:
    _, diagnostics = linked(tmp_path, proto=PROTO, http=openapi(), flow=FLOW.replace(before, after))
    assert rule in {d.rule for d in diagnostics}
