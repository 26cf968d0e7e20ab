"""A pact says what the generated client did, and cannot be recorded when that is not what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from shop.gateway.v1.http.client import Client
from shop.order.v1.events.consumers import subscribe_confirm_order_on_stock_reserved
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import CancelOrderRequest, GetOrderRequest

from harness.pacts import recorded
from harness.pacts.contracts import Protos
from harness.pacts.expectations import ALL, events
from harness.pacts.interactions import (
    EventInteraction,
    Expectations,
    HttpInteraction,
    Interaction,
    RpcInteraction,
    given,
)
from harness.pacts.matching import Exactly
from harness.pacts.recording import RecordingError, record
from harness.pacts.states import STATES


def expectations(*interactions: Interaction, client: Any = None) -> Expectations:
    return Expectations(consumer="shop", provider="order", interactions=interactions, http_client=client)


def rpc(**changed: Any) -> RpcInteraction:
    return RpcInteraction(
        **{
            "rpc": "order.v1.OrderService/GetOrder",
            "case": "an order",
            "client": OrderServiceClient,
            "call": lambda client: client.get_order(GetOrderRequest(order_id="ord_1")),
            "answer": {"order": {"order_id": "ord_1", "status": Exactly("ORDER_STATUS_PAID")}},
            "states": (given("an order"),),
            "from_state": {"$.order_id": "${order_id}"},
            **changed,
        }
    )


def http(**changed: Any) -> HttpInteraction:
    return HttpInteraction(
        **{
            "case": "log out",
            "call": lambda client: client.remove_cart_item("crt_1", "prd_1"),
            "method": "DELETE",
            "path": "/api/v1/carts/crt_1/items/prd_1",
            "status": 204,
            **changed,
        }
    )


def test_the_request_of_an_rpc_is_the_one_that_came_over_the_wire(protos: Protos) -> None:
    (found,) = record(expectations(rpc()), protos)["interactions"]
    assert found["type"] == "Synchronous/Messages"
    assert found["description"] == "order.v1.OrderService/GetOrder: an order"
    assert found["request"]["contents"]["content"] == {"order_id": "ord_1"}
    assert found["request"]["generators"]["body"]["$.order_id"]["expression"] == "${order_id}"
    (response,) = found["response"]
    assert response["metadata"]["grpc-status"] == "OK"
    assert "$.order.order_id" in response["matchingRules"]["body"]
    assert "$.order.status" not in response["matchingRules"]["body"]


def test_a_refusal_is_recorded_as_the_status_that_the_client_reports(protos: Protos) -> None:
    refusal = rpc(status="NOT_FOUND", answer={"code": Exactly("NOT_FOUND")})
    (found,) = record(expectations(refusal), protos)["interactions"]
    assert found["response"][0]["metadata"]["grpc-status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"answer": {"order": {"colour": "red"}}}, "none of the contract's"),
        ({"answer": {"order": {"status": "ORDER_STATUS_LOST"}}}, "none of the contract's"),
        ({"call": lambda client: client.cancel_order(CancelOrderRequest(order_id="ord_1"))}, "the client called"),
        ({"rpc": "order.v1.OrderService/ListOrders", "answer": {}}, "the client called"),
    ],
)
def test_an_rpc_that_is_not_as_expected_is_not_recorded(protos: Protos, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(RecordingError, match=told):
        record(expectations(rpc(**changed)), protos)


def test_a_client_that_does_not_report_the_refusal_is_found_out(protos: Protos) -> None:
    async def deaf(client: OrderServiceClient) -> object:
        try:
            return await client.get_order(GetOrderRequest(order_id="ord_1"))
        except Exception:  # noqa: BLE001 the mistake that is to be found
            return None

    with pytest.raises(RecordingError, match="took NOT_FOUND for an answer"):
        record(expectations(rpc(call=deaf, status="NOT_FOUND", answer={})), protos)


def test_an_http_request_is_recorded_with_what_comes_from_the_state(protos: Protos) -> None:
    interaction = http(from_state={"path": "/api/v1/carts/${cart_id}/items/prd_1"})
    (found,) = record(expectations(interaction, client=Client), protos)["interactions"]
    assert found["request"]["method"] == "DELETE"
    assert found["request"]["generators"]["path"]["expression"] == "/api/v1/carts/${cart_id}/items/prd_1"
    assert found["request"]["generators"]["header"]["Authorization"]["expression"] == "Bearer ${token}"


@pytest.mark.parametrize(
    "changed",
    [{"path": "/api/v1/carts/crt_2/items/prd_1"}, {"method": "PUT"}, {"headers": {"X-Other": "1"}}],
)
def test_a_client_that_sends_something_else_is_found_out(protos: Protos, changed: dict[str, Any]) -> None:
    with pytest.raises(RecordingError):
        record(expectations(http(**changed), client=Client), protos)


def reserved(**changed: Any) -> EventInteraction:
    whole = events.stock_reserved(subscribe_confirm_order_on_stock_reserved)
    return EventInteraction(
        channel=whole.channel, case=whole.case, subscribe=whole.subscribe, event={**whole.event, **changed}
    )


def test_an_event_is_recorded_when_the_generated_consumer_takes_it(protos: Protos) -> None:
    (found,) = record(expectations(reserved()), protos)["interactions"]
    assert found["type"] == "Asynchronous/Messages"
    assert found["metadata"]["channel"] == "stock-reserved"
    assert found["contents"]["content"]["data"]["lines"] == [{"product_id": "prd_tea_green", "quantity": 2}]


@pytest.mark.parametrize("changed", [{"type": Exactly("stock-gone")}, {"data": {"order_id": "ord_1"}}])
def test_an_event_that_the_consumer_refuses_is_not_recorded(protos: Protos, changed: dict[str, Any]) -> None:
    with pytest.raises(RecordingError, match="refuses the event"):
        record(expectations(reserved(**changed)), protos)


def test_recording_twice_writes_the_same_bytes(protos: Protos) -> None:
    one, two = (record(expectations(rpc(), reserved()), protos) for _ in range(2))
    assert recorded.text_of(one) == recorded.text_of(two)


def test_every_state_of_the_recorded_pacts_can_be_brought_about() -> None:
    wanted = {
        state["name"]
        for pact in recorded.read().values()
        for interaction in pact["interactions"]
        for state in interaction.get("providerStates", ())
    }
    assert wanted
    assert wanted <= set(STATES)


def test_the_recorded_pacts_are_those_of_the_expectations() -> None:
    """Their contents are compared by the slow test below and by `make contract-test`."""
    assert set(recorded.read()) == {each.name for each in ALL}
    for each in ALL:
        descriptions: Sequence[str] = [interaction.description for interaction in each.interactions]
        found = [interaction["description"] for interaction in recorded.read()[each.name]["interactions"]]
        assert sorted(descriptions) == sorted(found)


@pytest.mark.slow
def test_recording_again_gives_the_files_in_git(protos: Protos) -> None:
    assert recorded.differences({each.name: record(each, protos) for each in ALL}) == []
