"""The platform's gateway: its generated client calls it over HTTP, and it calls generated gRPC servers."""

from __future__ import annotations

import json
from collections.abc import Awaitable

import httpx
import pytest
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.checkout.v1.checkout_pb2 import CHECKOUT_STATUS_CONFIRMED, GetCheckoutStatusRequest
from shop.gateway.v1.http.client import Client
from shop.gateway.v1.http.models import (
    Address,
    CancelOrderBody,
    CheckoutStatus,
    ConfirmCheckoutBody,
    Money,
    OrderStatus,
    PreviewOrderBody,
    Problem,
    ProductStatus,
    RegisterCustomerBody,
    StartCheckoutRequest,
)
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import GetOrderRequest, ListOrdersRequest, WatchOrderStatusRequest
from shop.payment.v1.payment_pb2 import PAYMENT_PROVIDER_PAYPAL, PAYMENT_PROVIDER_STRIPE
from shop.runtime.context import TraceContext, trace_scope
from shop.runtime.errors import HttpError, NotFound
from shop.runtime.http_client import CallOptions

from tests.behaviour.platform.services import TOKEN, Platform

BERLIN = Address(recipient_name="Ada Lovelace", line1="Allee 1", city="Berlin", postal_code="10115", country_code="DE")
START = StartCheckoutRequest(cart_id="crt_1", customer_id="cus_ada", session_id="ses_1")
PASSWORD = "correct horse battery"


def euro(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency_code="EUR")


async def refused(call: Awaitable[object]) -> HttpError:
    with pytest.raises(HttpError) as caught:
        await call
    return caught.value


# -- the way of an order


async def test_a_cart_becomes_an_order_by_start_preview_and_confirm(platform: Platform) -> None:
    client = platform.client
    checkout = await client.start_checkout(START)
    preview = await client.preview_order(checkout.checkout_id, PreviewOrderBody(shipping_address=BERLIN))
    assert (preview.total, [item.quantity for item in preview.items]) == (euro(3569), [2])
    confirmed = await client.confirm_checkout(
        checkout.checkout_id, ConfirmCheckoutBody(payment_method_id="pm_1", expected_total=preview.total)
    )
    status = await client.get_checkout_status(checkout.checkout_id)
    assert (status.status, status.order_id) == (CheckoutStatus.CHECKOUT_STATUS_CONFIRMED, confirmed.order_id)
    assert (await client.get_order(confirmed.order_id)).status is OrderStatus.ORDER_STATUS_PENDING


async def test_the_grpc_client_sees_what_was_done_over_http(platform: Platform) -> None:
    checkout = await platform.client.start_checkout(START)
    confirm = ConfirmCheckoutBody(payment_method_id="pm_1", expected_total=euro(3569))
    await platform.client.confirm_checkout(checkout.checkout_id, confirm)
    async with CheckoutServiceClient(platform.target) as checkouts:
        seen = await checkouts.get_checkout_status(GetCheckoutStatusRequest(checkout_id=checkout.checkout_id))
    assert (seen.status, seen.order_id) == (CHECKOUT_STATUS_CONFIRMED, "ord_1")


async def test_path_and_body_arrive_in_one_request(platform: Platform) -> None:
    checkout = await platform.client.start_checkout(START)
    await platform.client.preview_order(
        checkout.checkout_id, PreviewOrderBody(shipping_address=BERLIN, redeem_points=7)
    )
    request = platform.journal.request
    assert (request.checkout_id, request.shipping_address.city, request.redeem_points) == ("chk_1", "Berlin", 7)
    assert not request.HasField("billing_address")


async def test_an_order_keeps_its_64_bit_version_and_its_money_exactly(platform: Platform) -> None:
    platform.orders.add("ord_9")
    order = await platform.client.get_order("ord_9")
    assert (order.version, order.total, order.metadata) == (2**53 + 1, euro(3569), {"channel": "web"})
    assert order.created_at.isoformat() == "2026-02-02T02:40:00+00:00"
    assert order.payment_id is None


