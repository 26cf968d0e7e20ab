"""A generated gateway front between a generated HTTP client and a generated gRPC server."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.behaviour.http.serving import Served
from tests.generating import generated

PACKAGE = "http_front"

PROTO = """
syntax = "proto3";
package orders.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/field_mask.proto";

enum Status { STATUS_UNSPECIFIED = 0; STATUS_PAID = 1; }
message Order {
  string id = 1; Status status = 2; int64 total_minor = 3; google.protobuf.Timestamp created_at = 4;
  repeated string notes = 5; optional string customer = 6;
}
message GetOrderRequest { string order_id = 1; bool verbose = 2; }
message GetOrderResponse { Order order = 1; }
message PlaceRequest { string customer = 1; repeated string skus = 2; string origin = 3; string idempotency_key = 4; }
message ChangeRequest { string order_id = 1; Order order = 2; google.protobuf.FieldMask update_mask = 3; }
message WatchRequest { string order_id = 1; }
message IngestRequest { bytes payload = 1; map<string, string> headers = 2; }
message IngestResponse {}
service OrderService {
  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse);
  rpc Place(PlaceRequest) returns (Order);
  rpc Change(ChangeRequest) returns (Order);
  rpc Watch(WatchRequest) returns (stream Order);
  rpc Ingest(IngestRequest) returns (IngestResponse);
}
"""

OPENAPI = """
openapi: 3.1.0
info: {title: Gateway, version: '1'}
x-grpc-status: {FAILED_PRECONDITION: 422}
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, x-grpc-field: order_id, schema: {type: string}}
    get:
      operationId: getOrder
      x-grpc-method: orders.v1.OrderService/GetOrder
      x-grpc-response-body: order
      parameters:
        - {name: verbose, in: query, schema: {type: boolean, default: false}}
      responses: &one
        '200': {description: One., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
        default: &problem {description: No., content: {application/problem+json: {schema: {type: object}}}}
    patch:
      operationId: changeOrder
      x-grpc-method: orders.v1.OrderService/Change
      x-grpc-body: order
      parameters:
        - {name: update_mask, in: query, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
      responses: *one
  /orders/{id}/events:
    get:
      operationId: watchOrder
      x-grpc-method: orders.v1.OrderService/Watch
      parameters:
        - {name: id, in: path, required: true, x-grpc-field: order_id, schema: {type: string}}
      responses:
        '200': {description: Changes., content: {text/event-stream: {schema: {$ref: '#/components/schemas/Order'}}}}
  /orders:
    post:
      operationId: placeOrder
      x-grpc-method: orders.v1.OrderService/Place
      x-grpc-set: {origin: web}
      parameters:
        - {name: Idempotency-Key, in: header, required: true, x-grpc-field: idempotency_key, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [customer], properties: {customer: {type: string},
                     skus: {type: array, items: {type: string}}}}
      responses:
        '201': {description: Placed., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
  /hooks:
    post:
      operationId: receiveHook
      x-grpc-method: orders.v1.OrderService/Ingest
      x-grpc-body: payload
      parameters:
        - {name: X-Signature, in: header, required: true, x-grpc-field: headers, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {type: object}}}
      responses: {'204': {description: Seen.}}
  /health:
    get:
      operationId: health
      responses: {'204': {description: Well.}}
components:
  schemas:
    Order:
      type: object
      x-proto-message: orders.v1.Order
      required: [id, status, total_minor, notes]
      properties:
        id: {type: string}
        status: {$ref: '#/components/schemas/Status'}
        total_minor: {type: integer, format: int64}
        created_at: {type: string, format: date-time}
        notes: {type: array, items: {type: string}}
        customer: {type: string}
    Status: {type: string, x-proto-enum: orders.v1.Status, enum: [STATUS_UNSPECIFIED, STATUS_PAID]}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root, diagnostics = generated(
        tmp_path_factory.mktemp("front"), {"orders/v1/orders.proto": PROTO, "gateway/v1/openapi.yaml": OPENAPI}, PACKAGE
    )
    assert not diagnostics.errors, [d.message for d in diagnostics]
    sys.path.insert(0, str(root))
    modules = {
        name: importlib.import_module(f"{PACKAGE}.{path}")
        for name, path in (
            ("pb", "orders.v1.orders_pb2"),
            ("grpc", "orders.v1.orders_grpc"),
            ("front", "gateway.v1.http.front"),
            ("client", "gateway.v1.http.client"),
            ("server", "gateway.v1.http.server"),
            ("models", "gateway.v1.http.models"),
            ("errors", "runtime.errors"),
            ("details", "runtime.error_details"),
            ("grpc_server", "runtime.grpc_server"),
            ("transcode", "runtime.transcode"),
            ("context", "runtime.context"),
        )
    }
    yield SimpleNamespace(**modules)
    sys.path.remove(str(root))


class Orders:
    """The service behind the gateway."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self.requests: list[Any] = []
        self.metadata: dict[str, str] = {}
        self.failure: Exception | None = None

    def _seen(self, request: Any, call: Any) -> None:
        self.requests.append(request)
        self.metadata = dict(call.metadata)
        if self.failure is not None:
            raise self.failure

    def order(self, id: str) -> Any:
        order = self._made.pb.Order(id=id, status=1, total_minor=2**60)
        order.created_at.FromJsonString("2026-11-23T12:00:00Z")
        return order

    async def get_order(self, request: Any, call: Any, /) -> Any:
        self._seen(request, call)
        return self._made.pb.GetOrderResponse(order=self.order(request.order_id))

    async def place(self, request: Any, call: Any, /) -> Any:
        self._seen(request, call)
        return self.order("8")

    async def change(self, request: Any, call: Any, /) -> Any:
        self._seen(request, call)
        return self.order(request.order_id)

    async def watch(self, request: Any, call: Any, /) -> AsyncIterator[Any]:
        self._seen(request, call)
        for _ in range(2):
            yield self.order(request.order_id)

    async def ingest(self, request: Any, call: Any, /) -> Any:
        self._seen(request, call)
        return self._made.pb.IngestResponse()


@pytest.fixture
def orders(made: Any) -> Orders:
    return Orders(made)


@pytest.fixture
async def client(made: Any, orders: Orders, served: Callable[[Any], Awaitable[Served]]) -> AsyncIterator[Any]:
    server = made.grpc_server.GrpcServer("127.0.0.1:0")
    made.grpc.add_order_service(server, orders)
    await server.start()
    async with made.grpc.OrderServiceClient(f"127.0.0.1:{server.port}") as behind:
        front = made.front.Front(order_service=behind, options=made.transcode.FrontOptions(forwarded=("x-tenant",)))
        gateway = await served(made.server.create_app(front))
        async with made.client.Client(gateway.url, headers={"X-Tenant": "t1", "Authorization": "Bearer b"}) as client:
            yield client
    await server.stop()


async def test_parameters_fill_the_request_and_a_field_is_the_answer(client: Any, orders: Orders, made: Any) -> None:
    order = await client.get_order("7", verbose=True)
    assert orders.requests == [made.pb.GetOrderRequest(order_id="7", verbose=True)]
    assert (order.id, order.status, order.total_minor) == ("7", made.models.Status.STATUS_PAID, 2**60)
    assert order.created_at.isoformat() == "2026-11-23T12:00:00+00:00"
    assert (order.notes, order.customer) == ([], None)


async def test_headers_and_the_trace_are_forwarded(client: Any, orders: Orders, made: Any) -> None:
    with made.context.trace_scope() as trace:
        await client.get_order("7")
    assert orders.metadata["authorization"] == "Bearer b"
    assert orders.metadata["x-tenant"] == "t1"
    assert orders.metadata["traceparent"].split("-")[1] == trace.trace_id


async def test_the_body_and_constants_fill_the_request(client: Any, orders: Orders, made: Any) -> None:
    body = made.models.PlaceOrderRequest(customer="c", skus=["a", "b"])
    result = await client.raw.place_order(body, idempotency_key="k")
    assert result.status == 201
    assert orders.requests == [made.pb.PlaceRequest(customer="c", skus=["a", "b"], origin="web", idempotency_key="k")]


async def test_a_body_becomes_one_field_beside_a_field_mask(client: Any, orders: Orders, made: Any) -> None:
    body = made.models.Order(id="7", status=made.models.Status.STATUS_PAID, total_minor=5, notes=["n"])
    await client.change_order("7", body, update_mask="total_minor,notes")
    request = orders.requests[0]
    assert (request.order_id, request.order.total_minor, list(request.order.notes)) == ("7", 5, ["n"])
    assert list(request.update_mask.paths) == ["total_minor", "notes"]


async def test_a_bytes_field_gets_the_body_as_it_came(client: Any, orders: Orders, made: Any) -> None:
    assert await client.receive_hook({"b": 1, "a": "ä"}, x_signature="s") is None
    assert orders.requests == [made.pb.IngestRequest(payload='{"b":1,"a":"ä"}'.encode(), headers={"x-signature": "s"})]


async def test_a_server_stream_becomes_events(client: Any) -> None:
    assert [order.id async for order in client.watch_order("7")] == ["7", "7"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("NotFound", 404),
        ("InvalidArgument", 400),
        ("FailedPrecondition", 422),
        ("AlreadyExists", 409),
        ("PermissionDenied", 403),
        ("Unauthenticated", 401),
        ("ResourceExhausted", 429),
        ("Unimplemented", 501),
        ("Internal", 500),
        ("DataLoss", 500),
    ],
)
async def test_a_grpc_status_becomes_its_http_status(
    client: Any, orders: Orders, made: Any, error: str, status: int
) -> None:
    orders.failure = getattr(made.errors, error)("said so")
    with pytest.raises(made.errors.HttpError) as caught:
        await client.get_order("7")
    assert caught.value.status == status
    assert ("said so" in caught.value.problem.detail) == (status != 500)


async def test_details_of_an_error_become_members_of_the_problem(client: Any, orders: Orders, made: Any) -> None:
    details = made.details
    orders.failure = made.errors.InvalidArgument(
        "bad",
        details=[
            details.BadRequest(field_violations=(details.FieldViolation(field="skus[0]", description="unknown"),)),
            details.ErrorInfo(reason="NO_SKU", domain="orders", metadata={"sku": "a"}),
        ],
    )
    with pytest.raises(made.errors.HttpBadRequest) as caught:
        await client.get_order("7")
    assert caught.value.problem.extensions == {
        "errors": [{"field": "skus[0]", "detail": "unknown"}],
        "code": "NO_SKU",
        "metadata": {"sku": "a"},
    }


async def test_an_operation_without_rpc_is_not_implemented(client: Any, made: Any) -> None:
    with pytest.raises(made.errors.HttpServerError) as caught:
        await client.health()
    assert caught.value.status == 501


async def test_an_enumeration_value_newer_than_the_gateway_is_passed_on(
    client: Any, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = orders.order

    def newer(id: str) -> Any:
        order = plain(id)
        order.status = 7
        return order

    monkeypatch.setattr(orders, "order", newer)
    order = await client.get_order("7")
    assert (order.status.value, order.status.is_known) == ("7", False)


async def test_credentials_that_metadata_cannot_carry_are_a_bad_request(client: Any) -> None:
    async with httpx.AsyncClient(base_url=client._http.base_url) as raw:
        answer = await raw.get("/orders/7", headers={b"authorization": b"Bearer \xfc"})
    assert answer.status_code == 400


async def test_the_stream_behind_is_closed_when_the_reader_leaves(made: Any) -> None:
    closed = False

    class Replies:
        def __aiter__(self) -> Replies:
            return self

        async def __anext__(self) -> Any:
            return made.pb.Order(id="7", status=1)

        async def aclose(self) -> None:
            nonlocal closed
            closed = True

    how = made.transcode.Transcoding(made.pb.WatchRequest)
    operation = importlib.import_module(f"{PACKAGE}.gateway.v1.http.operations").WATCH_ORDER
    context = SimpleNamespace(headers={}, body=b"")
    kept = Replies()
    reading = made.transcode.RpcFront().stream(operation, how, lambda *_, **__: kept, context, {})
    await anext(reading)
    await reading.aclose()
    assert closed
