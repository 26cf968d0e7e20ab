"""Payments and refunds in PostgreSQL. All functions work in the caller's transaction."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from shop.runtime.transport import utc_now
from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payment.adapters.tables import PAYMENTS, REFUNDS
from services.payment.domain import Money, RefundStatus
from services.payment.lifecycle import Charge, Failure, Provider, Repayment, State


async def by_key(connection: AsyncConnection, key: str) -> Charge | None:
    """The payment that was started with an idempotency key."""
    return await _one(connection, PAYMENTS.c.idempotency_key == key)


async def by_id(connection: AsyncConnection, payment_id: str, *, lock: bool = False) -> Charge | None:
    """A payment. `lock` keeps all others from changing it and its refunds until the transaction ends."""
    return await _one(connection, PAYMENTS.c.payment_id == payment_id, lock=lock)


async def by_reference(connection: AsyncConnection, provider: Provider, reference: str) -> Charge | None:
    """The payment that has this id at the provider."""
    return await _one(connection, (PAYMENTS.c.provider == str(provider)) & (PAYMENTS.c.provider_reference == reference))


async def of_refund(connection: AsyncConnection, refund_id: str, *, lock: bool = False) -> Charge | None:
    """The payment of a refund; `lock` as for `by_id`."""
    owner = select(REFUNDS.c.payment_id).where(REFUNDS.c.refund_id == refund_id).scalar_subquery()
    return await _one(connection, PAYMENTS.c.payment_id == owner, lock=lock)


async def of_order(connection: AsyncConnection, order_id: str, *, lock: bool = False) -> list[Charge]:
    """All payments of an order, newest first. `lock` keeps others from starting one until the transaction ends."""
    if lock:
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"order {order_id}", 0))))
    found = select(PAYMENTS).where(PAYMENTS.c.order_id == order_id).order_by(PAYMENTS.c.created_at.desc())
    return [_charge(row) for row in await connection.execute(found)]


async def pending_since(connection: AsyncConnection, moment: datetime, *, limit: int) -> list[Charge]:
    """Payments whose outcome is not known, whose last attempt was over by then; the longest first."""
    over = func.coalesce(PAYMENTS.c.attempted_until, PAYMENTS.c.created_at)
    found = select(PAYMENTS).where(PAYMENTS.c.state == str(State.PENDING), over < moment)
    return [_charge(row) for row in await connection.execute(found.order_by(over).limit(limit))]


async def add(connection: AsyncConnection, charge: Charge) -> None:
    """Store a new payment."""
    await connection.execute(insert(PAYMENTS).values(**_values(charge)))


async def save(connection: AsyncConnection, before: Charge, after: Charge) -> Charge:
    """Store what changed. The version counts what others are told, so that a gap in events means a missed one."""
    if after == before:
        return before
    told = (after.state, after.refunded) != (before.state, before.refunded)
    changed = replace(after, version=before.version + told, updated_at=utc_now())
    stored = update(PAYMENTS).where(PAYMENTS.c.payment_id == before.payment_id)
    await connection.execute(stored.values(**_values(changed)))
    return changed


async def refund_by_key(connection: AsyncConnection, key: str) -> Repayment | None:
    """The refund that was started with an idempotency key."""
    row = (await connection.execute(select(REFUNDS).where(REFUNDS.c.idempotency_key == key))).first()
    return None if row is None else _repayment(row)


async def refund_by_id(connection: AsyncConnection, refund_id: str) -> Repayment | None:
    """A refund."""
    row = (await connection.execute(select(REFUNDS).where(REFUNDS.c.refund_id == refund_id))).first()
    return None if row is None else _repayment(row)


async def refund_by_reference(connection: AsyncConnection, reference: str) -> Repayment | None:
    """The refund that has this id at the provider."""
    row = (await connection.execute(select(REFUNDS).where(REFUNDS.c.provider_reference == reference))).first()
    return None if row is None else _repayment(row)


async def refunds_of(connection: AsyncConnection, payment_id: str) -> list[Repayment]:
    """All refunds of a payment, oldest first."""
    found = select(REFUNDS).where(REFUNDS.c.payment_id == payment_id).order_by(REFUNDS.c.created_at)
    return [_repayment(row) for row in await connection.execute(found)]


async def add_refund(connection: AsyncConnection, repayment: Repayment) -> None:
    """Store a new refund."""
    await connection.execute(insert(REFUNDS).values(**_refund_values(repayment)))


async def save_refund(connection: AsyncConnection, repayment: Repayment) -> None:
    """Store what it has become."""
    stored = update(REFUNDS).where(REFUNDS.c.refund_id == repayment.refund_id)
    await connection.execute(stored.values(**_refund_values(repayment)))


async def _one(connection: AsyncConnection, where: ColumnElement[bool], *, lock: bool = False) -> Charge | None:
    wanted = select(PAYMENTS).where(where)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).first()
    return None if row is None else _charge(row)


def _values(charge: Charge) -> dict[str, Any]:
    values = {column.name: getattr(charge, column.name) for column in PAYMENTS.c if column.name != "currency"}
    return values | {
        "amount": charge.amount.amount,
        "currency": charge.amount.currency,
        "provider": str(charge.provider),
        "state": str(charge.state),
        "failure": None if charge.failure is None else asdict(charge.failure),
        "metadata": dict(charge.metadata),
    }


def _charge(row: Row[Any]) -> Charge:
    values = dict(row._mapping)
    currency = values.pop("currency")
    return Charge(
        **values
        | {
            "amount": Money(row.amount, currency),
            "provider": Provider(row.provider),
            "state": State(row.state),
            "failure": None if row.failure is None else Failure(**row.failure),
            "fingerprint": bytes(row.fingerprint),
        }
    )


def _refund_values(repayment: Repayment) -> dict[str, Any]:
    values = {column.name: getattr(repayment, column.name) for column in REFUNDS.c if column.name != "currency"}
    return values | {
        "amount": repayment.amount.amount,
        "currency": repayment.amount.currency,
        "status": str(repayment.status),
    }


def _repayment(row: Row[Any]) -> Repayment:
    values = dict(row._mapping)
    currency = values.pop("currency")
    return Repayment(**values | {"amount": Money(row.amount, currency), "status": RefundStatus(row.status)})