async def test_the_orders_of_all_pages_are_iterated(platform: Platform) -> None:
    for number in range(5):
        platform.orders.add(f"ord_{number}")
    found = [order.order_id async for order in platform.client.iter_list_orders(customer_id="cus_ada", page_size=2)]
    assert found == ["ord_0", "ord_1", "ord_2", "ord_3", "ord_4"]
    assert [request.page_token for request in platform.journal.requests] == ["", "2", "4"]


async def test_the_grpc_client_iterates_the_same_pages(platform: Platform) -> None:
    for number in range(3):
        platform.orders.add(f"ord_{number}")
    async with OrderServiceClient(platform.target) as orders:
        request = ListOrdersRequest(customer_id="cus_ada", page_size=2)
        assert [order.order_id async for order in orders.list_orders_items(request)] == ["ord_0", "ord_1", "ord_2"]


async def test_a_repeated_query_parameter_becomes_a_repeated_field(platform: Platform) -> None:
    wanted = [OrderStatus.ORDER_STATUS_PAID, OrderStatus.ORDER_STATUS_SHIPPED]
    await platform.client.list_orders(customer_id="cus_ada", statuses=wanted)
    assert (list(platform.journal.request.statuses), platform.journal.request.page_size) == ([2, 4], 20)


async def test_an_order_is_cancelled_with_its_reason(platform: Platform) -> None:
    platform.orders.add("ord_9")
    order = await platform.client.cancel_order("ord_9", CancelOrderBody(reason="changed my mind"))
    assert (order.status, order.status_reason) == (OrderStatus.ORDER_STATUS_CANCELLED, "changed my mind")


async def test_a_product_is_public(platform: Platform) -> None:
    async with Client(platform.url) as anonymous:
        product = await anonymous.get_product("prd_tea")
    assert (product.product_id, product.status) == ("prd_tea", ProductStatus.PRODUCT_STATUS_ACTIVE)
    assert (product.handling_time, product.weight_grams) == ("1.500s", None)


# -- the stream


async def test_changes_of_an_order_are_streamed_until_the_last(platform: Platform) -> None:
    platform.orders.add("ord_9")
    seen = [(change.version, change.status.value) async for change in platform.client.watch_order_status("ord_9")]
    assert seen == [(1, "ORDER_STATUS_PENDING"), (2, "ORDER_STATUS_PAID"), (3, "ORDER_STATUS_DELIVERED")]


async def test_a_stream_goes_on_after_the_last_event_that_was_received(platform: Platform) -> None:
    platform.orders.add("ord_9")
    changes = platform.client.watch_order_status("ord_9", last_event_id=1)
    assert [change.version async for change in changes] == [2, 3]


