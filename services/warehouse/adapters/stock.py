"""Levels in PostgreSQL. Rows are locked in one order everywhere, so that no two bookings wait for each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.tables import LEVELS, MOVEMENTS
from services.warehouse.domain import Booking, Level


async def levels_of(connection: AsyncConnection, products: Collection[str], *, lock: bool = False) -> tuple[Level, ...]:
    """The levels of products in all warehouses; with `lock` nobody else books them until the transaction ends."""
    query = (
        select(LEVELS)
        .where(LEVELS.c.product_id.in_(sorted(products)))
        .order_by(LEVELS.c.product_id, LEVELS.c.warehouse_id)
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    return tuple(Level(**row._mapping) for row in rows)


async def level_of(connection: AsyncConnection, product_id: str, warehouse_id: str) -> Level:
    """One level, locked; an empty one is made when there is none."""
    await connection.execute(
        upsert(LEVELS)
        .values(product_id=product_id, warehouse_id=warehouse_id, on_hand=0, reserved=0, version=0)
        .on_conflict_do_nothing()
    )
    query = select(LEVELS).where(LEVELS.c.product_id == product_id, LEVELS.c.warehouse_id == warehouse_id)
    row = (await connection.execute(query.with_for_update())).one()
    return Level(**row._mapping)


async def book(
    connection: AsyncConnection, bookings: Sequence[Booking], *, order_id: str | None = None, reason: str | None = None
) -> None:
    """Store levels that are locked, and the movements that lead to them."""
    for booking in bookings:
        level = booking.level
        await connection.execute(
            update(LEVELS)
            .where(LEVELS.c.product_id == level.product_id, LEVELS.c.warehouse_id == level.warehouse_id)
            .values(on_hand=level.on_hand, reserved=level.reserved, version=level.version)
        )
    await connection.execute(
        insert(MOVEMENTS),
        [
            {
                "product_id": booking.level.product_id,
                "warehouse_id": booking.level.warehouse_id,
                "version": booking.level.version,
                "on_hand": booking.on_hand,
                "reserved": booking.reserved,
                "cause": booking.cause.value,
                "reason": reason,
                "order_id": order_id,
            }
            for booking in bookings
        ],
    )
