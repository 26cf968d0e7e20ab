"""Customers in PostgreSQL."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.adapters.tables import CUSTOMERS
from services.customer.domain import Customer, EmailTaken, Missing, Profile, Status, email_key


async def create(connection: AsyncConnection, customer: Customer, *, password_hash: str, registration_key: str) -> None:
    """Store a new customer. `EmailTaken`."""
    values = {
        "customer_id": customer.customer_id,
        "email": customer.email,
        "email_key": email_key(customer.email),
        "password_hash": password_hash,
        "registration_key": registration_key,
        "profile": _profile(customer.profile),
        "status": customer.status.value,
        "version": customer.version,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
    }
    try:
        await connection.execute(insert(CUSTOMERS).values(values))
    except IntegrityError as error:
        cause: Any = error.orig
        if cause.diag.constraint_name != "customers_email":
            raise
        raise EmailTaken("somebody has registered with this address") from None


async def read(connection: AsyncConnection, customer_id: str, *, lock: bool = False) -> Customer:
    """`Missing` when there is none, or it was erased. With `lock` nobody else changes it until the transaction ends."""
    found = await find(connection, customer_id, lock=lock)
    if found is None or found.status is Status.DELETED:
        raise Missing(f"there is no customer {customer_id}", metadata={"customer_id": customer_id})
    return found


async def find(connection: AsyncConnection, customer_id: str, *, lock: bool = False) -> Customer | None:
    """The same, erased customers included, without e-mail address and profile."""
    asked = select(CUSTOMERS).where(CUSTOMERS.c.customer_id == customer_id)
    row = (await connection.execute(asked.with_for_update() if lock else asked)).first()
    return None if row is None else _customer(row)


async def credentials(connection: AsyncConnection, email: str) -> tuple[Customer, str] | None:
    """The customer who registered with the address, and the hash of the password."""
    row = (await connection.execute(select(CUSTOMERS).where(CUSTOMERS.c.email_key == email_key(email)))).first()
    return None if row is None else (_customer(row), row.password_hash)


async def password_hash(connection: AsyncConnection, customer_id: str) -> str | None:
    """None for a customer who was erased."""
    asked = select(CUSTOMERS.c.password_hash).where(CUSTOMERS.c.customer_id == customer_id)
    return (await connection.execute(asked)).scalar_one_or_none()


async def change_profile(connection: AsyncConnection, customer_id: str, profile: Profile, now: datetime) -> Customer:
    """Store the profile of a customer who is locked; the version grows."""
    return await _change(connection, customer_id, now, profile=_profile(profile))


async def touch(connection: AsyncConnection, customer_id: str, now: datetime) -> Customer:
    """Count a change of a locked customer that is stored elsewhere, such as a new address."""
    return await _change(connection, customer_id, now)


async def erase(connection: AsyncConnection, customer_id: str, now: datetime) -> tuple[Customer, str | None]:
    """Leave nothing of a locked customer but id, version and dates; returns the key it was registered with, too."""
    asked = select(CUSTOMERS.c.registration_key).where(CUSTOMERS.c.customer_id == customer_id)
    key = (await connection.execute(asked)).scalar_one()
    nothing = dict.fromkeys(("email", "email_key", "password_hash", "registration_key"))
    erased = await _change(connection, customer_id, now, status=Status.DELETED.value, profile={}, **nothing)
    return erased, key


async def _change(connection: AsyncConnection, customer_id: str, now: datetime, **values: Any) -> Customer:
    changed = (
        update(CUSTOMERS)
        .where(CUSTOMERS.c.customer_id == customer_id)
        .values(version=CUSTOMERS.c.version + 1, updated_at=now, **values)
    )
    return _customer((await connection.execute(changed.returning(CUSTOMERS))).one())


def _profile(profile: Profile) -> dict[str, Any]:
    return {name: value for name, value in asdict(profile).items() if value is not None}


def _customer(row: Row[Any]) -> Customer:
    return Customer(
        customer_id=row.customer_id,
        email=row.email or "",
        profile=Profile(**row.profile),
        status=Status(row.status),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
