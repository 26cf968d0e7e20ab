"""Payment methods: tokens that the provider knows, and nothing of a card but what may be shown."""

from __future__ import annotations

import json

import pytest
from shop.customer.v1 import customer_pb2
from shop.customer.v1.events.models import PaymentMethodAddedEvent
from shop.payment.v1.events.models import PaymentFailedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Unavailable
from shop.runtime.transport import ReceivedMessage, utc_now
from sqlalchemy import text

from harness.gateways.inprocess import RunningMock
from tests.services.customer.conftest import Desk
from tests.services.served import reason, stored_events


async def methods(desk: Desk, customer_id: str) -> list[customer_pb2.PaymentMethod]:
    request = customer_pb2.ListPaymentMethodsRequest(customer_id=customer_id)
    return list((await desk.customers.list_payment_methods(request)).payment_methods)


async def test_a_card_is_shown_as_the_provider_knows_it_and_told_without_its_token(desk: Desk) -> None:
    made = await desk.register()
    card = await desk.add_card(made.customer_id, "k1", "pm_card_mastercard")
    assert (card.card.brand, card.card.last4) == ("mastercard", "4444")
    assert card.is_default
    assert await methods(desk, made.customer_id) == [card]
    told = (await stored_events(desk.database))[-1]
    event = PaymentMethodAddedEvent.from_dict(told)
    assert (event.data.payment_method_id, event.aggregateversion) == (card.payment_method_id, 2)
    assert "pm_card_mastercard" not in json.dumps(told)


async def test_repeating_it_stores_one(desk: Desk) -> None:
    made = await desk.register()
    first = await desk.add_card(made.customer_id, "k1")
    assert await desk.add_card(made.customer_id, "k1") == first
    assert len(await methods(desk, made.customer_id)) == 1


async def test_the_default_is_the_first_until_another_one_is_made_it_or_it_is_forgotten(desk: Desk) -> None:
    made = await desk.register()
    first = await desk.add_card(made.customer_id, "k1")
    second = await desk.add_card(made.customer_id, "k2", default=True)
    third = await desk.add_card(made.customer_id, "k3")
    ids = [each.payment_method_id for each in await methods(desk, made.customer_id)]
    assert ids == [second.payment_method_id, third.payment_method_id, first.payment_method_id]
    request = customer_pb2.RemovePaymentMethodRequest(
        customer_id=made.customer_id, payment_method_id=second.payment_method_id
    )
    for _ in range(2):
        await desk.customers.remove_payment_method(request)
        assert [(each.payment_method_id, each.is_default) for each in await methods(desk, made.customer_id)] == [
            (third.payment_method_id, True),
            (first.payment_method_id, False),
        ]


async def test_a_token_that_the_provider_does_not_know_is_refused(desk: Desk) -> None:
    made = await desk.register()
    with pytest.raises(FailedPrecondition) as refused:
        await desk.add_card(made.customer_id, "k1", "pm_unknown")
    assert reason(refused.value).code == "TOKEN_REFUSED"
    assert await methods(desk, made.customer_id) == []


async def test_a_provider_that_does_not_answer_is_said_and_nothing_is_stored(
    desk: Desk, stripe_mock: RunningMock
) -> None:
    made = await desk.register()
    stripe_mock.control.script({"status": 500}, operation="getPaymentMethod", times=20)
    with pytest.raises(Unavailable) as refused:
        await desk.add_card(made.customer_id, "k1")
    assert reason(refused.value).code == "PROVIDER_UNAVAILABLE"
    assert await methods(desk, made.customer_id) == []


