"""What the catalog does: each command is one transaction that changes tables and stores the event that tells of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shop.catalog.v1.events.models import PriceChangedData
from shop.catalog.v1.events.publishers import CatalogEventsPublisher
from shop.common.v1.schemas.models import Money as MoneyModel
from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog.adapters import prices, products, search
from services.catalog.adapters.products import Query
from services.catalog.adapters.search import Hit, Wanted
from services.catalog.domain import (
    CURRENCY,
    Details,
    Invalid,
    Missing,
    Money,
    NewPrice,
    Price,
    Product,
    check_details,
    check_priced,
    next_price,
)
from services.platform.database import Database
from services.platform.outbox import Outbox


class Catalog:
    """`currency` is the default currency of the shop. Commands take the connection of their transaction."""

    def __init__(
        self, database: Database, outbox: Outbox, *, currency: str = "EUR", now: Callable[[], datetime] = utc_now
    ) -> None:
        self.currency = currency
        self._database = database
        self._outbox = outbox
        self._now = now

    async def product(self, product_id: str) -> Product:
        """`Missing` when there is none."""
        async with self._database.transaction() as connection:
            return await self._read(connection, product_id)

    async def products(self, query: Query) -> list[Product]:
        """A page, one more than `query.limit` when there are further ones."""
        async with self._database.transaction() as connection:
            return await products.listed(connection, query, self.currency, self._now())

    async def search(self, wanted: Wanted) -> tuple[list[Hit], int]:
        """A page of hits, and how many there are on all pages."""
        async with self._database.transaction() as connection:
            return await search.find(connection, wanted, self.currency, self._now())

    async def price(self, product_id: str, currency: str | None, at: datetime | None) -> Price:
        """What a product costs at a moment, None = now. `Missing` when it had no price then in that currency."""
        asked = self._currency(currency)
        async with self._database.transaction() as connection:
            found = await prices.prices_at(connection, [product_id], asked, at or self._now())
        if product_id not in found:
            raise Missing(f"{product_id} has no price in {asked}", metadata={"product_id": product_id})
        return found[product_id]

    async def prices(self, product_ids: tuple[str, ...], currency: str | None) -> tuple[dict[str, Price], list[str]]:
        """Prices by product, and the products that have none."""
        check_priced(product_ids)
        asked = self._currency(currency)
        async with self._database.transaction() as connection:
            found = await prices.prices_at(connection, product_ids, asked, self._now())
        return dict(found), [each for each in product_ids if each not in found]

    async def upsert(self, connection: AsyncConnection, details: Details, price: Money) -> Product:
        """Create or replace a product. A `price` that is not the one in force becomes a new version of it.

        What is stored already is not stored again: neither the version grows nor is anything published.
        """
        problems = check_details(details)
        if price.currency != self.currency:
            problems.append(("product.price.currency_code", f"must be {self.currency}, the currency of the shop"))
        if problems:
            raise Invalid(*problems)
        now = self._now()
        locked = await products.lock(connection, details.product_id)
        if locked is None:
            await products.create(connection, details, now)
        elif locked[0] != details:
            await products.replace(connection, details, now)
        before = (await prices.prices_at(connection, [details.product_id], self.currency, now)).get(details.product_id)
        if before is None or before.amount != price:
            asked = NewPrice(product_id=details.product_id, amount=price)
            await self._add_price(connection, asked, now, first_of_product=locked is None)
        await search.refresh(connection, self.currency, now, product_ids=[details.product_id])
        return await self._read(connection, details.product_id)

    async def change_price(self, connection: AsyncConnection, asked: NewPrice) -> Price:
        """Add a version of a price and publish it. `Missing`, `Invalid`, `Stale`."""
        if await products.lock(connection, asked.product_id) is None:
            raise Missing(f"there is no product {asked.product_id}", metadata={"product_id": asked.product_id})
        return await self._add_price(connection, asked, self._now())

    async def refresh_index(self, connection: AsyncConnection, *product_ids: str) -> int:
        """Index these products, or, without ids, those whose price came into force meanwhile."""
        return await search.refresh(connection, self.currency, self._now(), product_ids=product_ids or None)

    async def _add_price(
        self, connection: AsyncConnection, asked: NewPrice, now: datetime, *, first_of_product: bool = False
    ) -> Price:
        currency = asked.amount.currency
        before = (await prices.prices_at(connection, [asked.product_id], currency, now)).get(asked.product_id)
        newest = await prices.newest_version(connection, asked.product_id, currency)
        price = next_price(asked, newest, now)
        await prices.add(connection, price)
        version = 1 if first_of_product else await products.touch(connection, asked.product_id, now)
        publisher = CatalogEventsPublisher(self._outbox.within(connection))
        await publisher.publish_price_changed(
            _told(price, None if before is None else before.amount),
            subject=price.product_id,
            correlationid=price.product_id,
            aggregateversion=version,
        )
        return price

    async def _read(self, connection: AsyncConnection, product_id: str) -> Product:
        found = await products.read(connection, [product_id], self.currency, self._now())
        if product_id not in found:
            raise Missing(f"there is no product {product_id}", metadata={"product_id": product_id})
        return found[product_id]

    def _currency(self, asked: str | None) -> str:
        if asked is not None and not CURRENCY.fullmatch(asked):
            raise Invalid(("currency_code", "must be three capital letters"))
        return self.currency if asked is None else asked


def _told(price: Price, before: Money | None) -> PriceChangedData:
    return PriceChangedData(
        product_id=price.product_id,
        previous_amount=None if before is None else _money(before),
        amount=_money(price.amount),
        list_amount=None if price.list_amount is None else _money(price.list_amount),
        effective_from=price.effective_from,
        price_version=price.version,
        reason=price.reason or None,
    )


def _money(amount: Money) -> MoneyModel:
    return MoneyModel(minor_units=amount.minor_units, currency_code=amount.currency)
