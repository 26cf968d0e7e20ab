"""What the order service makes of other services' events, over a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from shop.order.v1 import order_pb2
from shop.order.v1.events.models import OrderStatusChangedEvent
from shop.order.v1.order_grpc import OrderServiceClient
from shop.runtime.transport import Drop
from sqlalchemy import text

from services.order.adapters.announcements import Cause
from services.order.adapters.orders import Orders
from services.order.domain import Event, Order
from services.order.reactions import OrderEventsHandlers
from services.platform.database import Database
from tests.services.order import examples
from tests.services.order.conftest import Told
from tests.services.order.examples import DELIVERY, create


@pytest.fixture
async def order_id(client: OrderServiceClient) -> str:
    return (await client.create_order(create())).order.order_id


async def shown(client: OrderServiceClient, order_id: str) -> order_pb2.Order:
    return (await client.get_order(order_pb2.GetOrderRequest(order_id=order_id))).order


async def test_paid_and_reserved_an_order_is_confirmed_and_says_so_in_order(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    paid, stock = examples.succeeded(order_id), examples.reserved(order_id)
    await reactions.pay_order_on_payment_succeeded(paid, DELIVERY)
    await reactions.confirm_order_on_stock_reserved(stock, DELIVERY)
    order = await shown(client, order_id)
    assert (order.status, order.payment_id, order.version) == (order_pb2.ORDER_STATUS_CONFIRMED, "pay_1", 3)
    events = [OrderStatusChangedEvent.from_dict(each) for each in await told.of("order-status-changed")]
    assert [(e.data.previous_status, e.data.status, e.aggregateversion, e.causationid) for e in events] == [
        ("ORDER_STATUS_PENDING", "ORDER_STATUS_PAID", 2, paid.id),
        ("ORDER_STATUS_PAID", "ORDER_STATUS_CONFIRMED", 3, stock.id),
    ]
    assert all(e.correlationid == e.subject == order_id for e in events)
    assert [line.product_id for line in events[0].data.items] == ["prd_tea"]


async def test_a_declined_payment_fails_the_order(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    await reactions.fail_order_on_payment_failed(examples.payment_failed(order_id), DELIVERY)
    order = await shown(client, order_id)
    assert (order.status, order.status_reason) == (order_pb2.ORDER_STATUS_FAILED, "PAYMENT_DECLINED")
    (event,) = await told.of("order-status-changed")
    assert event["data"]["reason"] == "PAYMENT_DECLINED"


async def test_a_shortage_is_the_reason_of_the_refund(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    await reactions.note_stock_shortage(examples.shortage(order_id), DELIVERY)
    assert (await shown(client, order_id)).status == order_pb2.ORDER_STATUS_PAID
    back = examples.refunded(order_id, reason="REQUESTED_BY_CUSTOMER")
    await reactions.refund_order_on_payment_refunded(back, DELIVERY)
    order = await shown(client, order_id)
    assert (order.status, order.status_reason) == (order_pb2.ORDER_STATUS_REFUNDED, "OUT_OF_STOCK")
    assert await told.of("payment-processing") == []


async def test_an_event_that_comes_twice_or_too_late_changes_nothing(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    paid = examples.succeeded(order_id)
    await asyncio.gather(*(reactions.pay_order_on_payment_succeeded(paid, DELIVERY) for _ in range(4)))
    await reactions.refund_order_on_payment_refunded(examples.refunded(order_id), DELIVERY)
    before = await shown(client, order_id), await told.all()
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    await reactions.confirm_order_on_stock_reserved(examples.reserved(order_id), DELIVERY)
    await reactions.fail_order_on_payment_failed(examples.payment_failed(order_id), DELIVERY)
    await reactions.note_reservation_released(examples.released(order_id), DELIVERY)
    assert (await shown(client, order_id), await told.all()) == before
    assert await told.statuses() == ["ORDER_STATUS_PAID", "ORDER_STATUS_REFUNDED"]


async def test_an_event_is_decided_upon_once_however_often_it_comes(orders: Orders, order_id: str) -> None:
    decided: list[Order] = []

    def decision(order: Order) -> Sequence[Event]:
        decided.append(order)
        return ()

    for cause in (Cause("payment", "e1"), Cause("payment", "e1"), Cause("payment", "e2"), Cause("order", "e1")):
        await orders.change(order_id, decision, cause=cause)
    assert len(decided) == 3


async def test_news_at_the_same_time_lead_to_one_history_without_gaps(
    client: OrderServiceClient, reactions: OrderEventsHandlers, database: Database, told: Told, order_id: str
) -> None:
    await asyncio.gather(
        reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY),
        reactions.confirm_order_on_stock_reserved(examples.reserved(order_id), DELIVERY),
        reactions.note_shipment_created(examples.shipment_created(order_id), DELIVERY),
        reactions.follow_shipment(examples.shipment(order_id, "DELIVERED"), DELIVERY),
        reactions.note_stock_shortage(examples.shortage(order_id), DELIVERY),
    )
    order = await shown(client, order_id)
    async with database.transaction() as connection:
        versions = (await connection.execute(text("SELECT version FROM event_log ORDER BY version"))).scalars().all()
    assert list(versions) == list(range(1, order.version + 1))
    told_versions = [event["aggregateversion"] for event in await told.of("order-status-changed")]
    assert told_versions == sorted(told_versions)


@pytest.mark.parametrize("ended_by", ["cancel", "decline"])
async def test_money_that_comes_after_the_end_is_asked_back(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str, ended_by: str
) -> None:
    if ended_by == "cancel":
        await client.cancel_order(order_pb2.CancelOrderRequest(order_id=order_id))
    else:
        await reactions.fail_order_on_payment_failed(examples.payment_failed(order_id, "pay_0"), DELIVERY)
    ended = (await shown(client, order_id)).status
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    (refund,) = await told.of("payment-processing")
    assert (refund["data"]["payment_id"], refund["data"]["reason"]) == ("pay_1", "REFUND_REASON_ORDER_CANCELLED")
    assert refund["data"]["idempotency_key"] == f"{order_id}/refund"
    await reactions.refund_order_on_payment_refunded(examples.refunded(order_id), DELIVERY)
    assert (await shown(client, order_id)).status == ended


async def test_a_second_payment_is_asked_back_and_the_order_goes_on(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id, "pay_2"), DELIVERY)
    (refund,) = await told.of("payment-processing")
    assert (refund["data"]["payment_id"], refund["data"]["reason"]) == ("pay_2", "REFUND_REASON_DUPLICATE")
    back = examples.refunded(order_id, "pay_2", reason="DUPLICATE")
    await reactions.refund_order_on_payment_refunded(back, DELIVERY)
    await reactions.confirm_order_on_stock_reserved(examples.reserved(order_id), DELIVERY)
    assert (await shown(client, order_id)).status == order_pb2.ORDER_STATUS_CONFIRMED


async def test_a_reservation_that_lapses_is_refunded_and_one_that_was_given_back_is_not(
    reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    await reactions.confirm_order_on_stock_reserved(examples.reserved(order_id), DELIVERY)
    await reactions.note_reservation_released(examples.released(order_id, "ORDER_CANCELLED"), DELIVERY)
    assert await told.of("payment-processing") == []
    await reactions.note_reservation_released(examples.released(order_id), DELIVERY)
    (refund,) = await told.of("payment-processing")
    assert refund["data"]["reason"] == "REFUND_REASON_OUT_OF_STOCK"


async def test_a_parcel_is_followed_to_the_customer(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told, order_id: str
) -> None:
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    await reactions.confirm_order_on_stock_reserved(examples.reserved(order_id), DELIVERY)
    await reactions.note_shipment_created(examples.shipment_created(order_id), DELIVERY)
    for status in ("LABEL_CREATED", "IN_TRANSIT", "OUT_FOR_DELIVERY", "EXCEPTION", "DELIVERED"):
        await reactions.follow_shipment(examples.shipment(order_id, status), DELIVERY)
    order = await shown(client, order_id)
    assert (order.status, order.shipment_id) == (order_pb2.ORDER_STATUS_DELIVERED, "shp_1")
    assert (await told.statuses())[-2:] == ["ORDER_STATUS_SHIPPED", "ORDER_STATUS_DELIVERED"]


async def test_news_about_an_order_that_is_not_there_are_dropped(reactions: OrderEventsHandlers) -> None:
    outcome = await reactions.pay_order_on_payment_succeeded(examples.succeeded("ord_none"), DELIVERY)
    assert isinstance(outcome, Drop)


async def test_an_erased_customer_leaves_no_name_and_no_address_behind(
    client: OrderServiceClient, reactions: OrderEventsHandlers, database: Database, order_id: str
) -> None:
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order_id), DELIVERY)
    for _ in range(2):
        await reactions.anonymise_orders_on_customer_deleted(examples.customer_deleted(), DELIVERY)
    order = await shown(client, order_id)
    assert not order.HasField("shipping_address")
    assert order.status == order_pb2.ORDER_STATUS_PAID
    async with database.transaction() as connection:
        for table in ("event_log", "orders", "personal_data", "outbox"):
            rows = (await connection.execute(text(f'SELECT * FROM "{table}"'))).all()  # noqa: S608 names of our tables
            assert "Lovelace" not in str([dict(row._mapping) for row in rows])
            assert b"Lovelace" not in b"".join(bytes(getattr(row, "body", b"")) for row in rows)
