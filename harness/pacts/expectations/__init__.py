"""What each service of the slice expects of the others: one module a consumer, and `ALL` of them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.pacts.expectations import (
    catalog,
    checkout,
    customer,
    gateway,
    notification,
    order,
    payment,
    warehouse,
    web_shop,
)
from harness.pacts.interactions import Expectations

ALL: Sequence[Expectations] = (
    *web_shop.EXPECTATIONS,
    *gateway.EXPECTATIONS,
    *checkout.EXPECTATIONS,
    *order.EXPECTATIONS,
    *payment.EXPECTATIONS,
    *warehouse.EXPECTATIONS,
    *customer.EXPECTATIONS,
    *catalog.EXPECTATIONS,
    *notification.EXPECTATIONS,
)
"""One a pair of consumer and provider."""