async def test_the_stream_is_made_of_server_sent_events(platform: Platform) -> None:
    platform.orders.add("ord_9")
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as plain:
        answer = await plain.get(f"{platform.url}/api/v1/orders/ord_9/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [event for event in answer.text.split("\n\n") if event]
    datas = [line.removeprefix("data:") for event in events for line in event.split("\n") if line.startswith("data:")]
    assert [json.loads(data)["status"] for data in datas][:2] == ["ORDER_STATUS_PENDING", "ORDER_STATUS_PAID"]


async def test_a_stream_of_an_unknown_order_is_a_problem_before_it_begins(platform: Platform) -> None:
    changes = platform.client.watch_order_status("ord_none")
    problem = await refused(anext(changes))
    assert problem.status == 404


async def test_the_grpc_stream_gives_the_same_changes(platform: Platform) -> None:
    platform.orders.add("ord_9")
    async with OrderServiceClient(platform.target) as orders:
        request = WatchOrderStatusRequest(order_id="ord_9")
        assert [change.version async for change in orders.watch_order_status(request)] == [1, 2, 3]


# -- webhooks of payment providers

BODY = b'{"id" : "evt_1","object":"event",\n\t"type":"payment_intent.succeeded", "data":{"\xc3\xa4":1.50}}  '


async def test_a_stripe_webhook_arrives_byte_for_byte_with_its_signature(platform: Platform) -> None:
    sent = {"content-type": "application/json", "stripe-signature": "t=1,v1=ab", "user-agent": "Stripe/1.0"}
    async with httpx.AsyncClient() as stripe:
        answer = await stripe.post(f"{platform.url}/api/v1/webhooks/stripe", content=BODY, headers=sent)
    assert (answer.status_code, answer.content) == (204, b"")
    request = platform.journal.request
    assert (request.payload, request.signature, request.provider) == (BODY, "t=1,v1=ab", PAYMENT_PROVIDER_STRIPE)
    assert dict(request.headers) == {"user-agent": "Stripe/1.0"}


async def test_headers_that_a_paypal_signature_covers_arrive_under_lower_case_names(platform: Platform) -> None:
    sent = {
        "content-type": "application/json",
        "PAYPAL-TRANSMISSION-SIG": "c2ln",
        "PAYPAL-TRANSMISSION-ID": "id-1",
        "PAYPAL-TRANSMISSION-TIME": "2026-02-01T10:15:30Z",
        "PAYPAL-CERT-URL": "https://api.paypal.com/cert.pem",
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    }
    body = {
        "id": "WH-1",
        "event_type": "PAYMENT.CAPTURE.COMPLETED",
        "resource_type": "capture",
        "resource": {},
        "create_time": "2026-02-01T10:15:30Z",
        "event_version": "1.0",
        "summary": "",
        "links": [],
    }
    async with httpx.AsyncClient() as paypal:
        answer = await paypal.post(f"{platform.url}/api/v1/webhooks/paypal", json=body, headers=sent)
    assert answer.status_code == 204, answer.text
    request = platform.journal.request
    assert (request.signature, request.provider) == ("c2ln", PAYMENT_PROVIDER_PAYPAL)
    assert dict(request.headers) == {
        "paypal-transmission-id": "id-1",
        "paypal-transmission-time": "2026-02-01T10:15:30Z",
        "paypal-cert-url": "https://api.paypal.com/cert.pem",
        "paypal-auth-algo": "SHA256withRSA",
    }


async def test_a_webhook_without_a_signature_does_not_reach_the_service(platform: Platform) -> None:
    async with httpx.AsyncClient() as stranger:
        headers = {"content-type": "application/json"}
        answer = await stranger.post(f"{platform.url}/api/v1/webhooks/stripe", content=BODY, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "Stripe-Signature"
    assert platform.journal.requests == []


# -- problems


async def test_what_is_not_found_is_a_404_with_the_details_of_the_service(platform: Platform) -> None:
    error = await refused(platform.client.get_checkout_status("chk_none"))
    assert (error.status, error.headers["content-type"]) == (404, "application/problem+json")
    assert error.problem is not None
    assert (error.problem.title, error.problem.detail) == ("Not Found", "there is no checkout chk_none")
    assert error.problem.extensions == {"code": "NOT_FOUND", "metadata": {"checkout_id": "chk_none"}}
    assert isinstance(error.model, Problem)
    assert error.model.code == "NOT_FOUND"


async def test_what_a_business_rule_refuses_is_a_422_with_its_code(platform: Platform) -> None:
    checkout = await platform.client.start_checkout(START)
    agreed = ConfirmCheckoutBody(payment_method_id="pm_1", expected_total=euro(1))
    error = await refused(platform.client.confirm_checkout(checkout.checkout_id, agreed))
    assert error.status == 422
    assert isinstance(error.model, Problem)
    assert (error.model.code, error.model.metadata) == (
        "PRICE_CHANGED",
        {"current_total": "3569", "currency_code": "EUR"},
    )


async def test_a_conflict_is_a_409(platform: Platform) -> None:
    body = RegisterCustomerBody(email="taken@example.com", password=PASSWORD)
    error = await refused(platform.client.register_customer(body))
    assert error.status == 409
    assert error.problem is not None
    assert error.problem.extensions["code"] == "EMAIL_TAKEN"


async def test_a_field_that_the_service_refuses_is_named_in_the_problem(platform: Platform) -> None:
    body = RegisterCustomerBody(email="odd@example.com", password=PASSWORD)
    error = await refused(platform.client.register_customer(body))
    assert error.status == 400
    assert error.problem is not None
    assert error.problem.extensions["errors"] == [{"field": "email", "detail": "is not deliverable"}]


async def test_what_breaks_the_contract_is_a_400_that_points_at_every_fault(platform: Platform) -> None:
    wrong = {
        "shipping_address": {"recipient_name": "", "line1": "x", "city": "B", "postal_code": "1", "country_code": "de"},
        "redeem_points": 0,
        "surprise": True,
    }
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as plain:
        answer = await plain.post(f"{platform.url}/api/v1/checkout/chk_1/preview", json=wrong)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    errors = answer.json()["errors"]
    assert {error["pointer"] for error in errors} == {
        "/shipping_address/recipient_name",
        "/shipping_address/country_code",
        "/redeem_points",
        "/surprise",
    }
    assert "shipping_address.country_code" in {error["field"] for error in errors}
    assert platform.journal.requests == []


async def test_a_wrong_parameter_is_named(platform: Platform) -> None:
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as plain:
        answer = await plain.get(
            f"{platform.url}/api/v1/search/products", params={"page_size": "1000", "min_price_minor_units": "dear"}
        )
    assert answer.status_code == 400
    found = {(error["parameter"], error.get("pointer"), error["field"]) for error in answer.json()["errors"]}
    assert found == {
        ("query", None, "query"),
        ("page_size", None, "page_size"),
        ("min_price_minor_units", None, "min_price_minor_units"),
    }


async def test_without_a_token_a_protected_operation_is_a_401_with_a_challenge(platform: Platform) -> None:
    async with Client(platform.url) as anonymous:
        error = await refused(anonymous.get_order("ord_9"))
    assert (error.status, error.headers["www-authenticate"]) == (401, 'Bearer realm="api"')
    assert platform.journal.requests == []


async def test_a_wrong_token_is_a_401_that_says_so(platform: Platform) -> None:
    async with Client(platform.url, bearer_auth="wrong") as stranger:
        error = await refused(stranger.get_order("ord_9"))
    assert 'error="invalid_token"' in error.headers["www-authenticate"]


async def test_a_service_without_the_rpc_is_a_501(platform: Platform) -> None:
    error = await refused(platform.client.get_loyalty_balance("cus_ada"))
    assert error.status == 501


async def test_the_grpc_client_raises_the_class_of_the_status(platform: Platform) -> None:
    async with OrderServiceClient(platform.target) as orders:
        with pytest.raises(NotFound, match="there is no order ord_none"):
            await orders.get_order(GetOrderRequest(order_id="ord_none"))


# -- what travels with a call


async def test_an_idempotency_key_without_a_field_travels_as_metadata(platform: Platform) -> None:
    await platform.client.start_checkout(START, options=CallOptions(idempotency_key="key-1"))
    assert platform.journal.call.idempotency_key == "key-1"


async def test_an_idempotency_key_with_a_field_travels_in_the_request(platform: Platform) -> None:
    platform.orders.add("ord_9")
    await platform.client.cancel_order("ord_9", CancelOrderBody(), options=CallOptions(idempotency_key="key-2"))
    assert platform.journal.request.idempotency_key == "key-2"


async def test_a_key_is_made_for_a_call_that_states_none(platform: Platform) -> None:
    await platform.client.start_checkout(START)
    first = platform.journal.call.idempotency_key
    await platform.client.start_checkout(START)
    assert first is not None
    assert platform.journal.call.idempotency_key not in (None, first)


async def test_the_trace_of_the_caller_reaches_the_service(platform: Platform) -> None:
    with trace_scope(TraceContext.new()) as trace:
        await platform.client.get_product("prd_tea")
    assert platform.journal.call.trace.trace_id == trace.trace_id


async def test_the_token_reaches_the_service(platform: Platform) -> None:
    platform.orders.add("ord_9")
    await platform.client.get_order("ord_9")
    assert platform.journal.call.header("authorization") == f"Bearer {TOKEN}"


async def test_the_time_limit_of_the_gateway_is_the_deadline_of_the_service(platform: Platform) -> None:
    await platform.client.get_product("prd_tea")
    deadline = platform.journal.call.deadline
    assert deadline is not None
    # gRPC rounds a time-out up to the next tenth of a second on the wire.
    assert 0 < deadline.remaining <= 5.1
