"""The events that the catalog service receives, bound to its handlers."""

from __future__ import annotations

from shop.catalog.v1.events.consumers import CatalogEventsConsumer, subscribe_catalog_events
from shop.runtime.consuming import Subscriptions
from shop.runtime.transport import Transport


async def start(transport: Transport, handlers: CatalogEventsConsumer) -> tuple[Subscriptions, ...]:
    """Subscribe to everything that the contracts say this service receives."""
    return (await subscribe_catalog_events(transport, handlers),)
