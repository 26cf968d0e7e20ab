"""Prices in PostgreSQL: versions are added, and read as they are in force at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog.adapters.tables import PRICES
from services.catalog.domain import Money, Price


def in_force(currency: str, moment: datetime) -> Select[Any]:
    """The versions in force at a moment, one a product: the one that came last, of equals the newer version."""
    return (
        select(PRICES)
        .ext(distinct_on(PRICES.c.product_id))
        .where(PRICES.c.currency == currency, PRICES.c.effective_from <= moment)
        .order_by(PRICES.c.product_id, PRICES.c.effective_from.desc(), PRICES.c.version.desc())
    )


async def prices_at(
    connection: AsyncConnection, product_ids: Sequence[str], currency: str, moment: datetime
) -> Mapping[str, Price]:
    """What the products cost at a moment, by id; those without a price are left out."""
    found = await connection.execute(in_force(currency, moment).where(PRICES.c.product_id.in_(product_ids)))
    return {row.product_id: price_of(row) for row in found}


async def newest_version(connection: AsyncConnection, product_id: str, currency: str) -> int:
    """The highest version of a price, 0 before the first."""
    asked = select(func.max(PRICES.c.version)).where(PRICES.c.product_id == product_id, PRICES.c.currency == currency)
    return (await connection.execute(asked)).scalar_one() or 0


async def add(connection: AsyncConnection, price: Price) -> None:
    """Store a version. The row of its product is locked by the caller."""
    await connection.execute(
        insert(PRICES).values(
            product_id=price.product_id,
            currency=price.amount.currency,
            version=price.version,
            amount=price.amount.minor_units,
            list_amount=None if price.list_amount is None else price.list_amount.minor_units,
            effective_from=price.effective_from,
            reason=price.reason,
        )
    )


def price_of(row: Row[Any]) -> Price:
    """A row of the table."""
    return Price(
        product_id=row.product_id,
        amount=Money(row.amount, row.currency),
        list_amount=None if row.list_amount is None else Money(row.list_amount, row.currency),
        effective_from=row.effective_from,
        version=row.version,
        reason=row.reason,
    )
