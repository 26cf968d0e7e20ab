"""Bad input answers Stripe's own error, never a crash."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest
import stripe

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.stripe.conftest import connect

FORM = "application/x-www-form-urlencoded"
PAYMENT = "amount=2000&currency=usd"
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Given, so that httpx does not read the system's certificates for each request."""


def send(mock: RunningMock, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
    sent = {"authorization": "Bearer sk_test_123", "content-type": FORM} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return httpx.request(method, mock.url + path, content=body, headers=sent, trust_env=False, verify=_NO_TLS)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("currency=usd", "parameter_missing", "amount"),
        ("amount=2000", "parameter_missing", "currency"),
        ("amount=20.5&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=ten&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=-1&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=usd", "amount_too_small", "amount"),
        ("amount=49&currency=usd", "amount_too_small", "amount"),
        ("amount=100000000&currency=usd", "amount_too_large", "amount"),
        ("amount=99999999999999999999999&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=2000&currency=abc", "", "currency"),
        ("amount=2000&currency=", "", "currency"),
        ("amount=1001&currency=kwd", "invalid_amount", "amount"),
        (f"{PAYMENT}&foo=1", "parameter_unknown", "foo"),
        (f"{PAYMENT}&confirm=maybe", "", "confirm"),
        (f"{PAYMENT}&capture_method=later", "", "capture_method"),
        (f"{PAYMENT}&metadata=x", "", "metadata"),
        (f"{PAYMENT}&metadata[a][b]=x", "", "metadata[a]"),
        (f"{PAYMENT}&payment_method_types=card", "", "payment_method_types"),
        (f"{PAYMENT}&payment_method=pm_nothing", "resource_missing", "payment_method"),
        (f"{PAYMENT}&customer=cus_nothing", "resource_missing", "customer"),
        (f"{PAYMENT}&payment_method_data[type]=card&payment_method_data[card][number]=1", "incorrect_number", None),
        (f"{PAYMENT}&amount=3", "", "amount"),
        (f"{PAYMENT}&metadata[{'k' * 41}]=x", "", "metadata"),
        (f"{PAYMENT}&automatic_payment_methods[x]=1", "parameter_missing", "automatic_payment_methods[enabled]"),
        ("%ff%fe=%00", "parameter_missing", "amount"),
        ("&&&===", "parameter_missing", "amount"),
    ],
)
def test_each_bad_form_is_answered_in_stripes_words(mock: RunningMock, body: str, code: str, param: str | None) -> None:
    answer = send(mock, "POST", "/v1/payment_intents", body)
    error = answer.json()["error"]
    assert answer.status_code in (400, 402)
    assert error["type"] in ("invalid_request_error", "card_error")
    assert error["message"]
    assert error.get("code", "") == code or not code
    assert param is None or error["param"] == param
    assert answer.headers["request-id"].startswith("req_")
    assert mock.control.ledger() == []


@pytest.mark.parametrize(
    ("spelling", "amount"),
    [
        ("amount=2000&currency=usd&metadata[order_id]=o1&expand[]=latest_charge", 2000),
        ("amount=2000&currency=usd&metadata%5Border_id%5D=o1&expand%5B0%5D=latest_charge", 2000),
        ("amount=2000&currency=USD&metadata[order_id]=o1&payment_method_types[]=card", 2000),
        (
            "currency=usd&amount=2000&metadata[order_id]=o1&payment_method_types[0]=card&automatic_payment_methods[enabled]=true",
            2000,
        ),
    ],
)
def test_every_spelling_of_the_form_is_read(mock: RunningMock, spelling: str, amount: int) -> None:
    intent = send(mock, "POST", "/v1/payment_intents", spelling).json()
    assert (intent["amount"], intent["currency"], intent["metadata"]) == (amount, "usd", {"order_id": "o1"})


def test_space_may_be_a_plus_or_percent_20(mock: RunningMock) -> None:
    for text in ("a+b", "a%20b"):
        assert send(mock, "POST", "/v1/payment_intents", f"{PAYMENT}&description={text}").json()["description"] == "a b"


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 401, None),
        ("Bearer", 401, None),
        ("Bearer nonsense", 401, None),
        ("Bearer sk_test_invalid", 401, None),
        ("Bearer sk_test_expired", 401, "api_key_expired"),
        ("Bearer sk_live_123456", 401, None),
        ("Bearer pk_test_123", 403, "secret_key_required"),
        ("Basic !!!", 401, None),
    ],
)
def test_wrong_credentials_are_refused_without_repeating_them(
    mock: RunningMock, authorization: str, status: int, code: str | None
) -> None:
    answer = send(mock, "GET", "/v1/customers", authorization=authorization)
    assert (answer.status_code, answer.json()["error"].get("code")) == (status, code)
    key = authorization.partition(" ")[2]
    assert not key or len(key) < 12 or key not in answer.text


