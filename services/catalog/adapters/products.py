"""Products in PostgreSQL, with their price in the default currency at the moment of reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Row, Select, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog.adapters.prices import in_force
from services.catalog.adapters.tables import PRODUCTS
from services.catalog.domain import Details, Money, Product, Status, Taken
from services.platform.database import Conflict


class Sort(Enum):
    """Orders of a list; products that are equal by it are ordered by their ids."""

    NEWEST = "newest"
    CHEAPEST = "cheapest"
    DEAREST = "dearest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which products, in which order. `after` is where the page before ended: the value sorted by, and the id."""

    status: Status = Status.ACTIVE
    category: str | None = None
    sort: Sort = Sort.NEWEST
    after: tuple[datetime | int, str] | None = None
    limit: int = 20


def with_price(currency: str, now: datetime) -> Select[Any]:
    """Products with the columns `amount` and `currency`; those without a price are left out."""
    price = in_force(currency, now).subquery()
    return select(PRODUCTS, price.c.amount, price.c.currency).join(price, price.c.product_id == PRODUCTS.c.product_id)


async def read(
    connection: AsyncConnection, product_ids: Sequence[str], currency: str, now: datetime
) -> dict[str, Product]:
    """The products that exist, by id."""
    found = await connection.execute(with_price(currency, now).where(PRODUCTS.c.product_id.in_(product_ids)))
    return {row.product_id: product_of(row) for row in found}


async def listed(connection: AsyncConnection, query: Query, currency: str, now: datetime) -> list[Product]:
    """A page of products, one more than `limit` when there are further ones."""
    rows = with_price(currency, now).subquery()
    asked = select(rows).where(rows.c.status == query.status.value)
    if query.category is not None:
        asked = asked.where(rows.c.categories.contains([query.category]))
    by = rows.c.created_at if query.sort is Sort.NEWEST else rows.c.amount
    position = tuple_(by, rows.c.product_id)
    descending = query.sort is not Sort.CHEAPEST
    if query.after is not None:
        value, product_id = query.after
        reached = tuple_(literal(value, by.type), literal(product_id))
        asked = asked.where(position < reached if descending else position > reached)
    order = (by.desc(), rows.c.product_id.desc()) if descending else (by, rows.c.product_id)
    found = await connection.execute(asked.order_by(*order).limit(query.limit + 1))
    return [product_of(row) for row in found]


async def lock(connection: AsyncConnection, product_id: str) -> tuple[Details, int] | None:
    """The product and its version, which no other transaction changes until this one ends; None if there is none."""
    asked = select(PRODUCTS).where(PRODUCTS.c.product_id == product_id).with_for_update()
    row = (await connection.execute(asked)).first()
    return None if row is None else (details_of(row), row.version)


async def create(connection: AsyncConnection, details: Details, now: datetime) -> int:
    """Store a new product; returns its version. `Taken`, or `Conflict` when it was created meanwhile."""
    values = {**_values(details), "product_id": details.product_id, "version": 1, "created_at": now, "updated_at": now}
    asked = insert(PRODUCTS).values(values).on_conflict_do_nothing(index_elements=["product_id"])
    try:
        made = (await connection.execute(asked.returning(PRODUCTS.c.version))).first()
    except IntegrityError as error:
        raise _refused(error, details.sku) from error
    if made is None:
        raise Conflict(f"{details.product_id} was created meanwhile")
    return 1


async def replace(connection: AsyncConnection, details: Details, now: datetime) -> int:
    """Store the product that `lock` gave, changed; returns its version. `Taken` when another one has its SKU."""
    try:
        return await _changed(connection, details.product_id, now, **_values(details))
    except IntegrityError as error:
        raise _refused(error, details.sku) from error


async def touch(connection: AsyncConnection, product_id: str, now: datetime) -> int:
    """Count a change of the product that is stored elsewhere, such as its price; returns the new version."""
    return await _changed(connection, product_id, now)


async def _changed(connection: AsyncConnection, product_id: str, now: datetime, **values: Any) -> int:
    changed = (
        update(PRODUCTS)
        .where(PRODUCTS.c.product_id == product_id)
        .values(version=PRODUCTS.c.version + 1, updated_at=func.greatest(PRODUCTS.c.updated_at, now), **values)
    )
    version: int = (await connection.execute(changed.returning(PRODUCTS.c.version))).scalar_one()
    return version


def _values(details: Details) -> dict[str, Any]:
    return {
        "sku": details.sku,
        "name": details.name,
        "description": details.description,
        "categories": list(details.categories),
        "attributes": dict(details.attributes),
        "status": details.status.value,
        "image_urls": list(details.image_urls),
        "weight_grams": details.weight_grams,
        "handling_time": details.handling_time,
    }


def _refused(error: IntegrityError, sku: str) -> Exception:
    cause: Any = error.orig
    if cause.diag.constraint_name == "products_sku":
        return Taken(f"another product has the SKU {sku}", metadata={"sku": sku})
    return error


def details_of(row: Row[Any]) -> Details:
    """What merchandising said, of a row of the table."""
    return Details(
        product_id=row.product_id,
        sku=row.sku,
        name=row.name,
        description=row.description,
        categories=tuple(row.categories),
        attributes=row.attributes,
        status=Status(row.status),
        image_urls=tuple(row.image_urls),
        weight_grams=row.weight_grams,
        handling_time=row.handling_time,
    )


def product_of(row: Row[Any]) -> Product:
    """A row of `with_price`."""
    return Product(
        details=details_of(row),
        price=Money(row.amount, row.currency),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
