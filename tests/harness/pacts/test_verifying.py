"""Pact's verifier finds a provider that breaks a pact, over live gRPC; nothing it does not come to is passed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import GetOrderRequest

from harness.pacts import side
from harness.pacts.calling import Caller
from harness.pacts.contracts import ERROR_TRAILER, Protos
from harness.pacts.interactions import Expectations, RpcInteraction, State
from harness.pacts.matching import Exactly, int64
from harness.pacts.observed import Observed
from harness.pacts.recording import record
from harness.pacts.shop import Shop
from harness.pacts.verifying import Verdict, verify

ORDER = {"order_id": "ord_1", "status": "ORDER_STATUS_PAID", "version": "3"}


@pytest.fixture(scope="module")
def pact(protos: Protos) -> dict[str, Any]:
    def rpc(case: str, order_id: str, status: str, answer: Any, *states: State) -> RpcInteraction:
        return RpcInteraction(
            rpc="order.v1.OrderService/GetOrder",
            case=case,
            client=OrderServiceClient,
            call=lambda client: client.get_order(GetOrderRequest(order_id=order_id)),
            status=status,
            answer=answer,
            states=states,
        )

    known = {"order": {"order_id": "ord_1", "status": Exactly("ORDER_STATUS_PAID"), "version": int64(3)}}
    expected = Expectations(
        consumer="shop",
        provider="order",
        interactions=(
            rpc("an order", "ord_1", "OK", known),
            rpc("nobody's", "ord_2", "NOT_FOUND", {"code": Exactly("NO_ORDER")}),
        ),
    )
    return record(expected, protos)


@contextmanager
def provider(protos: Protos, order: dict[str, Any], status: str, code: str) -> Iterator[str]:
    """An order service on raw bytes that knows `ord_1`."""

    def serve(request: bytes, context: grpc.ServicerContext) -> bytes:
        if protos.read("order.v1.GetOrderRequest", request)["order_id"] != "ord_1":
            detail = protos.from_json("common.v1.ErrorDetail", {"code": code}).SerializeToString()
            context.set_trailing_metadata(((ERROR_TRAILER, detail),))
            context.abort(grpc.StatusCode[status], "no")
        return protos.from_json("order.v1.GetOrderResponse", {"order": order}).SerializeToString()

    class Handler(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
            return grpc.unary_unary_rpc_method_handler(serve)

    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def verdicts(protos: Protos, pact: dict[str, Any], **changed: Any) -> list[Verdict]:
    order = {**ORDER, **changed.pop("order", {})}
    with (
        provider(protos, order, changed.get("status", "NOT_FOUND"), changed.get("code", "NO_ORDER")) as address,
        Caller(protos, {"order": address}, Observed()) as caller,
        side.serving(side.Side(Shop(caller), "redis://127.0.0.1:1/0")) as port,
    ):
        return verify("order", [pact], port)


def test_a_provider_that_keeps_the_pact_is_told_so(protos: Protos, pact: dict[str, Any]) -> None:
    assert [each.wrong for each in verdicts(protos, pact)] == [(), ()]


@pytest.mark.parametrize(
    ("changed", "wrong", "told"),
    [
        ({"order": {"status": "ORDER_STATUS_FAILED"}}, "an order", "ORDER_STATUS_FAILED"),
        ({"status": "INTERNAL"}, "nobody's", "INTERNAL"),
        ({"code": "LOST"}, "nobody's", "LOST"),
    ],
)
def test_a_provider_that_breaks_the_pact_is_found_out(
    protos: Protos, pact: dict[str, Any], changed: dict[str, Any], wrong: str, told: str
) -> None:
    found = [each for each in verdicts(protos, pact, **changed) if not each.kept]
    assert [each.description for each in found] == [f"order.v1.OrderService/GetOrder: {wrong}"]
    assert told in " ".join(found[0].wrong)


def test_an_interaction_that_was_not_verified_is_no_pass(protos: Protos, pact: dict[str, Any]) -> None:
    """Nothing listens where the side application should be."""
    assert all(not each.kept for each in verify("order", [pact], 1))


def test_the_verifier_does_not_hold_up_an_event_loop_of_another_thread() -> None:
    """The suite verifies in the main thread while the tap runs a loop in its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        verify("order", [], 1)
        done = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "alive"), loop).result(5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
    assert done == "alive"
