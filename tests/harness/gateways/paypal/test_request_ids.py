from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from paypalserversdk.models.money import Money
from paypalserversdk.models.refund_request import RefundRequest

from tests.harness.gateways.paypal.raw import Raw
from tests.harness.gateways.paypal.sdk import WHOLE, Shop, card_source, client_of, order_body

HOUR = 3600


def test_a_create_replayed_with_its_request_id_answers_200_with_the_latest_state(shop: Shop) -> None:
    request = {"body": order_body(), "paypal_request_id": "k"}
    first = shop.orders.create_order(request)
    shop.control.action("approve_order", order_id=first.body.id)
    again = shop.orders.create_order(request)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.body.id, again.body.status) == (first.body.id, "APPROVED")


def test_a_capture_replayed_with_its_request_id_answers_200_with_the_latest_state(shop: Shop) -> None:
    request = {"id": shop.approved(), "paypal_request_id": "k"}
    first = shop.orders.capture_order(request)
    capture = first.body.purchase_units[0].payments.captures[0]
    shop.payments.refund_captured_payment({"capture_id": capture.id})
    again = shop.orders.capture_order({**request, "prefer": WHOLE})
    assert (first.status_code, again.status_code) == (201, 200)
    latest = again.body.purchase_units[0].payments.captures[0]
    assert (latest.id, latest.status) == (capture.id, "REFUNDED")
    assert shop.control.totals()["capture"] == {"USD": 1000}


def test_payments_replay_too(shop: Shop) -> None:
    held = shop.authorized()
    capture = [
        shop.payments.capture_authorized_payment({"authorization_id": held, "paypal_request_id": "c"}) for _ in range(2)
    ]
    assert [each.status_code for each in capture] == [201, 200]
    assert capture[0].body.id == capture[1].body.id
    request = {"capture_id": capture[0].body.id, "paypal_request_id": "r"}
    refunds = [shop.payments.refund_captured_payment(request) for _ in range(2)]
    assert [each.status_code for each in refunds] == [201, 200]
    assert refunds[0].body.id == refunds[1].body.id
    voids = [
        shop.payments.void_payment({"authorization_id": other, "paypal_request_id": "v", "prefer": WHOLE})
        for other in [shop.authorized()] * 2
    ]
    assert [each.body.status for each in voids] == ["VOIDED", "VOIDED"]
    assert shop.control.totals()["refund"] == {"USD": 1000} and len(shop.control.ledger("void")) == 1


def test_a_request_id_is_for_one_request(shop: Shop) -> None:
    shop.orders.create_order({"body": order_body("10.00"), "paypal_request_id": "k"})
    other = {"body": order_body("11.00"), "paypal_request_id": "k"}
    assert shop.issue(lambda: shop.orders.create_order(other)) == (422, "DUPLICATE_REQUEST_ID")
    shop.orders.capture_order({"id": shop.approved(), "paypal_request_id": "k"})
    elsewhere = {"id": shop.approved(), "paypal_request_id": "k"}
    assert shop.issue(lambda: shop.orders.capture_order(elsewhere)) == (422, "DUPLICATE_REQUEST_ID")


def test_spaces_and_the_order_of_members_make_no_other_request(raw: Raw) -> None:
    path, headers = "/v2/checkout/orders", {"paypal-request-id": "k", "authorization": f"Bearer {raw.token}"}
    first = b'{"intent":"CAPTURE","purchase_units":[{"amount":{"value":"1.00","currency_code":"USD"}}]}'
    again = b'{ "purchase_units": [{"amount": {"currency_code": "USD", "value": "1.00"}}], "intent": "CAPTURE" }'
    answers = [
        raw.http.post(path, content=body, headers={**headers, "content-type": "application/json"})
        for body in (first, again)
    ]
    assert [answer.status_code for answer in answers] == [201, 200]


def test_a_request_id_belongs_to_one_client(shop: Shop) -> None:
    request = {"body": order_body(), "paypal_request_id": "k"}
    first = shop.orders.create_order(request).body.id
    assert client_of(shop.url, "another-client").orders.create_order(request).body.id != first


