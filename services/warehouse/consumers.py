"""The events that the warehouse service receives, bound to its handlers."""

from __future__ import annotations

from shop.runtime.consuming import Subscriptions
from shop.runtime.transport import Redelivery, Transport
from shop.warehouse.v1.events.consumers import subscribe_reserve_and_settle_stock_on_order_status

from services.warehouse.handlers import WarehouseEventsHandlers

PATIENT = Redelivery(max_attempts=1000, initial_delay=0.2, max_delay=30.0)
"""There are no dead letters for events of orders, and one that is lost is stock that nobody gives back: hours are
tried before that, while events of other orders go on."""


async def start(transport: Transport, handlers: WarehouseEventsHandlers) -> tuple[Subscriptions, ...]:
    """Subscribe to everything that the contracts say this service receives."""
    subscribing = subscribe_reserve_and_settle_stock_on_order_status(
        transport, handlers.reserve_and_settle_stock_on_order_status, redelivery=PATIENT
    )
    return (await Subscriptions.start(subscribing),)
