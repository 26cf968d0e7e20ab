"""What the catalog service expects of warehouse."""

from __future__ import annotations

from shop.catalog.v1.events.consumers import subscribe_refresh_stock_in_search_index

from harness.pacts.expectations import events
from harness.pacts.interactions import Expectations

EXPECTATIONS = (
    Expectations(
        consumer="catalog",
        provider="warehouse",
        interactions=(events.inventory_changed(subscribe_refresh_stock_in_search_index),),
    ),
)
