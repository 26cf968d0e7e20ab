"""Full-text search in PostgreSQL: an index of its own, refreshed with products, prices and stock.

A row of the index says which version of its product it was made of, so that a late refresh never puts back older words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog.adapters.prices import in_force
from services.catalog.adapters.products import product_of, with_price
from services.catalog.adapters.tables import PRICES, PRODUCTS, SEARCH_INDEX, SEARCH_STOCK
from services.catalog.domain import Product, Status

_LANGUAGE = "english"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched for: all `words`, in a price range in minor units of the default currency."""

    words: str
    category: str | None = None
    lowest: int | None = None
    highest: int | None = None
    skip: int = 0
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that matches."""

    product: Product
    score: float
    in_stock: bool


async def find(connection: AsyncConnection, wanted: Wanted, currency: str, now: datetime) -> tuple[list[Hit], int]:
    """A page of hits, best first, and how many there are on all pages."""
    words = func.plainto_tsquery(_LANGUAGE, wanted.words)
    matches: list[ColumnElement[bool]] = [
        PRODUCTS.c.status == Status.ACTIVE.value,
        SEARCH_INDEX.c.document.bool_op("@@")(words),
    ]
    if wanted.category is not None:
        matches.append(PRODUCTS.c.categories.contains([wanted.category]))
    if wanted.lowest is not None:
        matches.append(SEARCH_INDEX.c.price >= wanted.lowest)
    if wanted.highest is not None:
        matches.append(SEARCH_INDEX.c.price <= wanted.highest)
    both = SEARCH_INDEX.join(PRODUCTS, PRODUCTS.c.product_id == SEARCH_INDEX.c.product_id)
    total = (await connection.execute(select(func.count()).select_from(both).where(and_(*matches)))).scalar_one()
    score = func.ts_rank(SEARCH_INDEX.c.document, words).label("score")
    asked = (
        with_price(currency, now)
        .join(SEARCH_INDEX, SEARCH_INDEX.c.product_id == PRODUCTS.c.product_id)
        .add_columns(score, _in_stock().label("in_stock"))
        .where(and_(*matches))
        .order_by(score.desc(), PRODUCTS.c.product_id)
        .offset(wanted.skip)
        .limit(wanted.limit)
    )
    rows = await connection.execute(asked)
    return [Hit(product_of(row), float(row.score), row.in_stock) for row in rows], int(total)


def _in_stock() -> ColumnElement[bool]:
    levels = select(SEARCH_STOCK.c.product_id).where(
        SEARCH_STOCK.c.product_id == PRODUCTS.c.product_id, SEARCH_STOCK.c.available > 0
    )
    return exists(levels)


async def refresh(
    connection: AsyncConnection, currency: str, now: datetime, *, product_ids: Sequence[str] | None = None
) -> int:
    """Index these products as they are now; without ids, those that have another price since they were indexed.

    Returns how many rows of the index were written.
    """
    price = in_force(currency, now).subquery()
    document = _words(PRODUCTS.c.name, "A").op("||")(_words(PRODUCTS.c.description, "B"))
    source: Any = select(PRODUCTS.c.product_id, PRODUCTS.c.version, document, price.c.amount, literal(now))
    source = source.join(price, price.c.product_id == PRODUCTS.c.product_id)
    source = source.where(_came_into_force(now) if product_ids is None else PRODUCTS.c.product_id.in_(product_ids))
    columns = ["product_id", "product_version", "document", "price", "refreshed_at"]
    adding = insert(SEARCH_INDEX).from_select(columns, source)
    writing = adding.on_conflict_do_update(
        index_elements=["product_id"],
        set_={name: adding.excluded[name] for name in columns[1:]},
        where=SEARCH_INDEX.c.product_version <= adding.excluded.product_version,
    )
    return len((await connection.execute(writing.returning(SEARCH_INDEX.c.product_id))).all())


def _words(column: ColumnElement[str], weight: str) -> ColumnElement[str]:
    return func.setweight(func.to_tsvector(_LANGUAGE, column), literal_column(f"'{weight}'"))


def _came_into_force(now: datetime) -> ColumnElement[bool]:
    """Since the product was indexed."""
    coming = (
        select(PRICES.c.product_id)
        .join(SEARCH_INDEX, SEARCH_INDEX.c.product_id == PRICES.c.product_id)
        .where(PRICES.c.effective_from > SEARCH_INDEX.c.refreshed_at, PRICES.c.effective_from <= now)
    )
    return PRODUCTS.c.product_id.in_(coming)


async def note_stock(
    connection: AsyncConnection, *, product_id: str, warehouse_id: str, available: int, version: int
) -> None:
    """Keep the newest level of a product in a warehouse; older ones that arrive late change nothing."""
    values = {"product_id": product_id, "warehouse_id": warehouse_id, "available": available, "version": version}
    adding = insert(SEARCH_STOCK).values(values)
    await connection.execute(
        adding.on_conflict_do_update(
            index_elements=["product_id", "warehouse_id"],
            set_={"available": adding.excluded.available, "version": adding.excluded.version},
            where=SEARCH_STOCK.c.version < adding.excluded.version,
        )
    )
