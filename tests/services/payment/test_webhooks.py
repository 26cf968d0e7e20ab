"""Stripe's webhooks: only genuine ones, stored once; with the answer of a call they tell everything once, together."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from shop.payment.v1 import payment_pb2
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.errors import InvalidArgument, Unauthenticated, Unavailable, Unimplemented
from shop.runtime.transport import Retry
from sqlalchemy import text

from harness.gateways.inprocess import RunningMock
from services.payment.adapters.stripe import StripeGateway
from services.payment.adapters.stripe_webhooks import check_signature, notice_of
from services.payment.domain import ChargeRequest
from services.payment.domain import Money as DomainMoney
from services.payment.errors import BadSignature, NoEvent
from services.payment.requests import charge_of
from services.platform.database import Database
from services.platform.refusals import detail_of
from tests.harness.gateways.receiver import Receiver
from tests.services.payment.conftest import WEBHOOK_SECRET, Service, build
from tests.services.payment.examples import charge, ingested, work_off

NOW = 1_770_000_000
BODY = b'{"id": "evt_1"}'


def signature(secret: str, at: int = NOW, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()


GOOD = signature("new")


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW},v1={GOOD}",
        f"t={NOW},v1={'0' * 64},v1={GOOD}",
        f"t={NOW}, v1={GOOD},v0=abc,future=1",
        f"t={NOW},v1={signature('old')}",
        f"t={NOW - 300},v1={signature('new', NOW - 300)}",
    ],
)
def test_a_signature_of_one_of_the_secrets_within_five_minutes_holds(header: str) -> None:
    check_signature(BODY, header, ["old", "new"], now=NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"v1={GOOD}",
        f"t={NOW}",
        f"t={NOW},v1={'0' * 64}",
        f"t={NOW},v1={GOOD[:-1]}",
        f"t={NOW},v1={GOOD.upper()}",
        f"t={NOW},v0={GOOD}",
        f"t={NOW + 1},v1={GOOD}",
        f"t={NOW},t={NOW + 1},v1={GOOD}",
        f"t=-1,v1={GOOD}",
        f"t={'9' * 400},v1={GOOD}",
        f"t={NOW},v1={signature('another')}",
        f"t={NOW - 301},v1={signature('new', NOW - 301)}",
        f"t={NOW + 301},v1={signature('new', NOW + 301)}",
    ],
)
def test_any_other_signature_does_not_hold(header: str) -> None:
    with pytest.raises(BadSignature):
        check_signature(BODY, header, ["old", "new"], now=NOW)


def test_without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(BadSignature):
        check_signature(BODY, f"t={NOW},v1={signature('')}", [], now=NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b'{"id": "evt_1", "type": 1}', b"[" * 100_000], ids=repr)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NoEvent):
        notice_of(body)


async def payment_of(client: PaymentServiceClient, order: str = "ord_1") -> payment_pb2.Payment:
    return (await client.get_payment_status(payment_pb2.GetPaymentStatusRequest(order_id=order))).payment


async def count(service: Service, table: str) -> int:
    async with service.database.transaction() as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())  # noqa: S608 our own


async def test_a_webhook_that_comes_before_the_answer_tells_it_and_the_answer_does_not_again(
    database: Database, locking: Database, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    stripe_mock.control.script({"answer_delay": 2.0, "webhooks_first": True}, operation="createPaymentIntent")
    async with StripeGateway("sk_test_123", base_url=stripe_mock.url) as stripe:
        service = build(database, stripe, locking)
        calling = asyncio.create_task(service.charging.process(charge_of(charge())))
        (webhook,) = await asyncio.to_thread(hooks.wait, 1)
        await service.webhooks.ingest(webhook.body, webhook.headers["stripe-signature"])
        await work_off(service)
        assert not calling.done()
        assert len(await service.told("payment-succeeded")) == 1
        assert (await calling).state == "SUCCEEDED"
    assert len(await service.told("payment-succeeded")) == 1


async def test_a_webhook_after_the_answer_tells_nothing_new(
    client: PaymentServiceClient, service: Service, hooks: Receiver
) -> None:
    answer = (await client.process_payment(charge())).payment
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    await client.ingest_webhook(ingested(webhook))
    await work_off(service)
    assert await payment_of(client) == answer
    assert len(await service.told("payment-succeeded")) == 1


async def test_when_the_answer_is_lost_the_webhook_tells_it(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    stripe_mock.control.script({"lost": True}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await client.process_payment(charge())
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    await client.ingest_webhook(ingested(webhook))
    await work_off(service)
    found = await payment_of(client)
    assert found.status == payment_pb2.PAYMENT_STATUS_SUCCEEDED
    assert (await client.process_payment(charge())).payment == found
    assert len(await service.told("payment-succeeded")) == 1
    assert len(stripe_mock.control.ledger("charge")) == 1


async def test_a_webhook_that_comes_twice_is_stored_and_queued_once(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    stripe_mock.control.webhook_fault("duplicate", "payment_intent.succeeded")
    payment = (await client.process_payment(charge())).payment
    twice = await asyncio.to_thread(hooks.wait, 2)
    await asyncio.gather(*(client.ingest_webhook(ingested(each)) for each in (*twice, *twice)))
    (work,) = await service.told("payment-processing")
    assert (work["subject"], work["correlationid"]) == (payment.payment_id, "ord_1")
    assert work["data"]["provider_reference"] == payment.provider_reference
    assert await count(service, "webhooks") == 1
    assert [*await work_off(service), *await work_off(service)] == [None, None]
    assert len(await service.told("payment-succeeded")) == 1


@pytest.mark.parametrize("fault", ["bad_signature", "stale"])
async def test_a_webhook_that_is_not_genuine_is_refused_and_not_kept(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver, fault: str
) -> None:
    stripe_mock.control.webhook_fault(fault, "payment_intent.succeeded")
    await client.process_payment(charge())
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    with pytest.raises(Unauthenticated) as caught:
        await client.ingest_webhook(ingested(webhook))
    detail = detail_of(caught.value)
    assert detail is not None and detail.code == "BAD_SIGNATURE"
    assert (await count(service, "webhooks"), await service.told("payment-processing")) == (0, [])


async def test_a_body_that_was_changed_on_the_way_is_refused(client: PaymentServiceClient, hooks: Receiver) -> None:
    await client.process_payment(charge())
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    request = ingested(webhook)
    request.payload += b" "
    with pytest.raises(Unauthenticated):
        await client.ingest_webhook(request)


async def test_while_a_secret_is_replaced_either_signature_counts(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    stripe_mock.control.webhook_fault("rotated_secret", "payment_intent.succeeded")
    await client.process_payment(charge())
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    assert webhook.headers["stripe-signature"].count("v1=") == 2
    await client.ingest_webhook(ingested(webhook))
    assert await count(service, "webhooks") == 1


def signed(document: Any) -> payment_pb2.IngestWebhookRequest:
    """A webhook of our own making, signed now."""
    body, at = json.dumps(document).encode(), int(time.time())
    return payment_pb2.IngestWebhookRequest(
        provider=payment_pb2.PAYMENT_PROVIDER_STRIPE,
        payload=body,
        signature=f"t={at},v1={signature(WEBHOOK_SECRET, at, body)}",
    )


async def test_a_genuine_body_that_is_no_event_is_an_invalid_argument(client: PaymentServiceClient) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await client.ingest_webhook(signed(["no event"]))
    assert [each.field for each in caught.value.field_violations] == ["payload"]


async def test_an_event_about_something_else_is_kept_and_needs_no_work(
    client: PaymentServiceClient, service: Service
) -> None:
    await client.ingest_webhook(signed({"id": "evt_9", "type": "customer.created", "data": {"object": {"id": "c"}}}))
    assert (await count(service, "webhooks"), await service.told("payment-processing")) == (1, [])


async def test_what_an_event_says_counts_less_than_what_stripe_says(
    client: PaymentServiceClient, service: Service
) -> None:
    paid = (await client.process_payment(charge())).payment
    about = {"id": paid.provider_reference, "metadata": {"payment_id": paid.payment_id}}
    await client.ingest_webhook(
        signed({"id": "evt_9", "type": "payment_intent.payment_failed", "data": {"object": about}})
    )
    assert await work_off(service) == [None]
    assert (await payment_of(client)).status == payment_pb2.PAYMENT_STATUS_SUCCEEDED
    assert await service.told("payment-failed") == []


async def test_an_event_about_what_stripe_does_not_know_or_what_is_not_ours_changes_nothing(
    client: PaymentServiceClient, service: Service, stripe: StripeGateway, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"status": 503}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await client.process_payment(charge())
    waiting = await payment_of(client)
    foreign = await stripe.charge(
        ChargeRequest(key="x", amount=DomainMoney(3569, "EUR"), method="pm_card_visa", order_id="ord_1")
    )
    for number, reference in enumerate(("pi_unknown", foreign.id)):
        about = {"id": reference, "metadata": {"payment_id": waiting.payment_id}}
        event = {"id": f"evt_{number}", "type": "payment_intent.succeeded", "data": {"object": about}}
        await client.ingest_webhook(signed(event))
    assert await work_off(service) == [None, None]
    assert await payment_of(client) == waiting


async def test_the_webhook_of_a_declined_attempt_does_not_fail_the_next_one(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    first = (await client.process_payment(charge(payment_method_id="pm_chargeDeclined"))).payment
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    stripe_mock.control.script({"lost": True}, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await client.process_payment(charge(idempotency_key="ord_1/charge/2"))
    await client.ingest_webhook(ingested(webhook))
    await work_off(service)
    second = await payment_of(client)
    assert second.payment_id != first.payment_id
    assert second.status == payment_pb2.PAYMENT_STATUS_PENDING
    assert len(await service.told("payment-failed")) == 1


async def test_a_webhook_is_digested_later_when_stripe_does_not_answer(
    client: PaymentServiceClient, service: Service, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    await client.process_payment(charge())
    (webhook,) = await asyncio.to_thread(hooks.wait, 1)
    await client.ingest_webhook(ingested(webhook))
    stripe_mock.control.script({"status": 503}, operation="getPaymentIntent")
    (first,) = await work_off(service)
    assert isinstance(first, Retry)
    assert await work_off(service) == [None]


async def test_webhooks_of_paypal_are_not_taken_yet_and_of_nobody_are_refused(client: PaymentServiceClient) -> None:
    request = payment_pb2.IngestWebhookRequest(provider=payment_pb2.PAYMENT_PROVIDER_PAYPAL, payload=b"{}")
    with pytest.raises(Unimplemented):
        await client.ingest_webhook(request)
    with pytest.raises(InvalidArgument):
        await client.ingest_webhook(payment_pb2.IngestWebhookRequest(payload=b"{}"))