@pytest.mark.parametrize("number", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"])
async def test_a_card_number_is_refused_and_said_nowhere(
    desk: Desk, number: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = await desk.register()
    with pytest.raises(InvalidArgument) as refused:
        await desk.add_card(made.customer_id, "k1", number)
    assert [each.field for each in reason(refused.value).errors] == ["payment_method.card.provider_token"]
    assert number not in str(refused.value)
    assert number not in caplog.text


async def test_kind_and_source_must_fit(desk: Desk) -> None:
    made = await desk.register()
    paypal = customer_pb2.PaypalSource(billing_agreement_id="B-7FB31251F28061234")
    for kind, field in (
        (customer_pb2.PAYMENT_METHOD_TYPE_CARD, "payment_method.card"),
        (customer_pb2.PAYMENT_METHOD_TYPE_UNSPECIFIED, "payment_method.type"),
    ):
        wanted = customer_pb2.NewPaymentMethod(type=kind, paypal=paypal)
        with pytest.raises(InvalidArgument) as refused:
            await desk.customers.add_payment_method(
                customer_pb2.AddPaymentMethodRequest(
                    customer_id=made.customer_id, payment_method=wanted, idempotency_key="k"
                )
            )
        assert [each.field for each in reason(refused.value).errors] == [field]


async def resolve(desk: Desk, customer_id: str, method_id: str, caller: str | None = None) -> tuple[int, str]:
    request = customer_pb2.ResolvePaymentMethodRequest(customer_id=customer_id, payment_method_id=method_id)
    metadata = [("dapr-caller-app-id", caller)] if caller else []
    answer = await desk.customers.resolve_payment_method(request, metadata=metadata)
    return answer.type, answer.provider_token


async def test_the_payment_service_alone_resolves_a_token_and_only_that_of_the_right_customer(desk: Desk) -> None:
    made, other = await desk.register(), await desk.register("bob@example.com")
    wanted = customer_pb2.NewPaymentMethod(
        type=customer_pb2.PAYMENT_METHOD_TYPE_PAYPAL,
        paypal=customer_pb2.PaypalSource(billing_agreement_id="B-7FB31251F28061234"),
    )
    request = customer_pb2.AddPaymentMethodRequest(
        customer_id=made.customer_id, payment_method=wanted, idempotency_key="k"
    )
    stored = (await desk.customers.add_payment_method(request)).payment_method
    assert stored.paypal.account_hint == "agreement ending in 1234"
    expected = (customer_pb2.PAYMENT_METHOD_TYPE_PAYPAL, "B-7FB31251F28061234")
    for caller in (None, "payment"):
        assert await resolve(desk, made.customer_id, stored.payment_method_id, caller) == expected
    with pytest.raises(PermissionDenied):
        await resolve(desk, made.customer_id, stored.payment_method_id, "checkout")
    with pytest.raises(NotFound):
        await resolve(desk, other.customer_id, stored.payment_method_id)


async def test_a_customer_has_at_most_twenty(desk: Desk) -> None:
    made = await desk.register()
    for number in range(20):
        await desk.add_card(made.customer_id, f"k{number}")
    with pytest.raises(FailedPrecondition) as refused:
        await desk.add_card(made.customer_id, "k20")
    assert reason(refused.value).code == "TOO_MANY_PAYMENT_METHODS"


def failed(customer_id: str, method_id: str, *, code: str, retryable: bool) -> PaymentFailedEvent:
    failure = {"code": code, "message": "No.", "provider_code": "x", "retryable": retryable}
    return PaymentFailedEvent.from_dict(
        {
            "specversion": "1.0",
            "id": f"{code}-{retryable}",
            "source": "payment",
            "type": "payment-failed",
            "subject": "pay_1",
            "time": "2026-02-01T10:00:00Z",
            "datacontenttype": "application/json",
            "correlationid": "ord_1",
            "aggregatetype": "payment",
            "aggregateversion": 2,
            "data": {
                "payment_id": "pay_1",
                "order_id": "ord_1",
                "customer_id": customer_id,
                "amount": {"minor_units": 100, "currency_code": "EUR"},
                "provider": "PAYMENT_PROVIDER_STRIPE",
                "failure": failure,
                "metadata": {"payment_method_id": method_id},
            },
        }
    )


async def test_a_payment_method_is_marked_when_the_provider_no_longer_accepts_it(desk: Desk) -> None:
    made = await desk.register()
    card = await desk.add_card(made.customer_id, "k1")
    message = ReceivedMessage(id="1-0", address="x", body=b"", content_type="", headers={}, first_seen=utc_now())
    delivery: Delivery[RawHeaders] = Delivery(headers={}, message=message)

    async def marked() -> list[str | None]:
        async with desk.database.transaction() as connection:
            return list((await connection.execute(text("SELECT refusal FROM payment_methods"))).scalars())

    for code, retryable in (("INSUFFICIENT_FUNDS", True), ("PROVIDER_ERROR", False)):
        event = failed(made.customer_id, card.payment_method_id, code=code, retryable=retryable)
        await desk.events.flag_payment_method_on_payment_failed(event, delivery)
        assert await marked() == [None]
    event = failed(made.customer_id, card.payment_method_id, code="EXPIRED_CARD", retryable=False)
    for _ in range(2):
        await desk.events.flag_payment_method_on_payment_failed(event, delivery)
        assert await marked() == ["EXPIRED_CARD"]
