"""What other services publish, as checkout receives it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from shop.catalog.v1.events.models import PriceChangedEvent
from shop.order.v1.events.models import OrderProcessingMessage, OrderStatusChangedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.events import timestamp
from shop.runtime.transport import PublishedMessage, ReceivedMessage
from shop.warehouse.v1.events.models import StockReservationFailedEvent

from tests.services.checkout.buying import ADA
from tests.services.checkout.shop import TEA

NOW = datetime(2026, 2, 1, 10, 15, tzinfo=UTC)
_numbers = itertools.count(1)


def _envelope(type_: str, source: str, aggregate: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"evt-{next(_numbers)}",
        "source": source,
        "type": type_,
        "subject": subject,
        "time": timestamp(NOW),
        "datacontenttype": "application/json",
        "correlationid": subject,
        "aggregatetype": aggregate,
        "aggregateversion": 1,
        "data": data,
    }


def order_processing(order_id: str, checkout_id: str | None = None) -> OrderProcessingMessage:
    """An order is to be carried through."""
    data: dict[str, Any] = {
        "order_id": order_id,
        "customer_id": ADA,
        "payment_method_id": "pm_1",
        "total": {"minor_units": 3569, "currency_code": "EUR"},
    }
    if checkout_id is not None:
        data["metadata"] = {"checkout_id": checkout_id}
    return OrderProcessingMessage.from_dict(_envelope("order-processing", "order", "order", order_id, data))


def order_status(order_id: str, status: str, reason: str | None = None, **facts: str) -> OrderStatusChangedEvent:
    """An order moved to a status, given without its prefix."""
    data: dict[str, Any] = {
        "order_id": order_id,
        "customer_id": ADA,
        "previous_status": "ORDER_STATUS_PENDING",
        "status": f"ORDER_STATUS_{status}",
        "items": [
            {
                "product_id": TEA,
                "sku": "TEA",
                "name": "Tea",
                "quantity": 2,
                "unit_price": {"minor_units": 1250, "currency_code": "EUR"},
            }
        ],
        "total": {"minor_units": 3569, "currency_code": "EUR"},
        "changed_at": timestamp(NOW),
    }
    if reason is not None:
        data["reason"] = reason
    if facts:
        data["metadata"] = facts
    return OrderStatusChangedEvent.from_dict(_envelope("order-status-changed", "order", "order", order_id, data))


def shortage(order_id: str) -> StockReservationFailedEvent:
    """The warehouse cannot serve an order."""
    missing = [{"product_id": TEA, "requested": 2, "available": 0}]
    data = {"order_id": order_id, "code": "OUT_OF_STOCK", "shortages": missing}
    return StockReservationFailedEvent.from_dict(
        _envelope("stock-reservation-failed", "warehouse", "order", order_id, data)
    )


def price_changed(
    product_id: str, minor_units: int, currency: str = "EUR", effective_from: datetime = NOW
) -> PriceChangedEvent:
    """A product has another price."""
    data = {
        "product_id": product_id,
        "amount": {"minor_units": minor_units, "currency_code": currency},
        "effective_from": timestamp(effective_from),
        "price_version": 2,
    }
    return PriceChangedEvent.from_dict(_envelope("price-changed", "catalog", "product", product_id, data))


def delivery() -> Delivery[RawHeaders]:
    """How an event came: without anything of note."""
    message = ReceivedMessage(
        id="1-0", address="a", body=b"", content_type="application/cloudevents+json", headers={}, first_seen=NOW
    )
    return Delivery(headers={}, message=message)


def published(
    event: OrderProcessingMessage | OrderStatusChangedEvent | StockReservationFailedEvent,
) -> PublishedMessage:
    """An event as its publisher hands it over."""
    return PublishedMessage(
        body=event.to_json(), content_type="application/cloudevents+json", ordering_key=event.subject
    )
