"""The platform's events: its generated publishers and consumers, joined by the in-process transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from shop.analytics.v1.events.consumers import subscribe_measure_order_created
from shop.common.v1.schemas.models import Money
from shop.order.v1.events.models import OrderCreatedData, OrderCreatedEvent, OrderItem
from shop.order.v1.events.publishers import OrderEventsPublisher
from shop.payment.v1.events.consumers import subscribe_process_payment_work
from shop.payment.v1.events.models import PaymentProcessingMessage, RefundReason, RefundWork
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.context import TraceContext, current_trace, trace_scope
from shop.runtime.in_process import InProcessTransport, ManualClock
from shop.runtime.transport import Drop, Outcome

CREATED = OrderCreatedData(
    order_id="ord_1",
    customer_id="cus_ada",
    total_amount=Decimal("35.69"),
    currency="EUR",
    items=[
        OrderItem(
            product_id="prd_tea",
            sku="TEA",
            name="Tea",
            quantity=2,
            unit_price=Money(minor_units=1000, currency_code="EUR"),
        )
    ],
)
REFUND = RefundWork(
    payment_id="pay_1", order_id="ord_1", reason=RefundReason.REFUND_REASON_ORDER_CANCELLED, idempotency_key="saga-1"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def transport(clock: ManualClock) -> AsyncIterator[InProcessTransport]:
    found = InProcessTransport(sleep=clock.sleep, now=clock.now)
    yield found
    await found.close()


async def publish(transport: InProcessTransport) -> OrderCreatedEvent:
    return await OrderEventsPublisher(transport).publish_order_created(
        CREATED, subject="ord_1", correlationid="ord_1", aggregateversion=1
    )


async def test_an_event_is_received_as_it_was_published(transport: InProcessTransport) -> None:
    received: list[OrderCreatedEvent] = []

    async def handle(event: OrderCreatedEvent, delivery: Delivery[RawHeaders]) -> None:
        received.append(event)

    await subscribe_measure_order_created(transport, handle)
    published = await publish(transport)
    await transport.wait_idle()
    assert received == [published]
    assert (received[0].source, received[0].type, received[0].data.total_amount) == (
        "order",
        "order-created",
        Decimal("35.69"),
    )


async def test_a_consumer_works_in_the_trace_of_the_publisher(transport: InProcessTransport) -> None:
    traces: list[TraceContext | None] = []

    async def handle(event: OrderCreatedEvent, delivery: Delivery[RawHeaders]) -> None:
        traces.append(current_trace())

    await subscribe_measure_order_created(transport, handle)
    with trace_scope(TraceContext.new()) as trace:
        await publish(transport)
    await transport.wait_idle()
    assert [found.trace_id for found in traces if found] == [trace.trace_id]


async def refund(transport: InProcessTransport) -> None:
    await OrderEventsPublisher(transport).enqueue_payment_refund(
        REFUND, subject="pay_1", correlationid="ord_1", aggregateversion=1
    )


async def test_work_that_fails_is_tried_again_after_growing_pauses(
    transport: InProcessTransport, clock: ManualClock
) -> None:
    attempts: list[float] = []

    async def handle(event: PaymentProcessingMessage, delivery: Delivery[RawHeaders]) -> None:
        attempts.append(clock.monotonic())
        if len(attempts) < 4:
            raise ConnectionError("the provider does not answer")
        assert isinstance(event.data, RefundWork)
        assert event.data == REFUND

    await subscribe_process_payment_work(transport, handle)
    await refund(transport)
    await transport.wait_idle()
    await clock.advance(100, settle=transport.wait_idle)
    assert attempts == [0, 1, 3, 7]
    assert transport.messages("payment-processing-dead-letter") == ()


async def test_work_that_keeps_failing_becomes_a_dead_letter_after_eight_attempts(
    transport: InProcessTransport, clock: ManualClock
) -> None:
    attempts: list[int] = []

    async def handle(event: PaymentProcessingMessage, delivery: Delivery[RawHeaders]) -> None:
        attempts.append(delivery.message.attempt)
        raise ConnectionError("the provider does not answer")

    await subscribe_process_payment_work(transport, handle)
    await refund(transport)
    await transport.wait_idle()
    await clock.advance(1000, settle=transport.wait_idle)
    (dead,) = transport.messages("payment-processing-dead-letter")
    assert attempts == [1, 2, 3, 4, 5, 6, 7, 8]
    assert dead.body == transport.messages("payment-processing")[0].body
    assert (dead.headers["x-attempts"], dead.headers["x-origin-topic"]) == ("8", "payment-processing")
    assert "the provider does not answer" in dead.headers["x-dlq-reason"]


async def test_work_that_can_never_be_done_is_a_dead_letter_at_once(transport: InProcessTransport) -> None:
    async def handle(event: PaymentProcessingMessage, delivery: Delivery[RawHeaders]) -> Outcome:
        return Drop("unknown payment")

    await subscribe_process_payment_work(transport, handle)
    await refund(transport)
    await transport.wait_idle()
    (dead,) = transport.messages("payment-processing-dead-letter")
    assert dead.headers["x-dlq-reason"] == "unknown payment"
