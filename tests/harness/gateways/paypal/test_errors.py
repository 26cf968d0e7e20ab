from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from harness.gateways.outcomes import ControlError
from tests.harness.gateways.paypal.raw import Raw
from tests.harness.gateways.paypal.sdk import Shop

ORDERS = "/v2/checkout/orders"
AMOUNT = {"currency_code": "USD", "value": "10.00"}
LONG = "x" * 300


def an_order(**members: Any) -> dict[str, Any]:
    return {"intent": "CAPTURE", "purchase_units": [{"amount": AMOUNT, **members}]}


def paid_with(**source: Any) -> dict[str, Any]:
    return {**an_order(), "payment_source": source}


@pytest.mark.parametrize(
    ("body", "issue", "field"),
    [
        ({}, "MISSING_REQUIRED_PARAMETER", "/intent"),
        ({"intent": "CAPTURE"}, "MISSING_REQUIRED_PARAMETER", "/purchase_units"),
        ({"intent": "CAPTURE", "purchase_units": []}, "INVALID_ARRAY_MIN_ITEMS", "/purchase_units"),
        ({**an_order(), "purchase_units": [{}]}, "MISSING_REQUIRED_PARAMETER", "/purchase_units/0/amount"),
        ({**an_order(), "purchase_units": 7}, "INVALID_PARAMETER_VALUE", "/purchase_units"),
        ({**an_order(), "purchase_units": [{"amount": AMOUNT}] * 11}, "INVALID_ARRAY_MAX_ITEMS", "/purchase_units"),
        ({**an_order(), "intent": "SALE"}, "INVALID_PARAMETER_VALUE", "/intent"),
        ([], "INVALID_PARAMETER_VALUE", "/"),
        (an_order(custom_id=LONG), "INVALID_STRING_LENGTH", "/purchase_units/0/custom_id"),
        (
            {**an_order(), "purchase_units": [{"amount": {"currency_code": "USD", "value": "ten"}}]},
            "INVALID_PARAMETER_SYNTAX",
            "/purchase_units/0/amount/value",
        ),
        (
            {**an_order(), "purchase_units": [{"amount": {"currency_code": "DOLLAR", "value": "1"}}]},
            "INVALID_STRING_LENGTH",
            "/purchase_units/0/amount/currency_code",
        ),
        (paid_with(card={"number": "4111"}), "INVALID_PARAMETER_SYNTAX", "/payment_source/card/number"),
        (paid_with(card={"name": "Ada"}), "MISSING_REQUIRED_PARAMETER", "/payment_source/card/number"),
        (paid_with(), "INVALID_PARAMETER_VALUE", "/payment_source"),
    ],
)  # fmt: skip
def test_an_order_that_breaks_the_schema_is_an_invalid_request(raw: Raw, body: Any, issue: str, field: str) -> None:
    answer = raw.call("POST", ORDERS, body, paypal_request_id="k")
    error = answer.json()
    assert (answer.status_code, error["name"]) == (400, "INVALID_REQUEST")
    assert error["details"][0]["issue"] == issue
    assert error["details"][0]["field"] == field
    assert error["details"][0]["location"] == "body"
    assert error["details"][0]["description"]
    assert error["debug_id"] == answer.headers["paypal-debug-id"]
    assert error["links"][0]["rel"] == "information_link"
    assert "4111" not in answer.text


