"""The events that the customer service receives, bound to its handlers."""

from __future__ import annotations

from shop.customer.v1.events.consumers import CustomerEventsConsumer, subscribe_customer_events
from shop.runtime.consuming import Subscriptions
from shop.runtime.transport import Transport


async def start(transport: Transport, handlers: CustomerEventsConsumer) -> tuple[Subscriptions, ...]:
    """Subscribe to everything that the contracts say this service receives."""
    return (await subscribe_customer_events(transport, handlers),)
