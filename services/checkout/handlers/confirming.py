"""From a previewed checkout to an order, in three steps that may be cut off anywhere and repeated.

1. *Claim*: what was previewed is fixed, in one transaction with the cart; from then on there may be an order.
2. *Create*: the order service makes the order, or answers with the one it made, by the checkout's id as the key.
3. *Note*: the order's id is kept. Events of the order do this too, so that an order whose creator crashed is found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shop.runtime.errors import FailedPrecondition, InvalidArgument, NotFound
from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.checkout.adapters import store
from services.checkout.adapters.catalog import Catalog
from services.checkout.adapters.orders import Orders
from services.checkout.domain.cart import Cart
from services.checkout.domain.checkout import Checkout, agreed, ordered, price_changed
from services.checkout.domain.pricing import Tariff, totals
from services.checkout.refusing import unknown
from services.platform.database import Database

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """`lifetime` is that of an open checkout."""

    database: Database
    catalog: Catalog
    orders: Orders
    tariff: Tariff
    lifetime: timedelta
    now: Callable[[], datetime] = utc_now

    async def confirm(self, checkout_id: str, payment_method_id: str, expected: tuple[int, str]) -> Checkout:
        """The checkout with its order. `expected` is the total that the customer saw: (minor units, currency)."""
        checkout = await self._find(checkout_id)
        if checkout.payment_method_id is None:
            await self._check_prices(checkout, expected)
            checkout = await self.database.run(
                lambda connection: self._claim(connection, checkout_id, payment_method_id, expected)
            )
        if checkout.order_id is not None:
            return checkout
        try:
            order_id = await self.orders.create(checkout)
        except (InvalidArgument, FailedPrecondition, NotFound):
            LOG.exception("checkout %s: its order was refused", checkout_id)
            await self.database.run(lambda connection: self._release(connection, checkout_id))
            raise
        return await self.database.run(lambda connection: note(connection, checkout_id, order_id, self.now()))

    async def _find(self, checkout_id: str) -> Checkout:
        async with self.database.transaction() as connection:
            checkout = await store.find_checkout(connection, checkout_id)
        if checkout is None:
            raise unknown("checkout", checkout_id)
        return checkout

    async def _check_prices(self, checkout: Checkout, expected: tuple[int, str]) -> None:
        """The catalog's prices of now are those of the preview; refused otherwise, with the total of now."""
        async with self.database.transaction() as connection:
            cart = await store.find_cart(connection, checkout.cart_id)
        if cart is None:
            raise unknown("cart", checkout.cart_id)
        preview = agreed(checkout, cart, expected, self.now(), self.lifetime)
        prices = await self.catalog.prices([line.product_id for line in preview.lines], preview.currency)
        lines = tuple(replace(line, unit_price=prices[line.product_id]) for line in preview.lines)
        if lines != preview.lines:
            total = totals(lines, preview.shipping_address["country_code"], self.tariff).total
            raise price_changed(total, preview.currency)

    async def _claim(
        self, connection: AsyncConnection, checkout_id: str, payment_method_id: str, expected: tuple[int, str]
    ) -> Checkout:
        cart, checkout = await _locked(connection, checkout_id)
        if checkout.payment_method_id is not None:
            return checkout
        agreed(checkout, cart, expected, self.now(), self.lifetime)
        claimed = replace(checkout, payment_method_id=payment_method_id)
        await store.save_checkout(connection, claimed)
        await store.claim_cart(connection, cart.cart_id, checkout_id)
        return claimed

    async def _release(self, connection: AsyncConnection, checkout_id: str) -> None:
        cart, checkout = await _locked(connection, checkout_id)
        if checkout.order_id is None:
            await store.save_checkout(connection, replace(checkout, payment_method_id=None))
            await store.claim_cart(connection, cart.cart_id, None)


async def note(connection: AsyncConnection, checkout_id: str, order_id: str, now: datetime) -> Checkout:
    """Keep the order of a checkout; the checkout after that."""
    _, checkout = await _locked(connection, checkout_id)
    noted = ordered(checkout, order_id, now)
    if noted is not checkout:
        await store.save_checkout(connection, noted)
    return noted


async def _locked(connection: AsyncConnection, checkout_id: str) -> tuple[Cart, Checkout]:
    found = await store.locked(connection, checkout_id)
    if found is None:
        raise unknown("checkout", checkout_id)
    return found
