"""WatchOrderStatus: the statuses of an order as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from shop.order.v1 import order_pb2

from services.order.adapters.orders import Orders
from services.order.domain import FINAL, Order, Status, evolve
from services.order.shown import moment, status_of


@dataclass(frozen=True, slots=True)
class _Change:
    order: Order
    before: Status | None
    at: datetime

    def shown(self, *, first: bool) -> order_pb2.WatchOrderStatusResponse:
        return order_pb2.WatchOrderStatusResponse(
            order_id=self.order.id,
            status=status_of(self.order.status),
            previous_status=None if first or self.before is None else status_of(self.before),
            reason=self.order.reason,
            version=self.order.version,
            changed_at=moment(self.at),
        )


class Watch:
    """Looks at the event log every `every` seconds: any replica sees what any other one wrote."""

    def __init__(
        self, orders: Orders, *, every: float = 0.25, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._orders = orders
        self._every = every
        self._sleep = sleep

    async def statuses(
        self, order_id: str, *, after: int | None = None
    ) -> AsyncIterator[order_pb2.WatchOrderStatusResponse]:
        """The present status, or all that came after a version; then every change until a final one."""
        order: Order | None = None
        first = True
        while True:
            changes: list[_Change] = []
            for at, event in await self._orders.history(order_id, after=order.version if order else 0):
                before, order = order, evolve(order, event)
                if before is None or before.status != order.status:
                    changes.append(_Change(order, before.status if before is not None else None, at))
            if after is None:
                changes, after = changes[-1:], 0
            for change in changes:
                if change.order.version > after:
                    yield change.shown(first=first)
                    first = False
            if order is None or order.status in FINAL:
                return
            await self._sleep(self._every)
