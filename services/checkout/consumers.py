"""The events that the checkout service receives, bound to its handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shop.checkout.v1.events.consumers import CheckoutEventsConsumer, subscribe_checkout_events
from shop.runtime.consuming import Subscriptions
from shop.runtime.transport import Transport


def subscribing(handlers: CheckoutEventsConsumer) -> Callable[[Transport], Awaitable[tuple[Subscriptions, ...]]]:
    """What subscribes to everything that the contracts say this service receives."""

    async def start(transport: Transport) -> tuple[Subscriptions, ...]:
        return (await subscribe_checkout_events(transport, handlers),)

    return start
