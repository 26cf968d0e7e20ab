"""Payments through Stripe as the payment service sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from harness.gateways.inprocess import RunningMock, running
from services.payment.adapters.stripe import StripeGateway
from services.payment.domain import ChargeRequest, Money, PaymentStatus, RefundStatus
from services.platform.gateways.calling import Policy
from services.platform.gateways.errors import (
    CredentialsRefused,
    Declined,
    GatewayError,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    UnknownReference,
)
from services.platform.gateways.keys import idempotency_key

QUICK = Policy(first_wait=0.01, longest_wait=0.02, timeout=0.5, deadline=5.0)


@pytest.fixture(scope="module")
def served() -> Iterator[RunningMock]:
    with running("stripe") as mocks:
        yield mocks.stripe


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


@pytest.fixture
async def stripe(mock: RunningMock) -> AsyncIterator[StripeGateway]:
    async with StripeGateway("sk_test_123", base_url=mock.url, policy=QUICK) as gateway:
        yield gateway


def request(order: str = "o1", **more: Any) -> ChargeRequest:
    key = idempotency_key(order, "charge")
    return ChargeRequest(
        **{"key": key, "amount": Money(2000, "USD"), "method": "pm_card_visa", "order_id": order, **more}
    )


async def test_a_charge_is_captured_and_shows_what_may_be_kept_of_the_card(stripe: StripeGateway) -> None:
    paid = await stripe.charge(request())
    assert (paid.status, paid.captured, paid.order_id) == (PaymentStatus.CAPTURED, 2000, "o1")
    assert paid.card is not None
    assert (paid.card.brand, paid.card.last4) == ("visa", "4242")
    assert await stripe.payment(paid.id) == paid


async def test_held_money_is_captured_in_part_and_refunded(stripe: StripeGateway, mock: RunningMock) -> None:
    held = await stripe.charge(request(capture=False))
    assert (held.status, held.captured) == (PaymentStatus.AUTHORIZED, 0)
    paid = await stripe.capture(held.id, key="o1/capture", amount=Money(1500, "USD"))
    assert (paid.status, paid.captured, paid.refunded) == (PaymentStatus.CAPTURED, 1500, 0)
    refund = await stripe.refund(held.id, key="o1/refund", amount=Money(500, "USD"))
    assert (refund.status, refund.amount, refund.payment_id) == (RefundStatus.SUCCEEDED, Money(500, "USD"), held.id)
    assert (await stripe.payment(held.id)).refunded == 500
    assert mock.control.totals() == {"charge": {"USD": 2000}, "capture": {"USD": 1500}, "refund": {"USD": 500}}


async def test_held_money_is_released(stripe: StripeGateway) -> None:
    held = await stripe.charge(request(capture=False))
    assert (await stripe.cancel(held.id, key="o1/cancel")).status == PaymentStatus.CANCELED
    with pytest.raises(Rejected):
        await stripe.capture(held.id, key="o1/capture")


@pytest.mark.parametrize(
    "outcome", [{"lost": True}, {"truncate": 10}, {"hang": 1.0}, {"answer_html": 502}, {"status": 500}]
)
@pytest.mark.parametrize("operation", ["createPaymentIntent", "capturePaymentIntent", "createRefund"])
async def test_whatever_happens_to_the_answer_each_step_happens_once(
    stripe: StripeGateway, mock: RunningMock, operation: str, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation=operation)
    held = await stripe.charge(request(capture=False))
    await stripe.capture(held.id, key="o1/capture")
    await stripe.refund(held.id, key="o1/refund")
    assert [len(mock.control.ledger(kind)) for kind in ("charge", "capture", "refund")] == [1, 1, 1]
    assert len({each["key"] for each in mock.control.requests(operation)}) == 1


async def test_a_step_that_is_repeated_after_a_crash_changes_nothing(stripe: StripeGateway, mock: RunningMock) -> None:
    first = await stripe.charge(request())
    async with StripeGateway("sk_test_123", base_url=mock.url, policy=QUICK) as restarted:
        assert await restarted.charge(request()) == first
    assert mock.control.totals()["charge"] == {"USD": 2000}


async def test_a_decline_is_final_for_its_key_and_another_attempt_needs_another(
    stripe: StripeGateway, mock: RunningMock
) -> None:
    bad = request(method="pm_card_visa_chargeDeclinedInsufficientFunds")
    for _ in range(2):
        with pytest.raises(Declined) as caught:
            await stripe.charge(bad)
        assert caught.value.code == "insufficient_funds"
    assert len(mock.control.requests("createPaymentIntent")) == 2
    again = request(key=idempotency_key("o1", "charge", attempt=2))
    assert (await stripe.charge(again)).status == PaymentStatus.CAPTURED


async def test_a_customer_who_has_to_authenticate_is_told_where(stripe: StripeGateway, mock: RunningMock) -> None:
    waiting = await stripe.charge(request(method="pm_card_authenticationRequired", return_url="https://shop.example/"))
    assert waiting.status == PaymentStatus.ACTION_REQUIRED
    assert waiting.action_url is not None
    mock.control.action("complete_authentication", payment_intent=waiting.id)
    assert (await stripe.payment(waiting.id)).status == PaymentStatus.CAPTURED


@pytest.mark.parametrize(
    ("outcome", "error", "requests"),
    [
        ({"status": 400}, Rejected, 1),
        ({"status": 404, "code": "resource_missing"}, UnknownReference, 1),
        ({"status": 429}, RateLimited, 4),
        ({"status": 500}, OutcomeUnknown, 4),
        ({"status": 500, "headers": {"stripe-should-retry": "false"}}, OutcomeUnknown, 1),
        ({"reset": True}, OutcomeUnknown, 4),
    ],
)
async def test_each_cause_has_its_error_and_is_repeated_only_where_stripe_says_so(
    stripe: StripeGateway, mock: RunningMock, outcome: dict[str, Any], error: type[GatewayError], requests: int
) -> None:
    mock.control.script(outcome, times=4)
    with pytest.raises(error):
        await stripe.charge(request())
    assert len(mock.control.requests()) == requests


async def test_a_key_that_was_used_for_something_else_is_a_bug_that_is_told(stripe: StripeGateway) -> None:
    await stripe.charge(request())
    with pytest.raises(KeyReused):
        await stripe.charge(request(amount=Money(1, "USD")))


async def test_refused_credentials_and_unknown_payments_have_their_errors(
    mock: RunningMock, stripe: StripeGateway
) -> None:
    async with StripeGateway("sk_test_invalid", base_url=mock.url, policy=QUICK) as wrong:
        with pytest.raises(CredentialsRefused) as caught:
            await wrong.charge(request())
    assert "sk_test_invalid" not in str(caught.value)
    with pytest.raises(UnknownReference):
        await stripe.payment("pi_nothing")


async def test_a_gateway_that_is_not_there_is_told() -> None:
    async with StripeGateway("sk_test_123", base_url="http://127.0.0.1:9", policy=QUICK) as nowhere:
        with pytest.raises(GatewayError):
            await nowhere.charge(request())


def test_card_numbers_are_refused_before_anything_is_sent() -> None:
    for number in ("4242424242424242", "4242 4242 4242 4242", "378282246310005"):
        with pytest.raises(ValueError, match="card numbers are not accepted"):
            request(method=number)