def test_orders_forget_a_request_id_after_six_hours_and_payments_do_not(shop: Shop) -> None:
    create = {"body": order_body(), "paypal_request_id": "k"}
    first = shop.orders.create_order(create).body.id
    refund = {"capture_id": shop.captured(), "paypal_request_id": "r"}
    shop.payments.refund_captured_payment(refund)
    shop.control.advance(6 * HOUR - 60)
    assert shop.orders.create_order(create).body.id == first
    shop.control.advance(120)
    assert shop.orders.create_order(create).body.id != first
    assert shop.payments.refund_captured_payment(refund).status_code == 200


def test_a_refused_request_is_not_remembered(shop: Shop) -> None:
    request = {"id": shop.created(), "paypal_request_id": "k"}
    assert shop.issue(lambda: shop.orders.capture_order(request)) == (422, "ORDER_NOT_APPROVED")
    shop.control.action("approve_order", order_id=request["id"])
    assert shop.orders.capture_order(request).status_code == 201


def test_forty_captures_at_once_with_one_request_id_take_the_money_once(shop: Shop) -> None:
    order_id = shop.approved()

    def capture(_: int) -> tuple[int, str]:
        client = client_of(shop.url)
        answer = client.orders.capture_order({"id": order_id, "paypal_request_id": "k"})
        return answer.status_code, answer.body.purchase_units[0].payments.captures[0].id

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(capture, range(40)))
    assert sorted(status for status, _ in answers) == [200] * 39 + [201]
    assert len({capture_id for _, capture_id in answers}) == 1
    assert shop.control.totals() == {"capture": {"USD": 1000}}


async def test_a_refund_that_is_under_way_is_a_conflict(shop: Shop, raw: Raw) -> None:
    capture = shop.captured()
    shop.control.action("set_processing_time", seconds=0.2)
    headers = {
        "authorization": f"Bearer {raw.token}",
        "paypal-request-id": "r",
        "content-type": "application/json",
        "prefer": WHOLE,
    }
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as client:
        path = f"/v2/payments/captures/{capture}/refund"
        answers = await asyncio.gather(*(client.post(path, headers=headers) for _ in range(5)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1 and 409 in statuses and set(statuses) <= {200, 201, 409}
    error = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (error["name"], error["details"][0]["issue"]) == ("RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS")
    assert shop.control.totals()["refund"] == {"USD": 1000}


def test_an_order_that_is_under_way_is_waited_for(shop: Shop) -> None:
    shop.control.action("set_processing_time", seconds=0.1)
    body = order_body()
    body.payment_source = card_source()

    def create(_: int) -> tuple[int, str]:
        answer = client_of(shop.url).orders.create_order({"body": body, "paypal_request_id": "k"})
        return answer.status_code, answer.body.id

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(create, range(4)))
    assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
    assert shop.control.totals() == {"capture": {"USD": 1000}}


@pytest.mark.parametrize(
    "fault", [{"lost": True}, {"truncate": 20}, {"answer_status": 500}, {"answer_html": 502}], ids=str
)
def test_an_answer_that_is_lost_is_found_again_with_the_request_id(shop: Shop, fault: dict[str, object]) -> None:
    order_id = shop.approved()
    capture = {"id": order_id, "paypal_request_id": "c"}
    shop.control.script(fault, operation="captureOrder")
    with pytest.raises(Exception):  # noqa: B017 each fault is another error of the SDK
        shop.orders.capture_order(capture)
    again = shop.orders.capture_order(capture)
    assert again.status_code == 200
    capture_id = again.body.purchase_units[0].payments.captures[0].id
    refund = {"capture_id": capture_id, "body": RefundRequest(amount=Money("USD", "4.00")), "paypal_request_id": "r"}
    shop.control.script(fault, operation="refundCapture")
    with pytest.raises(Exception):  # noqa: B017 each fault is another error of the SDK
        shop.payments.refund_captured_payment(refund)
    assert shop.payments.refund_captured_payment(refund).status_code == 200
    assert shop.control.totals() == {"capture": {"USD": 1000}, "refund": {"USD": 400}}


def test_an_answer_that_is_late_is_no_second_effect(shop: Shop) -> None:
    shop.control.script({"answer_delay": 0.2}, operation="createOrder")
    started = time.monotonic()
    shop.created()
    assert time.monotonic() - started >= 0.2