def test_the_key_may_be_the_user_name_of_basic_authentication(mock: RunningMock) -> None:
    assert httpx.get(mock.url + "/v1/customers", auth=("sk_test_123", ""), trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/payment_intents/pi_nothing", 404, "resource_missing"),
        ("POST", "/v1/payment_intents/pi_nothing/confirm", 404, "resource_missing"),
        ("GET", "/v1/charges/ch_nothing", 404, "resource_missing"),
        ("GET", "/v1/refunds/re_nothing", 404, "resource_missing"),
        ("GET", "/v1/customers/cus_nothing", 404, "resource_missing"),
        ("GET", "/v1/payment_methods/pm_nothing", 404, "resource_missing"),
        ("GET", "/v1/events/evt_nothing", 404, "resource_missing"),
        ("GET", "/v1/disputes/dp_nothing", 404, "resource_missing"),
        ("DELETE", "/v1/webhook_endpoints/we_nothing", 404, "resource_missing"),
        ("GET", "/v1/nothing", 404, None),
        ("PATCH", "/v1/payment_intents", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/v1/payment_intents?limit=0", 400, "parameter_invalid_integer"),
        ("GET", "/v1/payment_intents?limit=101", 400, "parameter_invalid_integer"),
        ("GET", "/v1/payment_intents?limit=x", 400, "parameter_invalid_integer"),
        ("GET", "/v1/payment_intents?starting_after=pi_nothing", 400, "resource_missing"),
        ("GET", "/v1/payment_intents?created[gt]=soon", 400, "parameter_invalid_integer"),
    ],
)
def test_unknown_things_and_pages_are_named(
    mock: RunningMock, method: str, path: str, status: int, code: str | None
) -> None:
    answer = send(mock, method, path)
    assert (answer.status_code, answer.json()["error"].get("code")) == (status, code)


def test_json_is_not_a_form(mock: RunningMock) -> None:
    answer = send(mock, "POST", "/v1/payment_intents", '{"amount": 2000}', content_type="application/json")
    assert (answer.status_code, "application/x-www-form-urlencoded" in answer.json()["error"]["message"]) == (400, True)


def test_a_body_that_is_too_large_is_refused(mock: RunningMock) -> None:
    answer = send(mock, "POST", "/v1/payment_intents", f"{PAYMENT}&description={'x' * 1_100_000}")
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


def test_a_version_that_is_none_is_refused(mock: RunningMock) -> None:
    assert send(mock, "GET", "/v1/customers", stripe_version="yesterday").status_code == 400
    answer = send(mock, "GET", "/v1/customers", stripe_version="2024-06-20")
    assert (answer.status_code, answer.headers["stripe-version"]) == (200, "2024-06-20")


@pytest.mark.parametrize(
    ("outcome", "error", "requests"),
    [
        ({"status": 429}, stripe.RateLimitError, 1),
        ({"status": 429, "headers": {"stripe-should-retry": "true"}}, None, 2),
        ({"status": 500}, None, 2),
        ({"status": 500, "headers": {"stripe-should-retry": "false"}}, stripe.APIError, 1),
        ({"status": 409}, None, 2),
        ({"status": 424}, stripe.APIError, 1),
        ({"status": 400, "code": "rate_limit"}, stripe.RateLimitError, 1),
        ({"html": 502}, None, 2),
        ({"reset": True}, None, 2),
        ({"truncate": 20}, stripe.APIConnectionError, 1),
        ({"answer_html": 502}, None, 2),
    ],
)
def test_the_sdk_repeats_what_it_repeats_with_the_real_stripe(
    mock: RunningMock, outcome: Any, error: type[Exception] | None, requests: int
) -> None:
    client = connect(mock, retries=2)
    mock.control.script(outcome, operation="createCustomer")
    if error is None:
        client.v1.customers.create({"email": "a@example.com"})
    else:
        with pytest.raises(error):
            client.v1.customers.create({"email": "a@example.com"})
    seen = mock.control.requests("createCustomer")
    assert len(seen) == requests
    assert len({each["key"] for each in seen}) == 1


def test_a_scripted_decline_refuses_a_good_card(client: stripe.StripeClient, mock: RunningMock) -> None:
    mock.control.script({"decline": "insufficient_funds"}, operation="confirmPaymentIntent")
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"})
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_intents.confirm(intent.id)
    assert getattr(caught.value.error, "decline_code", "") == "insufficient_funds"
