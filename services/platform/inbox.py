"""Consumed once: which events a consumer has handled, noted in the transaction of what handling them did."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.tables import INBOX


async def first_time(connection: AsyncConnection, *, consumer: str, source: str, id: str) -> bool:
    """Note that `consumer` handles the event (`source`, `id`) in this transaction; false if it was handled before.

    While another transaction handles the same event this waits for its end: false when it commits, true when it
    rolls back. Handle the event in the same transaction, and only when the answer is true.
    """
    noted = await connection.execute(
        insert(INBOX)
        .values(consumer=consumer, source=source, id=id)
        .on_conflict_do_nothing()
        .returning(INBOX.c.consumer)
    )
    return noted.first() is not None


async def forget(connection: AsyncConnection, *, older_than: timedelta, limit: int = 10_000) -> int:
    """Remove entries that no broker will deliver again, oldest first; returns how many."""
    old = (
        INBOX.select()
        .with_only_columns(INBOX.c.consumer, INBOX.c.source, INBOX.c.id)
        .where(INBOX.c.created_at < func.clock_timestamp() - older_than)
        .order_by(INBOX.c.created_at)
        .limit(limit)
        .subquery()
    )
    removed = await connection.execute(
        delete(INBOX).where(INBOX.c.consumer == old.c.consumer, INBOX.c.source == old.c.source, INBOX.c.id == old.c.id)
    )
    return removed.rowcount
