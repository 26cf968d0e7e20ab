"""Payments through the official SDK: life cycles, test cards, objects and lists as it wants them."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from harness.gateways.inprocess import RunningMock


def pay(client: stripe.StripeClient, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    params: Any = {"amount": 2000, "currency": "usd", "payment_method": method, "confirm": True, **more}
    return client.v1.payment_intents.create(params)


def declined(client: stripe.StripeClient, method: str, **more: Any) -> stripe.CardError:
    with pytest.raises(stripe.CardError) as caught:
        pay(client, method, **more)
    return caught.value


def test_a_payment_goes_from_creation_to_confirmation_to_success(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
    assert (intent.status, intent.latest_charge) == ("requires_payment_method", None)
    intent = client.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_mastercard"})
    assert intent.status == "requires_confirmation"
    intent = client.v1.payment_intents.confirm(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    assert (intent.status, intent.amount_received) == ("succeeded", 2000)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.brand == "mastercard"
    movement = charge.balance_transaction
    assert isinstance(movement, stripe.BalanceTransaction)
    assert (movement.amount, movement.fee, movement.net) == (2000, 88, 1912)


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_each_declined_test_card_is_declined_for_its_reason_and_leaves_a_failed_charge(
    client: stripe.StripeClient, mock: RunningMock, method: str, code: str, decline_code: str | None
) -> None:
    problem = declined(client, method)
    assert (problem.http_status, problem.code) == (402, code)
    error: Any = problem.error
    assert getattr(error, "decline_code", None) == decline_code
    intent = error.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == code
    charge = client.v1.charges.retrieve(error.charge)
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, code)
    assert [(entry["kind"], entry["status"]) for entry in mock.control.ledger()] == [("charge", "failed")]


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"])
def test_each_good_test_card_is_charged(client: stripe.StripeClient, mock: RunningMock, method: str) -> None:
    assert pay(client, method).status == "succeeded"
    assert mock.control.totals() == {"charge": {"USD": 2000}, "capture": {"USD": 2000}}


def test_a_card_by_its_number_is_the_test_card_of_that_number(client: stripe.StripeClient) -> None:
    card: Any = {"number": "4000000000009995", "exp_month": 12, "exp_year": 2034, "cvc": "314"}
    method = client.v1.payment_methods.create({"type": "card", "card": card})
    assert method.card is not None
    assert method.card.last4 == "9995"
    assert getattr(declined(client, method.id).error, "decline_code", "") == "insufficient_funds"


def test_a_mistyped_card_number_is_refused(client: stripe.StripeClient) -> None:
    card: Any = {"number": "4242424242424241", "exp_month": 12, "exp_year": 2034}
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_methods.create({"type": "card", "card": card})
    assert caught.value.code == "incorrect_number"


def test_a_declined_payment_can_be_confirmed_with_another_card(client: stripe.StripeClient) -> None:
    error: Any = declined(client, "pm_card_visa_chargeDeclined").error
    intent_id = error.payment_intent.id
    intent = client.v1.payment_intents.confirm(intent_id, {"payment_method": "pm_card_visa"})
    assert (intent.status, intent.last_payment_error) == ("succeeded", None)


def test_a_manual_capture_holds_the_money_until_a_part_is_captured(
    client: stripe.StripeClient, mock: RunningMock
) -> None:
    intent = pay(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 2000)
    intent = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500, "expand": ["latest_charge"]})
    assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 1500, 0)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.amount_captured, intent.latest_charge.amount_refunded) == (1500, 500)
    assert mock.control.totals()["capture"] == {"USD": 1500}


def test_a_cancelled_authorization_takes_no_money(client: stripe.StripeClient, mock: RunningMock) -> None:
    intent = pay(client, capture_method="manual")
    intent = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
    assert [entry["kind"] for entry in mock.control.ledger()] == ["charge", "void"]


def test_an_authorization_that_nobody_captures_ends_after_seven_days(
    client: stripe.StripeClient, mock: RunningMock
) -> None:
    intent = pay(client, capture_method="manual")
    mock.control.advance(7 * 86_400 + 1)
    assert client.v1.payment_intents.retrieve(intent.id).status == "canceled"


def test_a_card_that_needs_authentication_waits_for_the_customer(
    client: stripe.StripeClient, mock: RunningMock
) -> None:
    intent = pay(client, "pm_card_authenticationRequired", return_url="https://shop.example/done")
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.type == "redirect_to_url"
    assert mock.control.ledger() == []
    mock.control.action("complete_authentication", payment_intent=intent.id)
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_failed_authentication_asks_for_another_payment_method(client: stripe.StripeClient, mock: RunningMock) -> None:
    intent = pay(client, "pm_card_authenticationRequired")
    mock.control.action("complete_authentication", payment_intent=intent.id, succeeded=False)
    intent = client.v1.payment_intents.retrieve(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"


def test_authentication_is_declined_while_the_customer_is_absent(client: stripe.StripeClient) -> None:
    problem = declined(client, "pm_card_authenticationRequired", off_session=True)
    assert problem.code == "authentication_required"


@pytest.mark.parametrize(
    ("move", "start"),
    [("capture", "succeeded"), ("cancel", "succeeded"), ("confirm", "succeeded"), ("capture", "new")],
)
def test_an_illegal_move_is_an_unexpected_state_that_shows_the_payment(
    client: stripe.StripeClient, move: str, start: str
) -> None:
    intent = (
        pay(client) if start == "succeeded" else client.v1.payment_intents.create({"amount": 500, "currency": "eur"})
    )
    with pytest.raises(stripe.InvalidRequestError) as caught:
        getattr(client.v1.payment_intents, move)(intent.id)
    assert (caught.value.http_status, caught.value.code) == (400, "payment_intent_unexpected_state")
    error: Any = caught.value.error
    assert error.payment_intent.id == intent.id


def documented(cls: type) -> set[str]:
    return set(cls.__annotations__) - {"OBJECT_NAME"}


def test_every_key_that_the_sdk_documents_is_there(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "a@example.com"})
    intent = pay(client, customer=customer.id)
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert isinstance(intent.latest_charge, str)
    charge = client.v1.charges.retrieve(intent.latest_charge)
    event = client.v1.events.list({"limit": 1}).data[0]
    assert documented(stripe.PaymentIntent) - set(intent.to_dict()) == set()
    assert documented(stripe.Charge) - set(charge.to_dict()) == set()
    assert documented(stripe.Refund) - set(refund.to_dict()) == set()
    assert documented(stripe.Event) - set(event.to_dict()) == set()
    assert documented(stripe.Customer) - set(customer.to_dict()) == {"deleted"}


def test_lists_are_paged_in_both_directions(client: stripe.StripeClient) -> None:
    made = [client.v1.payment_intents.create({"amount": 100 + i, "currency": "usd"}).id for i in range(5)]
    newest = made[::-1]
    page = client.v1.payment_intents.list({"limit": 2})
    assert ([each.id for each in page.data], page.has_more) == (newest[:2], True)
    page = client.v1.payment_intents.list({"limit": 2, "starting_after": newest[3]})
    assert ([each.id for each in page.data], page.has_more) == (newest[4:], False)
    page = client.v1.payment_intents.list({"limit": 2, "ending_before": newest[3]})
    assert ([each.id for each in page.data], page.has_more) == (newest[1:3], True)
    assert [each.id for each in client.v1.payment_intents.list({"limit": 2}).auto_paging_iter()] == newest


def test_lists_expand_and_filter(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    pay(client)
    mine = pay(client, customer=customer.id)
    page = client.v1.payment_intents.list({"customer": customer.id, "expand": ["data.customer", "data.latest_charge"]})
    (found,) = page.data
    assert found.id == mine.id
    assert isinstance(found.customer, stripe.Customer)
    assert found.customer.name == "Ada"
    assert isinstance(found.latest_charge, stripe.Charge)
    assert client.v1.payment_intents.list({"created": {"gt": mine.created}}).data == []


def test_what_cannot_be_expanded_is_an_error(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        pay(client, expand=["amount"])


def test_metadata_is_merged_and_unset_by_an_empty_text(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "metadata": {"order_id": "o1", "ünï": "ç & =", "gone": "1"}}
    )
    assert intent.metadata.to_dict() == {"order_id": "o1", "ünï": "ç & =", "gone": "1"}
    intent = client.v1.payment_intents.update(intent.id, {"metadata": {"gone": "", "new": "2"}})
    assert intent.metadata.to_dict() == {"order_id": "o1", "ünï": "ç & =", "new": "2"}
    assert client.v1.payment_intents.update(intent.id, {"metadata": ""}).metadata.to_dict() == {}


def test_a_customer_keeps_cards_that_are_not_declined(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "a@example.com"})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
    late = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    assert declined(client, late.id, customer=customer.id).code == "card_declined"
    listed = client.v1.customers.payment_methods.list(customer.id, {"type": "card"})
    assert [each.card and each.card.last4 for each in listed.data] == ["0341", "4242"]
    client.v1.payment_methods.detach(late.id)
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_deleted_customer_is_shown_as_deleted(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "a@example.com"})
    assert client.v1.customers.delete(customer.id).deleted is True
    assert client.v1.customers.retrieve(customer.id).to_dict() == {
        "id": customer.id,
        "object": "customer",
        "deleted": True,
    }
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.customers.update(customer.id, {"name": "x"})
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
