"""Refunds against the mock of Stripe: each key pays back once, and never more than was taken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shop.common.v1 import money_pb2
from shop.payment.v1 import payment_pb2
from shop.payment.v1.events.models import PaymentRefundedEvent
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.errors import FailedPrecondition, NotFound, RpcError, Unavailable
from shop.runtime.transport import Drop, Retry

from harness.gateways.inprocess import RunningMock
from services.payment.adapters import payments
from services.payment.adapters.stripe import StripeGateway
from services.payment.domain import Money, Refund
from services.payment.requests import charge_of, refund_of
from services.platform.database import Database
from services.platform.refusals import detail_of
from tests.harness.gateways.receiver import Receiver
from tests.services.payment.conftest import ONCE, Service, build
from tests.services.payment.examples import DELIVERY, charge, euro, ingested, refund, refund_work, work_off

NET_ZERO = {"charge": {"EUR": 3569}, "capture": {"EUR": 3569}, "refund": {"EUR": 3569}}


def code_of(error: RpcError) -> str:
    detail = detail_of(error)
    return "" if detail is None else detail.code


@pytest.fixture
async def paid(client: PaymentServiceClient) -> payment_pb2.Payment:
    return (await client.process_payment(charge())).payment


async def test_a_payment_is_paid_back_once_and_told_once(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, paid: payment_pb2.Payment
) -> None:
    first = await client.refund_payment(refund(paid.payment_id))
    assert first.refund.status == payment_pb2.REFUND_STATUS_SUCCEEDED
    assert (first.payment.status, first.payment.refunded_amount) == (payment_pb2.PAYMENT_STATUS_REFUNDED, euro(3569))
    assert await client.refund_payment(refund(paid.payment_id)) == first
    assert await client.refund_payment(refund(paid.payment_id, amount=euro(3569))) == first
    assert stripe_mock.control.totals() == NET_ZERO
    (told,) = await service.told("payment-refunded")
    event = PaymentRefundedEvent.from_dict(told)
    assert (event.subject, event.correlationid, event.aggregateversion) == (paid.payment_id, "ord_1", 3)
    assert (event.data.refund_id, event.data.fully_refunded) == (first.refund.refund_id, True)
    assert event.data.reason == "REFUND_REASON_OUT_OF_STOCK"
    found = await client.get_payment_status(payment_pb2.GetPaymentStatusRequest(order_id="ord_1"))
    assert list(found.refunds) == [first.refund]


async def test_parts_are_paid_back_until_nothing_is_left(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, paid: payment_pb2.Payment
) -> None:
    part = await client.refund_payment(refund(paid.payment_id, "a", amount=euro(1000)))
    assert part.payment.status == payment_pb2.PAYMENT_STATUS_PARTIALLY_REFUNDED
    for amount in (euro(2570), money_pb2.Money(minor_units=1, currency_code="USD")):
        with pytest.raises(FailedPrecondition) as caught:
            await client.refund_payment(refund(paid.payment_id, "b", amount=amount))
        assert code_of(caught.value) == "AMOUNT_EXCEEDS_PAYMENT"
    rest = await client.refund_payment(refund(paid.payment_id, "c"))
    assert (rest.refund.amount, rest.payment.status) == (euro(2569), payment_pb2.PAYMENT_STATUS_REFUNDED)
    with pytest.raises(FailedPrecondition) as caught:
        await client.refund_payment(refund(paid.payment_id, "d"))
    assert code_of(caught.value) == "NOT_REFUNDABLE"
    assert stripe_mock.control.totals() == NET_ZERO
    told = [PaymentRefundedEvent.from_dict(each).data for each in await service.told("payment-refunded")]
    assert [(each.refunded_total.minor_units, each.fully_refunded) for each in told] == [(1000, False), (3569, True)]


@pytest.mark.parametrize(
    "outcome",
    [{"lost": True}, {"hang": 1.5}, {"truncate": 10}, {"answer_status": 500}, {"status": 500}, {"reset": True}],
    ids=str,
)
async def test_whatever_becomes_of_the_answer_the_next_call_with_the_key_finds_out(
    client: PaymentServiceClient,
    service: Service,
    stripe_mock: RunningMock,
    paid: payment_pb2.Payment,
    outcome: dict[str, Any],
) -> None:
    stripe_mock.control.script(outcome, operation="createRefund")
    with pytest.raises(Unavailable):
        await client.refund_payment(refund(paid.payment_id))
    assert await service.told("payment-refunded") == []
    found = await client.refund_payment(refund(paid.payment_id))
    assert found.refund.status == payment_pb2.REFUND_STATUS_SUCCEEDED
    assert stripe_mock.control.totals() == NET_ZERO
    assert len(await service.told("payment-refunded")) == 1


async def test_a_refund_whose_answer_was_lost_is_found_when_stripe_has_forgotten_the_key(
    client: PaymentServiceClient, stripe_mock: RunningMock, paid: payment_pb2.Payment
) -> None:
    stripe_mock.control.script({"lost": True}, operation="createRefund")
    with pytest.raises(Unavailable):
        await client.refund_payment(refund(paid.payment_id, amount=euro(1000)))
    stripe_mock.control.advance(25 * 3600)
    await client.refund_payment(refund(paid.payment_id, amount=euro(1000)))
    assert stripe_mock.control.totals()["refund"] == {"EUR": 1000}


class Killed(BaseException):
    """The process ends here."""


class KilledAfterTheEffect(StripeGateway):
    """Pays back, and is gone before anybody hears of it."""

    async def refund(self, payment_id: str, *, key: str, amount: Money | None = None, shop_id: str = "") -> Refund:
        await super().refund(payment_id, key=key, amount=amount, shop_id=shop_id)
        raise Killed


async def test_a_process_that_is_killed_between_effect_and_commit_pays_back_once(
    database: Database, locking: Database, stripe: StripeGateway, stripe_mock: RunningMock
) -> None:
    async with KilledAfterTheEffect("sk_test_123", base_url=stripe_mock.url, policy=ONCE) as mortal:
        before = build(database, mortal, locking)
        payment = await before.charging.process(charge_of(charge()))
        with pytest.raises(Killed):
            await before.refunding.refund(refund_of(refund(payment.payment_id)))
    restarted = build(database, stripe, locking)
    after, _ = await restarted.refunding.refund(refund_of(refund(payment.payment_id)))
    assert after.state == "REFUNDED"
    assert stripe_mock.control.totals() == NET_ZERO
    assert len(await restarted.told("payment-refunded")) == 1


async def test_the_call_and_the_queue_pay_back_once_together(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, paid: payment_pb2.Payment
) -> None:
    work = refund_work(paid.payment_id)
    calls = [client.refund_payment(refund(paid.payment_id)) for _ in range(3)]
    queued = [service.work.process_payment_work(work, DELIVERY) for _ in range(3)]
    found = await asyncio.gather(*calls, *queued, return_exceptions=True)
    assert not [each for each in found if isinstance(each, Exception) and not isinstance(each, Unavailable)]
    assert await service.work.process_payment_work(work, DELIVERY) is None
    assert stripe_mock.control.totals() == NET_ZERO
    assert len(await service.told("payment-refunded")) == 1


async def test_two_keys_at_once_never_pay_back_more_than_was_taken(
    client: PaymentServiceClient, stripe_mock: RunningMock, paid: payment_pb2.Payment
) -> None:
    calls = [client.refund_payment(refund(paid.payment_id, f"key{number}")) for number in range(4)]
    found = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in found if isinstance(each, FailedPrecondition)]
    assert len(refused) == 3
    assert stripe_mock.control.totals() == NET_ZERO


async def test_work_that_can_never_be_done_is_dropped_and_what_is_done_is_done(
    client: PaymentServiceClient, service: Service, paid: payment_pb2.Payment
) -> None:
    await client.refund_payment(refund(paid.payment_id))
    assert await service.work.process_payment_work(refund_work(paid.payment_id, key="another"), DELIVERY) is None
    assert isinstance(await service.work.process_payment_work(refund_work("pay_none"), DELIVERY), Drop)
    declined = await client.process_payment(charge("ord_2", payment_method_id="pm_chargeDeclined"))
    work = refund_work(declined.payment.payment_id, "ord_2", "ord_2/refund")
    assert isinstance(await service.work.process_payment_work(work, DELIVERY), Drop)


async def test_work_is_done_later_when_stripe_does_not_answer(
    service: Service, stripe_mock: RunningMock, paid: payment_pb2.Payment
) -> None:
    stripe_mock.control.script({"status": 503}, operation="createRefund")
    assert isinstance(await service.work.process_payment_work(refund_work(paid.payment_id), DELIVERY), Retry)
    assert await service.work.process_payment_work(refund_work(paid.payment_id), DELIVERY) is None
    assert stripe_mock.control.totals() == NET_ZERO


async def test_a_refund_that_takes_its_time_is_told_when_its_webhook_comes(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    paid = (await client.process_payment(charge(payment_method_id="pm_pendingRefund"))).payment
    waiting = await client.refund_payment(refund(paid.payment_id))
    assert waiting.refund.status == payment_pb2.REFUND_STATUS_PENDING
    with pytest.raises(FailedPrecondition):
        await client.refund_payment(refund(paid.payment_id, "another"))
    stripe_mock.control.action("settle_refund", refund=waiting.refund.provider_reference)
    await client.ingest_webhook(ingested((await asyncio.to_thread(hooks.wait, 2))[-1]))
    await work_off(service)
    done = await client.refund_payment(refund(paid.payment_id))
    assert done.refund.status == payment_pb2.REFUND_STATUS_SUCCEEDED
    assert len(await service.told("payment-refunded")) == 1


async def test_a_refund_that_fails_gives_its_amount_free(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    paid = (await client.process_payment(charge(payment_method_id="pm_pendingRefund"))).payment
    waiting = await client.refund_payment(refund(paid.payment_id))
    reference = waiting.refund.provider_reference
    stripe_mock.control.action("settle_refund", refund=reference, succeeded=False)
    failed = await client.refund_payment(refund(paid.payment_id))
    assert failed.refund.status == payment_pb2.REFUND_STATUS_FAILED
    assert failed.payment.status == payment_pb2.PAYMENT_STATUS_SUCCEEDED
    again = await client.refund_payment(refund(paid.payment_id, "again"))
    assert again.refund.status == payment_pb2.REFUND_STATUS_PENDING
    assert await service.told("payment-refunded") == []


async def test_a_charge_whose_answer_was_lost_is_found_and_paid_back(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"lost": True}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await client.process_payment(charge())
    asked = payment_pb2.GetPaymentStatusRequest(order_id="ord_1")
    open_one = (await client.get_payment_status(asked)).payment
    found = await client.refund_payment(refund(open_one.payment_id))
    assert found.payment.status == payment_pb2.PAYMENT_STATUS_REFUNDED
    assert stripe_mock.control.totals() == NET_ZERO
    assert [len(await service.told(name)) for name in ("payment-succeeded", "payment-refunded")] == [1, 1]


async def test_a_charge_that_never_happened_is_given_up_and_fails(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"status": 503}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await client.process_payment(charge())
    asked = payment_pb2.GetPaymentStatusRequest(order_id="ord_1")
    open_one = (await client.get_payment_status(asked)).payment
    with pytest.raises(FailedPrecondition) as caught:
        await client.refund_payment(refund(open_one.payment_id))
    assert code_of(caught.value) == "NOT_REFUNDABLE"
    given_up = (await client.get_payment_status(asked)).payment
    assert (given_up.status, given_up.failure.code) == (payment_pb2.PAYMENT_STATUS_FAILED, "PROVIDER_ERROR")
    assert len(await service.told("payment-failed")) == 1
    assert (await client.process_payment(charge())).payment == given_up
    assert "charge" not in stripe_mock.control.totals()


async def test_a_charge_is_not_given_up_while_it_may_still_arrive(
    database: Database, locking: Database, stripe: StripeGateway, stripe_mock: RunningMock
) -> None:
    patient = build(database, stripe, locking, settle=60.0)
    stripe_mock.control.script({"status": 503}, operation="createPaymentIntent")
    with pytest.raises(Exception, match="does not answer"):
        await patient.charging.process(charge_of(charge()))
    async with database.transaction() as connection:
        (open_one,) = await payments.of_order(connection, "ord_1")
    with pytest.raises(Exception, match="not known yet"):
        await patient.refunding.refund(refund_of(refund(open_one.payment_id)))
    assert await patient.told("payment-failed") == []


async def test_a_payment_that_waits_for_its_customer_is_cancelled_instead(
    client: PaymentServiceClient, stripe_mock: RunningMock
) -> None:
    waiting = (await client.process_payment(charge(payment_method_id="pm_authenticationRequired"))).payment
    with pytest.raises(FailedPrecondition) as caught:
        await client.refund_payment(refund(waiting.payment_id))
    assert code_of(caught.value) == "NOT_REFUNDABLE"
    asked = payment_pb2.GetPaymentStatusRequest(payment_id=waiting.payment_id)
    assert (await client.get_payment_status(asked)).payment.status == payment_pb2.PAYMENT_STATUS_FAILED
    assert "charge" not in stripe_mock.control.totals()


async def test_a_refund_of_nothing_is_not_found_and_a_key_is_used_once(
    client: PaymentServiceClient, paid: payment_pb2.Payment
) -> None:
    with pytest.raises(NotFound):
        await client.refund_payment(refund("pay_none"))
    await client.refund_payment(refund(paid.payment_id, amount=euro(1)))
    with pytest.raises(FailedPrecondition) as caught:
        await client.refund_payment(refund(paid.payment_id, amount=euro(2)))
    assert code_of(caught.value) == "IDEMPOTENCY_KEY_REUSED"
