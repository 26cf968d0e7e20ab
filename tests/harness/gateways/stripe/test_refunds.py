"""Refunds and disputes through the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.stripe.test_payments import pay


def refused(client: stripe.StripeClient, **params: Any) -> stripe.InvalidRequestError:
    asked: Any = params
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create(asked)
    return caught.value


def test_parts_are_refunded_until_nothing_is_left(client: stripe.StripeClient, mock: RunningMock) -> None:
    intent = pay(client)
    first = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500, "reason": "duplicate"})
    assert (first.status, first.amount, first.reason, first.charge) == (
        "succeeded",
        500,
        "duplicate",
        intent.latest_charge,
    )
    assert "greater than unrefunded amount" in str(refused(client, payment_intent=intent.id, amount=1501))
    rest = client.v1.refunds.create({"charge": str(intent.latest_charge)})
    assert rest.amount == 1500
    assert refused(client, payment_intent=intent.id).code == "charge_already_refunded"
    charge = client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 2000)
    assert charge.refunds is not None
    assert [each.amount for each in charge.refunds.data] == [1500, 500]
    assert mock.control.totals()["refund"] == {"USD": 2000}


def test_only_captured_money_is_refunded(client: stripe.StripeClient) -> None:
    held = pay(client, capture_method="manual")
    assert refused(client, payment_intent=held.id).code == "payment_intent_unexpected_state"
    new = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    assert refused(client, payment_intent=new.id).http_status == 400
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 700})
    assert client.v1.refunds.create({"payment_intent": held.id}).amount == 700


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_that_is_not_positive_is_refused(client: stripe.StripeClient, amount: int) -> None:
    problem = refused(client, payment_intent=pay(client).id, amount=amount)
    assert (problem.code, problem.param) == ("parameter_invalid_integer", "amount")


def test_a_refund_needs_to_know_of_what(client: stripe.StripeClient) -> None:
    assert refused(client).code == "parameter_missing"
    assert refused(client, payment_intent="pi_unknown").code == "resource_missing"


def test_a_pending_refund_succeeds_later(client: stripe.StripeClient, mock: RunningMock) -> None:
    mock.control.freeze()
    refund = client.v1.refunds.create({"payment_intent": pay(client, "pm_card_pendingRefund").id})
    assert refund.status == "pending"
    assert "refund" not in mock.control.totals()
    mock.control.advance(5)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert mock.control.totals()["refund"] == {"USD": 2000}


def test_a_failing_refund_comes_back(client: stripe.StripeClient, mock: RunningMock) -> None:
    mock.control.freeze()
    intent = pay(client, "pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    mock.control.advance(5)
    refund = client.v1.refunds.retrieve(refund.id)
    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    assert client.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 0
    assert "refund" not in mock.control.totals()
    assert client.v1.events.list({"type": "refund.failed"}).data[0].data.object["id"] == refund.id


def test_a_disputed_charge_is_not_refunded_and_can_be_won(client: stripe.StripeClient, mock: RunningMock) -> None:
    mock.control.freeze()
    intent = pay(client, "pm_card_createDispute")
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2000)
    assert refused(client, payment_intent=intent.id).code == "charge_disputed"
    evidence: Any = {"uncategorized_text": "winning_evidence"}
    assert client.v1.disputes.update(dispute.id, {"evidence": evidence}).status == "under_review"
    mock.control.advance(5)
    assert client.v1.disputes.retrieve(dispute.id).status == "won"
    assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_a_dispute_can_be_given_up(client: stripe.StripeClient, mock: RunningMock) -> None:
    intent = pay(client)
    found = mock.control.action("create_dispute", charge=str(intent.latest_charge), reason="product_not_received")
    assert client.v1.disputes.close(found["dispute"]).status == "lost"
    assert mock.control.totals()["dispute"] == {"USD": 2000}
    assert client.v1.charges.retrieve(str(intent.latest_charge)).disputed is True