def test_a_card_that_has_expired_is_refused(raw: Raw) -> None:
    card = {"number": "4111111111111111", "expiry": "2020-01"}
    answer = raw.call("POST", ORDERS, paid_with(card=card), paypal_request_id="k")
    assert (answer.status_code, answer.json()["details"][0]["issue"]) == (422, "CARD_EXPIRED")
    assert "4111" not in answer.text


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"intent": "CAPTURE"', b"[" * 100_000], ids=range(4))
def test_json_that_is_none_is_said_so(raw: Raw, content: bytes) -> None:
    answer = raw.send(ORDERS, content)
    assert (answer.status_code, answer.json()["details"][0]["issue"]) == (400, "MALFORMED_REQUEST_JSON")


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", f"{ORDERS}/NOSUCHORDER", 404, "RESOURCE_NOT_FOUND"),
        ("POST", f"{ORDERS}/NOSUCHORDER/capture", 404, "RESOURCE_NOT_FOUND"),
        ("POST", f"{ORDERS}/NOSUCHORDER/authorize", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/v2/payments/authorizations/X", 404, "RESOURCE_NOT_FOUND"),
        ("POST", "/v2/payments/authorizations/X/capture", 404, "RESOURCE_NOT_FOUND"),
        ("POST", "/v2/payments/authorizations/X/void", 404, "RESOURCE_NOT_FOUND"),
        ("POST", "/v2/payments/authorizations/X/reauthorize", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/v2/payments/captures/%2e%2e%2f", 404, "RESOURCE_NOT_FOUND"),
        ("POST", "/v2/payments/captures/X/refund", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/v2/payments/refunds/X", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/checkoutnow?token=X", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/checkoutnow", 400, "INVALID_REQUEST"),
        ("GET", "/v2/no/such/path", 404, "RESOURCE_NOT_FOUND"),
        ("DELETE", ORDERS, 405, "METHOD_NOT_SUPPORTED"),
        ("GET", "/v1/notifications/webhooks/X", 404, "INVALID_RESOURCE_ID"),
        ("DELETE", "/v1/notifications/webhooks/X", 404, "INVALID_RESOURCE_ID"),
        ("GET", "/v1/notifications/webhooks-events/X", 404, "INVALID_RESOURCE_ID"),
        ("GET", "/v1/notifications/certs/X", 404, "INVALID_RESOURCE_ID"),
        ("POST", "/v1/notifications/webhooks", 400, "VALIDATION_ERROR"),
    ],
)
def test_what_is_not_there_is_an_error_of_paypal(raw: Raw, method: str, path: str, status: int, name: str) -> None:
    answer = raw.call(method, path)
    error = answer.json()
    assert (answer.status_code, error["name"]) == (status, name)
    assert error["debug_id"] == answer.headers["paypal-debug-id"] and error["message"]


ODD: list[Any] = [None, True, -1, 1e308, "", [], {}, "\x00", "9" * 40, "-0.00", "1e5", "NaN", {"a": 1}, "../..", "\r\n"]
WHOLE_ORDER = {
    **paid_with(card={"number": "4111111111111111", "expiry": "2032-01"}),
    "application_context": {"return_url": "https://shop.example/"},
    "purchase_units": [
        {
            "reference_id": "default",
            "amount": {**AMOUNT, "breakdown": {"item_total": AMOUNT}},
            "items": [{"name": "Tea", "unit_amount": {**AMOUNT, "value": "5.00"}, "quantity": "2"}],
            "shipping": {"address": {"country_code": "US"}},
        }
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document."""
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


def test_an_odd_value_anywhere_in_an_order_is_no_failure_of_the_server(raw: Raw) -> None:
    assert raw.call("POST", ORDERS, WHOLE_ORDER, paypal_request_id="whole").status_code == 201
    answers = [
        raw.call("POST", ORDERS, replaced(WHOLE_ORDER, path, odd), paypal_request_id=f"{path} {index}"[-108:])
        for path in places(WHOLE_ORDER)
        for index, odd in enumerate(ODD)
    ]
    assert {answer.status_code for answer in answers} == {201, 400, 422}


def test_a_return_url_cannot_add_headers(shop: Shop, raw: Raw) -> None:
    context = {"return_url": "https://shop.example/\r\nx-evil: 1/\u00fc"}
    order_id = raw.call("POST", ORDERS, {**an_order(), "application_context": context}).json()["id"]
    answer = raw.http.get("/checkoutnow", params={"token": order_id})
    assert answer.status_code == 302 and "x-evil" not in answer.headers
    assert answer.headers["location"].startswith("https://shop.example/%0D%0Ax-evil:%201/%C3%BC?token=")


def test_an_unknown_id_names_its_issue(shop: Shop) -> None:
    assert shop.issue(lambda: shop.orders.get_order({"id": "X"})) == (404, "INVALID_RESOURCE_ID")
    assert shop.issue(lambda: shop.payments.get_refund({"refund_id": "X"})) == (404, "INVALID_RESOURCE_ID")


def test_another_media_type_is_refused(raw: Raw) -> None:
    answer = raw.send(ORDERS, b"intent=CAPTURE", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["name"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    picture = raw.call("GET", f"{ORDERS}/X", accept="image/png")
    assert (picture.status_code, picture.json()["name"]) == (406, "MEDIA_TYPE_NOT_ACCEPTABLE")


def test_a_body_that_is_too_large_is_refused(raw: Raw) -> None:
    answer = raw.send(ORDERS, b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["name"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_request_id_has_at_most_108_characters(raw: Raw) -> None:
    answer = raw.call("POST", ORDERS, an_order(), paypal_request_id="k" * 109)
    detail = answer.json()["details"][0]
    assert (answer.status_code, detail["issue"], detail["location"]) == (400, "INVALID_STRING_LENGTH", "header")


def test_the_mock_response_header_asks_for_an_issue(shop: Shop) -> None:
    order_id = shop.approved()
    asked = {"id": order_id, "paypal_mock_response": '{"mock_application_codes":"INSTRUMENT_DECLINED"}'}
    assert shop.issue(lambda: shop.orders.capture_order(asked)) == (422, "INSTRUMENT_DECLINED")
    assert shop.orders.get_order({"id": order_id}).body.status == "APPROVED"
    assert shop.control.ledger() == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("PENDING_CAPTURE", 422),
        ("INVALID_RESOURCE_ID", 404),
        ("PERMISSION_DENIED", 403),
        ("PREVIOUS_REQUEST_IN_PROGRESS", 409),
        ("INTERNAL_SERVER_ERROR", 500),
    ],
)
def test_every_issue_has_its_own_status(shop: Shop, raw: Raw, code: str, status: int) -> None:
    capture = shop.captured()
    header = f'{{"mock_application_codes":["{code}"]}}'
    answer = raw.call("POST", f"/v2/payments/captures/{capture}/refund", paypal_mock_response=header)
    assert (answer.status_code, answer.json()["details"][0]["issue"]) == (status, code)
    assert shop.control.ledger("refund") == []


@pytest.mark.parametrize("header", ["INSTRUMENT_DECLINED", "{}", '{"mock_application_codes":[]}', "[]", '"x"'])
def test_a_mock_response_header_that_says_nothing_is_an_error(raw: Raw, header: str) -> None:
    answer = raw.call("POST", ORDERS, an_order(), paypal_mock_response=header)
    detail = answer.json()["details"][0]
    assert (answer.status_code, detail["issue"], detail["location"]) == (400, "INVALID_PARAMETER_SYNTAX", "header")


@pytest.mark.parametrize(
    ("decline", "issue"),
    [("insufficient_funds", "INSTRUMENT_DECLINED"), ("PAYER_CANNOT_PAY", "PAYER_CANNOT_PAY")],
)
def test_a_scripted_decline_takes_no_money(shop: Shop, decline: str, issue: str) -> None:
    shop.control.script({"decline": decline}, operation="captureOrder", key="c-1")
    order_id = shop.approved()
    declined = {"id": order_id, "paypal_request_id": "c-1"}
    assert shop.issue(lambda: shop.orders.capture_order(declined)) == (422, issue)
    assert shop.control.ledger() == [] and shop.orders.get_order({"id": order_id}).body.status == "APPROVED"
    shop.control.script({"decline": decline}, operation="authorizeOrder")
    held = shop.approved(intent="AUTHORIZE")
    assert shop.issue(lambda: shop.orders.authorize_order({"id": held})) == (422, issue)
    assert shop.orders.capture_order(declined).status_code == 201


def test_a_scripted_decline_of_a_refund_gives_nothing_back(shop: Shop) -> None:
    capture = shop.captured()
    shop.control.script({"decline": "no_funds"}, operation="refundCapture")
    refund = {"capture_id": capture}
    assert shop.issue(lambda: shop.payments.refund_captured_payment(refund)) == (
        422,
        "REFUND_FAILED_INSUFFICIENT_FUNDS",
    )
    assert shop.control.ledger("refund") == []


@pytest.mark.parametrize(
    ("outcome", "status", "name"),
    [
        ({"status": 429, "retry_after": 2}, 429, "RATE_LIMIT_REACHED"),
        ({"status": 500}, 500, "INTERNAL_SERVER_ERROR"),
        ({"status": 503, "message": "Down."}, 503, "SERVICE_UNAVAILABLE"),
        ({"status": 422, "code": "COMPLIANCE_VIOLATION"}, 422, "UNPROCESSABLE_ENTITY"),
        ({"status": 418}, 418, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_scripted_failure_has_the_body_of_paypal(
    shop: Shop, raw: Raw, outcome: dict[str, Any], status: int, name: str
) -> None:
    shop.control.script(outcome, operation="createOrder")
    answer = raw.call("POST", ORDERS, an_order())
    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert answer.headers["paypal-debug-id"] == answer.json()["debug_id"]
    assert answer.headers.get("retry-after") == ("2" if status == 429 else None)
    if "code" in outcome:
        assert answer.json()["details"][0]["issue"] == outcome["code"]


@pytest.mark.parametrize(
    ("action", "members", "status"),
    [
        ("approve_order", {}, 400),
        ("approve_order", {"order_id": "X"}, 404),
        ("settle_capture", {"capture_id": "X"}, 404),
        ("set_processing_time", {"seconds": "long"}, 400),
    ],
)
def test_a_control_action_that_is_wrong_says_why(shop: Shop, action: str, members: dict[str, Any], status: int) -> None:
    with pytest.raises(ControlError) as caught:
        shop.control.action(action, **members)
    assert caught.value.status == status


def test_an_order_that_is_completed_cannot_be_approved(shop: Shop) -> None:
    order_id = shop.approved()
    assert shop.control.action("approve_order", order_id=order_id)["status"] == "APPROVED"
    shop.orders.capture_order({"id": order_id})
    with pytest.raises(ControlError) as caught:
        shop.control.action("approve_order", order_id=order_id)
    assert caught.value.status == 409


def test_a_snapshot_brings_back_an_order_that_was_not_paid(shop: Shop) -> None:
    order_id = shop.approved()
    before = shop.control.snapshot()
    shop.orders.capture_order({"id": order_id, "paypal_request_id": "c"})
    shop.control.restore(before)
    assert shop.orders.get_order({"id": order_id}).body.status == "APPROVED" and shop.control.ledger() == []
    assert shop.orders.capture_order({"id": order_id, "paypal_request_id": "c"}).status_code == 201
