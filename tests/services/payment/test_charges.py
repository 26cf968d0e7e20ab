"""ProcessPayment against the mock of Stripe: whatever gets lost on the way, a customer is charged once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shop.payment.v1 import payment_pb2
from shop.payment.v1.events.models import PaymentFailedEvent, PaymentSucceededEvent
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.errors import (
    Aborted,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    RpcError,
    Unavailable,
)

from harness.gateways.inprocess import RunningMock
from services.payment.adapters.stripe import StripeGateway
from services.payment.domain import ChargeRequest, Payment
from services.payment.requests import charge_of
from services.platform.database import Database
from services.platform.refusals import detail_of
from tests.services.logs import everything_logged
from tests.services.payment.conftest import ONCE, Service, build
from tests.services.payment.examples import charge, euro

SUCCEEDED, FAILED, PENDING = (
    payment_pb2.PAYMENT_STATUS_SUCCEEDED,
    payment_pb2.PAYMENT_STATUS_FAILED,
    payment_pb2.PAYMENT_STATUS_PENDING,
)


def code_of(error: RpcError) -> str:
    detail = detail_of(error)
    return "" if detail is None else detail.code


async def charged(client: PaymentServiceClient, order: str = "ord_1", **changes: Any) -> payment_pb2.Payment:
    return (await client.process_payment(charge(order, **changes))).payment


async def status_of(client: PaymentServiceClient, order: str = "ord_1") -> payment_pb2.Payment:
    return (await client.get_payment_status(payment_pb2.GetPaymentStatusRequest(order_id=order))).payment


async def test_a_charge_that_goes_through_is_told_once(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    payment = await charged(client)
    assert (payment.status, payment.amount, payment.refunded_amount) == (SUCCEEDED, euro(3569), euro(0))
    (effect,) = stripe_mock.control.ledger("charge")
    assert (effect["amount"], effect["key"], effect["reference"]) == (3569, "ord_1/charge", "ord_1")
    (told,) = await service.told("payment-succeeded")
    event = PaymentSucceededEvent.from_dict(told)
    assert (event.subject, event.correlationid, event.aggregateversion) == (payment.payment_id, "ord_1", 2)
    assert (event.data.provider_reference, event.data.metadata) == (payment.provider_reference, {"channel": "web"})
    assert await status_of(client) == payment


async def test_a_repeated_call_returns_the_first_payment(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    first = await charged(client)
    assert [await charged(client) for _ in range(2)] == [first, first]
    assert len(stripe_mock.control.requests("createPaymentIntent")) == 1
    assert (len(await service.told("payment-succeeded")), service.wallets.asked) == (1, 1)


async def test_of_many_calls_at_once_one_charges_and_the_others_are_told_to_wait(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"answer_delay": 0.5}, operation="createPaymentIntent")
    found = await asyncio.gather(*(charged(client) for _ in range(5)), return_exceptions=True)
    refused = [each for each in found if isinstance(each, Aborted)]
    assert (len(refused), {code_of(each) for each in refused}) == (4, {"PAYMENT_IN_PROGRESS"})
    assert len(stripe_mock.control.ledger("charge")) == 1
    assert len(await service.told("payment-succeeded")) == 1


async def test_of_many_repetitions_at_once_one_asks_stripe_again(
    client: PaymentServiceClient, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"status": 503}, {"answer_delay": 0.5}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await charged(client)
    found = await asyncio.gather(*(charged(client) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, Aborted) for each in found) == 3
    assert len(stripe_mock.control.requests("createPaymentIntent")) == 2


@pytest.mark.parametrize(
    ("method", "code", "provider_code"),
    [
        ("pm_chargeDeclined", "CARD_DECLINED", "generic_decline"),
        ("pm_chargeDeclinedInsufficientFunds", "INSUFFICIENT_FUNDS", "insufficient_funds"),
        ("pm_chargeDeclinedExpiredCard", "EXPIRED_CARD", "expired_card"),
        ("pm_chargeDeclinedFraudulent", "FRAUD_SUSPECTED", "fraudulent"),
        ("pm_chargeDeclinedProcessingError", "PROVIDER_ERROR", "processing_error"),
    ],
)
async def test_a_decline_is_a_result_and_is_told_once(
    client: PaymentServiceClient, service: Service, method: str, code: str, provider_code: str
) -> None:
    for _ in range(2):
        payment = await charged(client, payment_method_id=method)
        assert (payment.status, payment.failure.code, payment.failure.provider_code) == (FAILED, code, provider_code)
    (told,) = await service.told("payment-failed")
    event = PaymentFailedEvent.from_dict(told)
    assert (event.data.failure.code, event.aggregateversion) == (code, 2)
    assert await service.told("payment-succeeded") == []


async def test_after_a_decline_another_key_is_another_attempt(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    declined = await charged(client, payment_method_id="pm_chargeDeclined")
    paid = await charged(client, idempotency_key="ord_1/charge/2")
    assert paid.status == SUCCEEDED
    assert paid.payment_id != declined.payment_id
    assert await status_of(client) == paid
    assert stripe_mock.control.totals()["charge"] == {"EUR": 3569}


@pytest.mark.parametrize(
    "outcome",
    [
        {"lost": True},
        {"hang": 1.5},
        {"truncate": 10},
        {"answer_html": 502},
        {"answer_status": 500},
        {"status": 500},
        {"status": 503},
        {"status": 429},
        {"reset": True},
    ],
    ids=str,
)
async def test_whatever_becomes_of_the_answer_the_next_call_with_the_key_finds_out(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, outcome: dict[str, Any]
) -> None:
    stripe_mock.control.script(outcome, operation="createPaymentIntent")
    with pytest.raises(Unavailable) as caught:
        await charged(client)
    assert code_of(caught.value) == "PROVIDER_UNAVAILABLE"
    assert (await status_of(client)).status == PENDING
    assert await service.told("payment-succeeded") == []
    assert (await charged(client)).status == SUCCEEDED
    assert stripe_mock.control.totals()["charge"] == {"EUR": 3569}
    assert len(await service.told("payment-succeeded")) == 1


async def test_a_charge_whose_answer_was_lost_is_found_when_stripe_has_forgotten_the_key(
    client: PaymentServiceClient, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"lost": True}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await charged(client)
    stripe_mock.control.advance(25 * 3600)
    assert (await charged(client)).status == SUCCEEDED
    assert stripe_mock.control.totals()["charge"] == {"EUR": 3569}


class Killed(BaseException):
    """The process ends here."""


class KilledAfterTheEffect(StripeGateway):
    """Charges, and is gone before anybody hears of it."""

    async def charge(self, request: ChargeRequest) -> Payment:
        await super().charge(request)
        raise Killed


async def test_a_process_that_is_killed_between_effect_and_commit_leaves_nothing_open(
    database: Database, locking: Database, stripe: StripeGateway, stripe_mock: RunningMock
) -> None:
    async with KilledAfterTheEffect("sk_test_123", base_url=stripe_mock.url, policy=ONCE) as mortal:
        with pytest.raises(Killed):
            await build(database, mortal, locking).charging.process(charge_of(charge()))
    assert len(stripe_mock.control.ledger("charge")) == 1
    restarted = build(database, stripe, locking)
    found = await restarted.charging.process(charge_of(charge()))
    assert found.state == "SUCCEEDED"
    assert len(stripe_mock.control.ledger("charge")) == 1
    assert len(await restarted.told("payment-succeeded")) == 1


async def test_a_paid_order_is_not_charged_with_another_key(
    client: PaymentServiceClient, stripe_mock: RunningMock
) -> None:
    await charged(client)
    with pytest.raises(FailedPrecondition) as caught:
        await charged(client, idempotency_key="another")
    assert code_of(caught.value) == "ORDER_ALREADY_PAID"
    assert len(stripe_mock.control.ledger("charge")) == 1


async def test_a_key_cannot_be_used_for_another_charge(client: PaymentServiceClient, stripe_mock: RunningMock) -> None:
    await charged(client)
    with pytest.raises(FailedPrecondition) as caught:
        await charged(client, amount=euro(1))
    assert code_of(caught.value) == "IDEMPOTENCY_KEY_REUSED"
    assert len(stripe_mock.control.requests("createPaymentIntent")) == 1


async def test_a_payment_method_that_is_not_there_leaves_no_payment(client: PaymentServiceClient) -> None:
    with pytest.raises(NotFound) as caught:
        await charged(client, payment_method_id="pm_none")
    assert code_of(caught.value) == "PAYMENT_METHOD_NOT_FOUND"
    with pytest.raises(NotFound):
        await status_of(client)


async def test_a_card_that_stripe_does_not_know_is_a_failure_that_is_told(
    client: PaymentServiceClient, service: Service
) -> None:
    payment = await charged(client, payment_method_id="pm_nothing")
    assert (payment.status, payment.failure.code) == (FAILED, "PROVIDER_ERROR")
    assert len(await service.told("payment-failed")) == 1


async def test_a_token_of_the_browser_is_charged(client: PaymentServiceClient) -> None:
    paid = await charged(
        client,
        provider=payment_pb2.PAYMENT_PROVIDER_STRIPE,
        payment_method_id=None,
        provider_token="pm_card_mastercard",
    )
    assert paid.status == SUCCEEDED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": euro(0)}, "amount.minor_units"),
        ({"amount": None}, "amount"),
        ({"order_id": "a b"}, "order_id"),
        ({"payment_method_id": None}, "instrument"),
        ({"payment_method_id": None, "provider_token": "tok_visa"}, "provider"),
        (
            {"payment_method_id": None, "provider_token": "4242 4242 4242 4242", "provider": 1},
            "provider_token",
        ),
        ({"metadata": {"x" * 41: "y"}}, "metadata"),
        ({"idempotency_key": "a b"}, "idempotency_key"),
    ],
)
def test_a_wrong_request_is_refused_with_the_field_that_is_wrong(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        charge_of(charge(**changes))
    detail = detail_of(caught.value)
    assert detail is not None
    assert [each.field for each in detail.errors] == [field]


async def test_no_token_and_no_card_number_gets_into_the_log(
    client: PaymentServiceClient, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"lost": True}, operation="createPaymentIntent")
    number = "4242424242424242"
    with everything_logged() as texts:
        for token in ("pm_card_visa_debit", number):
            with pytest.raises((Unavailable, InvalidArgument)):
                await charged(client, provider=1, payment_method_id=None, provider_token=token)
    written = "\n".join(texts)
    assert "pm_card_visa_debit" not in written
    assert number not in written
    assert "sk_test_123" not in written


async def test_a_customer_who_must_approve_is_told_where_and_the_payment_waits(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    waiting = await charged(client, payment_method_id="pm_authenticationRequired")
    assert waiting.status == payment_pb2.PAYMENT_STATUS_REQUIRES_ACTION
    assert waiting.next_action_url.startswith("http")
    assert await charged(client, payment_method_id="pm_authenticationRequired") == waiting
    stripe_mock.control.action("complete_authentication", payment_intent=waiting.provider_reference)
    done = await charged(client, payment_method_id="pm_authenticationRequired")
    assert done.status == SUCCEEDED
    assert not done.HasField("next_action_url")
    assert len(await service.told("payment-succeeded")) == 1


async def test_payments_are_found_by_id_and_order_by_those_who_may_see_them(client: PaymentServiceClient) -> None:
    paid = await charged(client)
    by_id = payment_pb2.GetPaymentStatusRequest(payment_id=paid.payment_id)
    assert (await client.get_payment_status(by_id, metadata=(("x-customer-id", "cus_ada"),))).payment == paid
    with pytest.raises(PermissionDenied):
        await client.get_payment_status(by_id, metadata=(("x-customer-id", "cus_bob"),))
    with pytest.raises(NotFound):
        await status_of(client, "ord_none")
    with pytest.raises(InvalidArgument):
        await client.get_payment_status(payment_pb2.GetPaymentStatusRequest())
