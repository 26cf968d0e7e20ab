"""What the warehouse service expects of order."""

from __future__ import annotations

from shop.warehouse.v1.events.consumers import subscribe_reserve_and_settle_stock_on_order_status

from harness.pacts.expectations import events
from harness.pacts.interactions import Expectations

EXPECTATIONS = (
    Expectations(
        consumer="warehouse",
        provider="order",
        interactions=tuple(
            events.order_status_changed(subscribe_reserve_and_settle_stock_on_order_status, status)
            for status in ("ORDER_STATUS_PAID", "ORDER_STATUS_REFUNDED")
        ),
    ),
)
