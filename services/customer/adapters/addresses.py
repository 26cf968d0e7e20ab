"""Address books in PostgreSQL. The row of the customer is locked by whoever changes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.adapters.tables import ADDRESSES
from services.customer.domain import Address, Entry


async def listed(connection: AsyncConnection, customer_id: str) -> Sequence[Entry]:
    """All entries: the default first, then the newest first."""
    asked = select(ADDRESSES).where(ADDRESSES.c.customer_id == customer_id)
    rows = await connection.execute(asked.order_by(ADDRESSES.c.is_default.desc(), ADDRESSES.c.position.desc()))
    return [_entry(row) for row in rows]


async def count(connection: AsyncConnection, customer_id: str) -> int:
    """How many entries there are."""
    asked = select(func.count()).select_from(ADDRESSES).where(ADDRESSES.c.customer_id == customer_id)
    return int((await connection.execute(asked)).scalar_one())


async def add(
    connection: AsyncConnection, address_id: str, customer_id: str, address: Address, now: datetime, *, default: bool
) -> Entry:
    """Store an entry; as the default it takes the place of the one before."""
    if default:
        await _no_default(connection, customer_id)
    values = {name: value for name, value in asdict(address).items() if value is not None}
    stored = insert(ADDRESSES).values(
        address_id=address_id, customer_id=customer_id, address=values, is_default=default, created_at=now
    )
    return _entry((await connection.execute(stored.returning(ADDRESSES))).one())


async def remove(connection: AsyncConnection, customer_id: str, address_id: str) -> None:
    """Remove an entry, if it is there; after the default the newest of the others is the default."""
    removed = delete(ADDRESSES).where(ADDRESSES.c.customer_id == customer_id, ADDRESSES.c.address_id == address_id)
    row = (await connection.execute(removed.returning(ADDRESSES.c.is_default))).first()
    if row is not None and row.is_default:
        newest = select(func.max(ADDRESSES.c.position)).where(ADDRESSES.c.customer_id == customer_id)
        promoted = update(ADDRESSES).where(ADDRESSES.c.position == newest.scalar_subquery())
        await connection.execute(promoted.values(is_default=True))


async def erase(connection: AsyncConnection, customer_id: str) -> None:
    """Remove the whole book."""
    await connection.execute(delete(ADDRESSES).where(ADDRESSES.c.customer_id == customer_id))


async def _no_default(connection: AsyncConnection, customer_id: str) -> None:
    default = update(ADDRESSES).where(ADDRESSES.c.customer_id == customer_id, ADDRESSES.c.is_default)
    await connection.execute(default.values(is_default=False))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        address_id=row.address_id,
        customer_id=row.customer_id,
        address=Address(**row.address),
        is_default=row.is_default,
        created_at=row.created_at,
    )
