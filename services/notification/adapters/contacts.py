"""Contact data in PostgreSQL, sealed."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification.adapters.sealing import Vault
from services.notification.adapters.tables import CONTACTS
from services.notification.domain.contacts import Contact, Profile


class Contacts:
    """Works in transactions of its callers."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def lock(self, connection: AsyncConnection, customer_id: str) -> Contact:
        """What is known of a customer, locked; an empty contact is made when there is none."""
        await connection.execute(
            insert(CONTACTS).values(customer_id=customer_id, version=0, erased=False).on_conflict_do_nothing()
        )
        return await self._read(connection, customer_id, lock=True) or Contact(customer_id=customer_id)

    async def find(self, connection: AsyncConnection, customer_id: str) -> Contact | None:
        """What is known of a customer."""
        return await self._read(connection, customer_id, lock=False)

    async def save(self, connection: AsyncConnection, contact: Contact) -> None:
        """Store a contact that is locked."""
        await connection.execute(
            update(CONTACTS)
            .where(CONTACTS.c.customer_id == contact.customer_id)
            .values(sealed=self._sealed(contact), version=contact.version, erased=contact.erased)
        )

    async def _read(self, connection: AsyncConnection, customer_id: str, *, lock: bool) -> Contact | None:
        query = select(CONTACTS).where(CONTACTS.c.customer_id == customer_id)
        row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
        if row is None:
            return None
        known = self._vault.open(row.sealed, of=_record(customer_id)) if row.sealed is not None else {}
        email = known.pop("email", "")
        return Contact(
            customer_id=customer_id, email=email, profile=Profile(**known), version=row.version, erased=row.erased
        )

    def _sealed(self, contact: Contact) -> bytes | None:
        if contact.erased:
            return None
        profile = contact.profile
        record = {
            "email": contact.email,
            "given_name": profile.given_name,
            "family_name": profile.family_name,
            "phone_number": profile.phone_number,
            "locale": profile.locale,
        }
        return self._vault.seal(record, of=_record(contact.customer_id))


def _record(customer_id: str) -> str:
    return f"contact {customer_id}"
