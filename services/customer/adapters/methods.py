"""Payment methods in PostgreSQL. The row of the customer is locked by whoever changes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.adapters.tables import PAYMENT_METHODS as METHODS
from services.customer.domain import Card, MethodType, PaymentMethod


async def listed(connection: AsyncConnection, customer_id: str) -> Sequence[PaymentMethod]:
    """All of them: the default first, then the newest first."""
    asked = select(METHODS).where(METHODS.c.customer_id == customer_id)
    rows = await connection.execute(asked.order_by(METHODS.c.is_default.desc(), METHODS.c.position.desc()))
    return [_method(row) for row in rows]


async def find(connection: AsyncConnection, customer_id: str, method_id: str) -> PaymentMethod | None:
    """None when the customer has no such payment method."""
    asked = select(METHODS).where(METHODS.c.customer_id == customer_id, METHODS.c.payment_method_id == method_id)
    row = (await connection.execute(asked)).first()
    return None if row is None else _method(row)


async def count(connection: AsyncConnection, customer_id: str) -> int:
    """How many there are."""
    asked = select(func.count()).select_from(METHODS).where(METHODS.c.customer_id == customer_id)
    return int((await connection.execute(asked)).scalar_one())


async def add(connection: AsyncConnection, method: PaymentMethod) -> None:
    """Store one; as the default it takes the place of the one before."""
    if method.is_default:
        default = update(METHODS).where(METHODS.c.customer_id == method.customer_id, METHODS.c.is_default)
        await connection.execute(default.values(is_default=False))
    details = asdict(method.card) if method.card is not None else {"account_hint": method.account_hint}
    await connection.execute(
        insert(METHODS).values(
            payment_method_id=method.payment_method_id,
            customer_id=method.customer_id,
            type=method.type.value,
            provider_token=method.provider_token,
            details=details,
            is_default=method.is_default,
            created_at=method.created_at,
        )
    )


async def remove(connection: AsyncConnection, customer_id: str, method_id: str) -> None:
    """Forget one, if it is there; after the default the newest of the others is the default."""
    removed = delete(METHODS).where(METHODS.c.customer_id == customer_id, METHODS.c.payment_method_id == method_id)
    row = (await connection.execute(removed.returning(METHODS.c.is_default))).first()
    if row is not None and row.is_default:
        newest = select(func.max(METHODS.c.position)).where(METHODS.c.customer_id == customer_id)
        promoted = update(METHODS).where(METHODS.c.position == newest.scalar_subquery())
        await connection.execute(promoted.values(is_default=True))


async def mark_refused(
    connection: AsyncConnection, customer_id: str, method_id: str, *, reason: str, now: datetime
) -> bool:
    """Note that the provider no longer accepts it; false when there is none, or it was marked before."""
    marked = (
        update(METHODS)
        .where(
            METHODS.c.customer_id == customer_id,
            METHODS.c.payment_method_id == method_id,
            METHODS.c.refused_at.is_(None),
        )
        .values(refused_at=now, refusal=reason)
    )
    return (await connection.execute(marked.returning(METHODS.c.payment_method_id))).first() is not None


async def erase(connection: AsyncConnection, customer_id: str) -> None:
    """Forget all of a customer."""
    await connection.execute(delete(METHODS).where(METHODS.c.customer_id == customer_id))


def _method(row: Row[Any]) -> PaymentMethod:
    type_ = MethodType(row.type)
    return PaymentMethod(
        payment_method_id=row.payment_method_id,
        customer_id=row.customer_id,
        type=type_,
        provider_token=row.provider_token,
        card=Card(**row.details) if type_ is MethodType.CARD else None,
        account_hint=row.details.get("account_hint", ""),
        is_default=row.is_default,
        created_at=row.created_at,
        refused_at=row.refused_at,
    )
