"""The events that the checkout service receives, bound to its handlers."""

from __future__ import annotations

from shop.checkout.v1.events.consumers import subscribe_checkout_events
from shop.runtime.consuming import Subscriptions
from shop.runtime.transport import Transport

from services.checkout.handlers import CheckoutEventsHandlers


async def start(transport: Transport) -> tuple[Subscriptions, ...]:
    """Subscribe to everything that the contracts say this service receives."""
    return (await subscribe_checkout_events(transport, CheckoutEventsHandlers()),)
