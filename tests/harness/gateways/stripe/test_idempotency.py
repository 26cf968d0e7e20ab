"""Idempotency keys: what is remembered, what is not, for whom and how long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.stripe.conftest import connect

PAYMENT: Any = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}


def create(client: stripe.StripeClient, key: str, **more: Any) -> stripe.PaymentIntent:
    params: Any = {**PAYMENT, **more}
    return client.v1.payment_intents.create(params, {"idempotency_key": key})


def headers(answer: stripe.PaymentIntent) -> Any:
    assert answer.last_response is not None
    return answer.last_response.headers


def test_a_repeated_payment_is_answered_as_the_first_and_charged_once(
    client: stripe.StripeClient, mock: RunningMock
) -> None:
    first, second = create(client, "k1"), create(client, "k1")
    assert (second.id, second.latest_charge) == (first.id, first.latest_charge)
    assert "idempotent-replayed" not in headers(first)
    assert headers(second)["idempotent-replayed"] == "true"
    assert headers(second)["original-request"] == headers(first)["request-id"] != headers(second)["request-id"]
    assert headers(second)["idempotency-key"] == "k1"
    assert mock.control.totals()["charge"] == {"USD": 2000}


def test_a_declined_payment_stays_declined_for_its_key(client: stripe.StripeClient, mock: RunningMock) -> None:
    with pytest.raises(stripe.CardError):
        create(client, "k1", payment_method="pm_card_visa_chargeDeclined")
    with pytest.raises(stripe.CardError) as caught:
        create(client, "k1", payment_method="pm_card_visa_chargeDeclined")
    assert caught.value.headers is not None
    assert caught.value.headers["idempotent-replayed"] == "true"
    assert len(mock.control.ledger("charge")) == 1
    assert create(client, "k2").status == "succeeded"


def test_wrong_parameters_are_not_remembered(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        create(client, "k1", currency="xxx")
    with pytest.raises(stripe.InvalidRequestError):
        create(client, "k1", payment_method="pm_unknown")
    assert create(client, "k1").status == "succeeded"


def test_an_authentication_failure_is_not_remembered(client: stripe.StripeClient, mock: RunningMock) -> None:
    with pytest.raises(stripe.AuthenticationError):
        create(connect(mock, retries=0, key="sk_test_invalid"), "k1")
    assert create(client, "k1").status == "succeeded"


def test_a_rate_limited_request_is_not_remembered(client: stripe.StripeClient, mock: RunningMock) -> None:
    mock.control.script({"status": 429}, key="k1")
    with pytest.raises(stripe.RateLimitError) as caught:
        create(client, "k1")
    assert caught.value.error is not None
    assert caught.value.error.code == "rate_limit"
    assert create(client, "k1").status == "succeeded"


def test_a_key_with_other_parameters_is_an_idempotency_error(client: stripe.StripeClient) -> None:
    create(client, "k1")
    with pytest.raises(stripe.IdempotencyError) as caught:
        create(client, "k1", amount=2001)
    assert caught.value.http_status == 400


def test_a_key_for_another_endpoint_is_an_idempotency_error(client: stripe.StripeClient) -> None:
    create(client, "k1")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})


def test_a_key_belongs_to_one_api_key_and_account(client: stripe.StripeClient, mock: RunningMock) -> None:
    first = create(client, "k1")
    assert create(connect(mock, retries=0, key="sk_test_456"), "k1").id != first.id
    other = client.v1.payment_intents.create(PAYMENT, {"idempotency_key": "k1", "stripe_account": "acct_1"})
    assert other.id != first.id


def test_a_key_is_forgotten_after_24_hours(client: stripe.StripeClient, mock: RunningMock) -> None:
    first = create(client, "k1")
    mock.control.advance(24 * 3600 - 60)
    assert create(client, "k1").id == first.id
    mock.control.advance(61)
    assert create(client, "k1").id != first.id


def test_a_get_ignores_the_key(client: stripe.StripeClient) -> None:
    first = create(client, "k1")
    found = client.v1.payment_intents.retrieve(first.id, {}, {"idempotency_key": "k1"})
    assert "idempotent-replayed" not in headers(found)


def test_a_key_of_more_than_255_characters_is_refused(client: stripe.StripeClient) -> None:
    assert create(client, "k" * 255).status == "succeeded"
    with pytest.raises(stripe.IdempotencyError):
        create(client, "k" * 256)


def test_forty_requests_at_once_with_one_key_make_one_charge(mock: RunningMock) -> None:
    form = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true"
    sent = {
        "authorization": "Bearer sk_test_123",
        "idempotency-key": "k1",
        "content-type": "application/x-www-form-urlencoded",
    }
    # Whichever comes first takes its time, so that others come while it is under way.
    mock.control.script({"work": 0.7}, key="k1", times=40)
    with httpx.Client(base_url=mock.url, headers=sent, trust_env=False) as http, ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: http.post("/v1/payment_intents", content=form), range(40)))
        statuses = sorted(answer.status_code for answer in answers)
        conflict = next(answer for answer in answers if answer.status_code == 409)
        last = http.post("/v1/payment_intents", content=form)
    assert (statuses.count(200) >= 1, statuses.count(409) >= 1, set(statuses)) == (True, True, {200, 409})
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert {answer.json()["id"] for answer in answers if answer.status_code == 200} == {last.json()["id"]}
    assert len(mock.control.ledger("charge")) == 1


@pytest.mark.parametrize("operation", ["createPaymentIntent", "capturePaymentIntent", "createRefund"])
def test_an_effect_whose_answer_is_lost_happens_once_when_the_sdk_repeats_it(mock: RunningMock, operation: str) -> None:
    client = connect(mock, retries=2)
    mock.control.script({"lost": True}, operation=operation)
    held: Any = {**PAYMENT, "capture_method": "manual"}
    intent = client.v1.payment_intents.create(held)
    client.v1.payment_intents.capture(intent.id)
    client.v1.refunds.create({"payment_intent": intent.id})
    assert [len(mock.control.ledger(kind)) for kind in ("charge", "capture", "refund")] == [1, 1, 1]
    seen = mock.control.requests(operation)
    assert [each["status"] for each in seen] == [0, 200]
    assert len({each["key"] for each in seen}) == 1


def test_a_restored_snapshot_remembers_its_keys_and_no_later_ones(
    client: stripe.StripeClient, mock: RunningMock
) -> None:
    first = create(client, "k1")
    name = mock.control.snapshot()
    later = create(client, "k2")
    mock.control.restore(name)
    assert create(client, "k1").id == first.id
    assert mock.control.totals()["charge"] == {"USD": 2000}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.retrieve(later.id)
