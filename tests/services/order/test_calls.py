"""The order service as it is called, over gRPC and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shop.order.v1 import order_pb2
from shop.order.v1.events.models import OrderCreatedEvent, OrderProcessingMessage
from shop.order.v1.order_grpc import OrderServiceClient
from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.order.reactions import OrderEventsHandlers
from services.platform.database import Database
from services.platform.refusals import detail_of
from tests.services.order import examples
from tests.services.order.conftest import Told
from tests.services.order.examples import DELIVERY, create, euro

ADA, BOB = (("x-customer-id", "cus_ada"),), (("x-customer-id", "cus_bob"),)


async def placed(client: OrderServiceClient, key: str = "chk_1", **changes: Any) -> order_pb2.Order:
    return (await client.create_order(create(key, **changes))).order


async def test_an_order_is_stored_told_and_queued_at_once(client: OrderServiceClient, told: Told) -> None:
    order = await placed(client)
    assert order.status == order_pb2.ORDER_STATUS_PENDING
    assert (order.subtotal, order.total, order.version) == (euro(2500), euro(3569), 1)
    assert order.shipping_address.recipient_name == "Ada Lovelace"
    assert not order.HasField("payment_id")
    assert (await client.get_order(order_pb2.GetOrderRequest(order_id=order.order_id))).order == order
    (created_at, created), (queued_at, queued) = await told.all()
    assert (created_at, queued_at) == ("order-created", "order-processing")
    event = OrderCreatedEvent.from_dict(created)
    assert (event.subject, event.correlationid, event.aggregateversion) == (order.order_id, order.order_id, 1)
    assert (str(event.data.total_amount), event.data.currency) == ("35.69", "EUR")
    assert event.data.metadata == {"channel": "web", "checkout_id": "chk_1"}
    work = OrderProcessingMessage.from_dict(queued)
    assert (work.data.payment_method_id, work.data.total.minor_units) == ("pm_1", 3569)


async def test_a_repeated_call_returns_the_first_order_and_tells_nothing(
    client: OrderServiceClient, told: Told
) -> None:
    first = await placed(client)
    again = await placed(client)
    by_checkout = (await client.create_order(create("chk_1", idempotency_key="another"))).order
    assert again == first == by_checkout
    assert len(await told.all()) == 2


async def test_of_many_calls_at_once_one_makes_the_order(client: OrderServiceClient, told: Told) -> None:
    found = await asyncio.gather(*(placed(client) for _ in range(8)))
    assert len({order.order_id for order in found}) == 1
    assert len(await told.of("order-created")) == 1


async def test_a_key_cannot_be_used_for_another_order(client: OrderServiceClient, told: Told) -> None:
    await placed(client)
    for request in (create("chk_1", customer_id="cus_bob"), create("chk_2", idempotency_key="chk_1")):
        with pytest.raises(FailedPrecondition) as caught:
            await client.create_order(request)
        detail = detail_of(caught.value)
        assert detail is not None and detail.code == "IDEMPOTENCY_KEY_REUSED"
    assert len(await told.all()) == 2


async def test_a_wrong_order_is_refused_before_anything_is_stored(client: OrderServiceClient, told: Told) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await client.create_order(create(items=[create().items[0]] * 101))
    detail = detail_of(caught.value)
    assert detail is not None
    assert [error.field for error in detail.errors] == [each.field for each in caught.value.field_violations]
    assert detail.errors[0].field == "items"
    assert await told.all() == []


async def test_an_order_that_is_not_there_is_not_found(client: OrderServiceClient) -> None:
    for call in (
        client.get_order(order_pb2.GetOrderRequest(order_id="ord_none")),
        client.cancel_order(order_pb2.CancelOrderRequest(order_id="ord_none")),
    ):
        with pytest.raises(NotFound):
            await call


async def test_customers_see_their_own_orders_only(client: OrderServiceClient) -> None:
    order = await placed(client)
    by_id = order_pb2.GetOrderRequest(order_id=order.order_id)
    assert (await client.get_order(by_id, metadata=ADA)).order == order
    with pytest.raises(PermissionDenied):
        await client.get_order(by_id, metadata=BOB)
    with pytest.raises(PermissionDenied):
        await client.cancel_order(order_pb2.CancelOrderRequest(order_id=order.order_id), metadata=BOB)
    with pytest.raises(PermissionDenied):
        await client.list_orders(order_pb2.ListOrdersRequest(customer_id="cus_ada"), metadata=BOB)


async def test_orders_are_listed_newest_first_page_by_page(client: OrderServiceClient) -> None:
    made = [(await placed(client, f"chk_{number}")).order_id for number in range(5)]
    await placed(client, "chk_of_bob", customer_id="cus_bob")
    request = order_pb2.ListOrdersRequest(customer_id="cus_ada", page_size=2)
    found: list[str] = []
    sizes: list[int] = []
    while True:
        page = await client.list_orders(request)
        found += [order.order_id for order in page.orders]
        sizes.append(len(page.orders))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == made[::-1]
    assert sizes == [2, 2, 1]


async def test_a_page_token_belongs_to_its_query(client: OrderServiceClient) -> None:
    for number in range(2):
        await placed(client, f"chk_{number}")
    page = await client.list_orders(order_pb2.ListOrdersRequest(customer_id="cus_ada", page_size=1))
    for token, customer in ((page.next_page_token, "cus_bob"), ("nonsense", "cus_ada"), ("\u00e4", "cus_ada")):
        with pytest.raises(InvalidArgument) as caught:
            await client.list_orders(order_pb2.ListOrdersRequest(customer_id=customer, page_token=token))
        assert [each.field for each in caught.value.field_violations] == ["page_token"]


async def test_orders_are_listed_by_status(client: OrderServiceClient) -> None:
    first, second = await placed(client, "chk_1"), await placed(client, "chk_2")
    await client.cancel_order(order_pb2.CancelOrderRequest(order_id=first.order_id))
    wanted = order_pb2.ListOrdersRequest(customer_id="cus_ada", statuses=[order_pb2.ORDER_STATUS_PENDING])
    assert [order.order_id for order in (await client.list_orders(wanted)).orders] == [second.order_id]


async def test_an_order_that_is_not_paid_is_cancelled_at_once_and_once(client: OrderServiceClient, told: Told) -> None:
    order = await placed(client)
    request = order_pb2.CancelOrderRequest(order_id=order.order_id, reason="Ada ordered twice", idempotency_key="c")
    for _ in range(2):
        cancelled = (await client.cancel_order(request, metadata=ADA)).order
        assert cancelled.status == order_pb2.ORDER_STATUS_CANCELLED
        assert (cancelled.status_reason, cancelled.version) == ("CUSTOMER_REQUEST", 2)
    assert await told.statuses() == ["ORDER_STATUS_CANCELLED"]
    assert "Ada ordered twice" not in str(await told.all())


async def test_a_paid_order_is_refunded_when_it_is_cancelled(
    client: OrderServiceClient, reactions: OrderEventsHandlers, told: Told
) -> None:
    order = await placed(client)
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order.order_id), DELIVERY)
    request = order_pb2.CancelOrderRequest(order_id=order.order_id)
    for _ in range(2):
        asked = (await client.cancel_order(request)).order
        assert asked.status == order_pb2.ORDER_STATUS_PAID
    (refund,) = await told.of("payment-processing")
    assert refund["subject"] == "pay_1"
    assert refund["data"]["idempotency_key"] == f"{order.order_id}/refund"
    assert "amount" not in refund["data"]
    back = examples.refunded(order.order_id, reason="ORDER_CANCELLED")
    await reactions.refund_order_on_payment_refunded(back, DELIVERY)
    ended = (await client.get_order(order_pb2.GetOrderRequest(order_id=order.order_id))).order
    assert (ended.status, ended.status_reason) == (order_pb2.ORDER_STATUS_REFUNDED, "ORDER_CANCELLED")


async def test_what_was_shipped_is_not_cancelled(client: OrderServiceClient, reactions: OrderEventsHandlers) -> None:
    order = await placed(client)
    await reactions.pay_order_on_payment_succeeded(examples.succeeded(order.order_id), DELIVERY)
    await reactions.follow_shipment(examples.shipment(order.order_id, "IN_TRANSIT"), DELIVERY)
    with pytest.raises(FailedPrecondition) as caught:
        await client.cancel_order(order_pb2.CancelOrderRequest(order_id=order.order_id))
    detail = detail_of(caught.value)
    assert detail is not None and detail.code == "ORDER_SHIPPED"


async def test_a_watcher_sees_the_status_now_and_every_change_until_the_last(
    client: OrderServiceClient, reactions: OrderEventsHandlers
) -> None:
    order = await placed(client)
    seen: list[tuple[int, bool, int]] = []
    async with asyncio.timeout(10):
        async for each in client.watch_order_status(order_pb2.WatchOrderStatusRequest(order_id=order.order_id)):
            if not seen:
                await reactions.pay_order_on_payment_succeeded(examples.succeeded(order.order_id), DELIVERY)
                await reactions.note_stock_shortage(examples.shortage(order.order_id), DELIVERY)
                await reactions.refund_order_on_payment_refunded(examples.refunded(order.order_id), DELIVERY)
            seen.append((each.status, each.HasField("previous_status"), each.version))
    assert seen == [
        (order_pb2.ORDER_STATUS_PENDING, False, 1),
        (order_pb2.ORDER_STATUS_PAID, True, 2),
        (order_pb2.ORDER_STATUS_REFUNDED, True, 4),
    ]
    resumed = order_pb2.WatchOrderStatusRequest(order_id=order.order_id, after_version=2)
    assert [each.version async for each in client.watch_order_status(resumed)] == [4]


async def test_the_events_of_an_order_cannot_be_changed(client: OrderServiceClient, database: Database) -> None:
    await placed(client)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as connection:
            await connection.execute(text("UPDATE event_log SET data = '{}'"))
