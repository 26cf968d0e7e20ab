"""What events mean for checkouts, and for the workflows of their orders."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shop.catalog.v1.events.models import PriceChangedEvent
from shop.order.v1.events.models import OrderProcessingMessage, OrderStatusChangedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.transport import Outcome, Retry, utc_now
from shop.warehouse.v1.events.models import StockReservationFailedEvent
from sqlalchemy.ext.asyncio import AsyncConnection

from services.checkout.adapters import store
from services.checkout.adapters.orders import CHECKOUT, PREFIX
from services.checkout.adapters.payments import Due
from services.checkout.domain.checkout import Status, settled
from services.checkout.domain.saga import News, news_of
from services.checkout.handlers.confirming import note
from services.platform.database import Database
from services.platform.inbox import first_time

LOG = logging.getLogger(__name__)
CONSUMER = "checkout"


class Workflows(Protocol):
    """The durable workflows of orders."""

    async def begin(self, due: Due) -> None:
        """Carry an order through; again is harmless."""

    async def tell(self, order_id: str, news: News, key: str) -> bool:
        """Tell the workflow of an order; once for each key. False when there is none."""


@dataclass(frozen=True, slots=True)
class CheckoutEventsHandlers:
    """Receives what checkout/v1/asyncapi.yaml says that this service receives."""

    database: Database
    workflows: Workflows
    now: Callable[[], datetime] = utc_now

    async def expire_previews_on_price_changed(
        self, event: PriceChangedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Expires previews that hold the old price."""
        data = event.data
        at = max(data.effective_from, self.now())
        async with self.database.transaction() as connection:
            ended = await store.expire_previews(
                connection, data.product_id, data.amount.currency_code, data.amount.minor_units, at
            )
        if ended:
            LOG.info("%d previews end: %s has another price", ended, data.product_id)
        return None

    async def settle_checkout_on_order_status(
        self, event: OrderStatusChangedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Completes or fails the checkout of the order."""
        data = event.data
        status = str(data.status.value).removeprefix(PREFIX)

        async def settle(connection: AsyncConnection) -> None:
            if not await first_time(connection, consumer=CONSUMER, source=event.source, id=event.id):
                return
            checkout_id = await self._noted(connection, data.order_id, data.metadata)
            found = checkout_id and await store.locked(connection, checkout_id)
            if not found:
                LOG.info("order %s is of no checkout here", data.order_id)
                return
            _, checkout = found
            after = settled(checkout, status, data.reason, self.now())
            if after is checkout:
                return
            if after.status is Status.FAILED:
                await store.claim_cart(connection, after.cart_id, None)
            await store.save_checkout(connection, after)

        await self.database.run(settle)
        news = news_of(status)
        if news is not None and not await self.workflows.tell(data.order_id, news, event.id):
            LOG.info("order %s: %s, and there is no workflow to be told", data.order_id, status)
        return None

    async def process_order(self, event: OrderProcessingMessage, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Carries an order through payment and stock, and pays it back when stock is missing."""
        data = event.data

        async def failed_already(connection: AsyncConnection) -> bool:
            checkout_id = await self._noted(connection, data.order_id, data.metadata)
            checkout = checkout_id and await store.find_checkout(connection, checkout_id)
            return bool(checkout and checkout.status is Status.FAILED)

        if await self.database.run(failed_already):
            LOG.info("order %s: ended before it was processed", data.order_id)
            return None
        due = Due(
            order_id=data.order_id,
            customer_id=data.customer_id,
            payment_method_id=data.payment_method_id,
            minor_units=data.total.minor_units,
            currency=data.total.currency_code,
        )
        await self.workflows.begin(due)
        return None

    async def compensate_on_stock_shortage(
        self, event: StockReservationFailedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Tells the workflow of the order that it must pay the customer back."""
        if await self.workflows.tell(event.data.order_id, News.SHORTAGE, event.id):
            return None
        return Retry(f"order {event.data.order_id} has no workflow")

    async def _noted(self, connection: AsyncConnection, order_id: str, facts: dict[str, Any] | None) -> str | None:
        """The checkout of an order: the one that knows it, or that the order names, which then knows it."""
        known = await store.find_by_order(connection, order_id)
        named = (facts or {}).get(CHECKOUT)
        if known is not None or not isinstance(named, str):
            return known
        checkout = await store.find_checkout(connection, named)
        if checkout is None or checkout.payment_method_id is None:
            return None
        return (await note(connection, named, order_id, self.now())).checkout_id
