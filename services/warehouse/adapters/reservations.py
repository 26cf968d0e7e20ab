"""Reservations in PostgreSQL, and how far each order has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.adapters.tables import ORDERS, RESERVATIONS, SHARES
from services.warehouse.domain import Line, Reservation, Share, Status


async def lock_order(connection: AsyncConnection, order_id: str) -> int:
    """Work on an order alone until the transaction ends; returns the newest version that was heard of it."""
    await connection.execute(upsert(ORDERS).values(order_id=order_id, version=0, shortages=0).on_conflict_do_nothing())
    query = select(ORDERS.c.version).where(ORDERS.c.order_id == order_id).with_for_update()
    return int((await connection.execute(query)).scalar_one())


async def note_version(connection: AsyncConnection, order_id: str, version: int) -> None:
    """The order is known to have that version."""
    await connection.execute(update(ORDERS).where(ORDERS.c.order_id == order_id).values(version=version))


async def count_shortage(connection: AsyncConnection, order_id: str) -> int:
    """How often the order could not be served, this time included."""
    counted = (
        update(ORDERS)
        .where(ORDERS.c.order_id == order_id)
        .values(shortages=ORDERS.c.shortages + 1)
        .returning(ORDERS.c.shortages)
    )
    return int((await connection.execute(counted)).scalar_one())


async def add(connection: AsyncConnection, reservation: Reservation, shares: Sequence[Share]) -> None:
    """Store a new reservation."""
    await connection.execute(
        insert(RESERVATIONS).values(
            reservation_id=reservation.reservation_id,
            order_id=reservation.order_id,
            lines=[[line.product_id, line.quantity] for line in reservation.lines],
            status=reservation.status.value,
            version=reservation.version,
            created_at=reservation.created_at,
            expires_at=reservation.expires_at,
        )
    )
    rows = [
        {
            "reservation_id": reservation.reservation_id,
            "product_id": share.product_id,
            "warehouse_id": share.warehouse_id,
            "quantity": share.quantity,
        }
        for share in shares
    ]
    await connection.execute(insert(SHARES), rows)


async def find(connection: AsyncConnection, reservation_id: str) -> Reservation | None:
    """The reservation, locked."""
    query = select(RESERVATIONS).where(RESERVATIONS.c.reservation_id == reservation_id).with_for_update()
    return _read((await connection.execute(query)).one_or_none())


async def latest_of(connection: AsyncConnection, order_id: str) -> Reservation | None:
    """The newest reservation of an order, locked."""
    query = (
        select(RESERVATIONS)
        .where(RESERVATIONS.c.order_id == order_id)
        .order_by(RESERVATIONS.c.created_at.desc())
        .limit(1)
        .with_for_update()
    )
    return _read((await connection.execute(query)).one_or_none())


async def lapsed(connection: AsyncConnection, now: datetime) -> Reservation | None:
    """An active reservation past its time, locked; those that somebody else works on are passed over."""
    query = (
        select(RESERVATIONS)
        .where(RESERVATIONS.c.status == Status.ACTIVE.value, RESERVATIONS.c.expires_at <= now)
        .order_by(RESERVATIONS.c.expires_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return _read((await connection.execute(query)).one_or_none())


async def shares_of(connection: AsyncConnection, reservation_id: str) -> tuple[Share, ...]:
    """Where its pieces are."""
    query = (
        select(SHARES.c.product_id, SHARES.c.warehouse_id, SHARES.c.quantity)
        .where(SHARES.c.reservation_id == reservation_id)
        .order_by(SHARES.c.product_id, SHARES.c.warehouse_id)
    )
    return tuple(Share(**row._mapping) for row in await connection.execute(query))


async def move(connection: AsyncConnection, reservation: Reservation) -> None:
    """Store the new state of a reservation that is locked."""
    await connection.execute(
        update(RESERVATIONS)
        .where(RESERVATIONS.c.reservation_id == reservation.reservation_id)
        .values(status=reservation.status.value, version=reservation.version)
    )


def _read(row: Row[Any] | None) -> Reservation | None:
    if row is None:
        return None
    return Reservation(
        reservation_id=row.reservation_id,
        order_id=row.order_id,
        lines=tuple(Line(product_id=product, quantity=quantity) for product, quantity in row.lines),
        status=Status(row.status),
        version=row.version,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
