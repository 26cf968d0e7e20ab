"""What other services are told about events of orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shop.common.v1.schemas.models import Money as MoneyModel
from shop.order.v1.events.models import (
    OrderCreatedData,
    OrderItem,
    OrderProcessingData,
    OrderStatus,
    OrderStatusChangedData,
)
from shop.order.v1.events.publishers import OrderEventsPublisher
from shop.payment.v1.events.models import RefundReason, RefundWork
from shop.runtime.transport import Transport

from services.order.domain import Event, Money, Order, OrderPlaced, Purchase, RefundRequested

_NO_DECIMALS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
})  # fmt: skip
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_FOUR_DECIMALS = frozenset({"CLF", "UYW"})


@dataclass(frozen=True, slots=True)
class Cause:
    """The CloudEvent that something is done for."""

    source: str
    id: str


async def announce(
    transport: Transport, event: Event, before: Order | None, after: Order, *, cause: Cause | None, at: datetime
) -> None:
    """Tell what one event means for others; nothing for those that are the service's own business."""
    publisher = OrderEventsPublisher(transport)
    if isinstance(event, OrderPlaced):
        await _created(publisher, after.purchase, at)
    elif isinstance(event, RefundRequested):
        await publisher.enqueue_payment_refund(
            RefundWork(
                payment_id=event.payment_id,
                order_id=after.id,
                reason=RefundReason(f"REFUND_REASON_{event.reason}"),
                idempotency_key=event.key,
            ),
            subject=event.payment_id,
            correlationid=after.id,
            causationid=None if cause is None else cause.id,
            # The payment's own version is not known here; the order's grows with each message, too.
            aggregateversion=after.version,
            time=at,
        )
    elif before is not None and before.status != after.status:
        await publisher.publish_order_status_changed(
            _status_changed(before, after, at),
            subject=after.id,
            correlationid=after.id,
            causationid=None if cause is None else cause.id,
            aggregateversion=after.version,
            time=at,
        )


async def _created(publisher: OrderEventsPublisher, purchase: Purchase, at: datetime) -> None:
    created = OrderCreatedData(
        order_id=purchase.order_id,
        customer_id=purchase.customer_id,
        total_amount=major_units(purchase.total),
        currency=purchase.total.currency,
        items=_items(purchase),
        metadata={**purchase.metadata, "checkout_id": purchase.checkout_id},
    )
    queued = OrderProcessingData(
        order_id=purchase.order_id,
        customer_id=purchase.customer_id,
        payment_method_id=purchase.payment_method_id,
        total=_money(purchase.total),
        shipping_rate_id=purchase.shipping_rate_id,
        metadata=dict(purchase.metadata) or None,
    )
    id_ = purchase.order_id
    await publisher.publish_order_created(created, subject=id_, correlationid=id_, aggregateversion=1, time=at)
    await publisher.enqueue_order_processing(queued, subject=id_, correlationid=id_, aggregateversion=1, time=at)


def _status_changed(before: Order, after: Order, at: datetime) -> OrderStatusChangedData:
    return OrderStatusChangedData(
        order_id=after.id,
        customer_id=after.purchase.customer_id,
        previous_status=OrderStatus(f"ORDER_STATUS_{before.status}"),
        status=OrderStatus(f"ORDER_STATUS_{after.status}"),
        items=_items(after.purchase),
        total=_money(after.purchase.total),
        reason=after.reason,
        changed_at=at,
        metadata=dict(after.purchase.metadata) or None,
    )


def _items(purchase: Purchase) -> list[OrderItem]:
    return [
        OrderItem(
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            quantity=line.quantity,
            unit_price=_money(line.unit_price),
        )
        for line in purchase.lines
    ]


def _money(money: Money) -> MoneyModel:
    return MoneyModel(minor_units=money.amount, currency_code=money.currency)


def major_units(money: Money) -> Decimal:
    """3569 EUR are 35.69, 3569 JPY are 3569 (decimal places of ISO 4217)."""
    places = 2
    if money.currency in _NO_DECIMALS:
        places = 0
    elif money.currency in _THREE_DECIMALS:
        places = 3
    elif money.currency in _FOUR_DECIMALS:
        places = 4
    return Decimal(money.amount).scaleb(-places)
