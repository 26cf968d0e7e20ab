"""What the customer service does with customers, addresses and payment methods.

Each change is one transaction that locks the customer's row, changes the tables and stores the event that tells of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.adapters import accounts, addresses, methods, sessions
from services.customer.announcing import Announcements
from services.customer.domain import (
    MOST_ADDRESSES,
    MOST_PAYMENT_METHODS,
    Address,
    Card,
    Customer,
    Entry,
    MethodType,
    Missing,
    NotPossible,
    PaymentMethod,
    Profile,
    Status,
    changed_profile,
    check_address,
    check_version,
)
from services.platform.commands import forget_answers
from services.platform.database import Database
from services.platform.outbox import Outbox

REGISTRATION, ADDRESS, METHOD = "CreateCustomer", "AddAddress", "AddPaymentMethod"
"""Scopes of idempotency keys; those of a customer's own commands end with the customer's id."""


def new_id(prefix: str) -> str:
    """An id that nobody can guess: `cus_1f0c...`, 80 random bits."""
    return f"{prefix}_{secrets.token_hex(10)}"


class OpenOrders(Protocol):
    """What an erasure asks the order service."""

    async def under_way(self, customer_id: str) -> bool:
        """Whether the customer has an order that has not come to an end."""


class Customers:
    """Commands take the connection of their transaction."""

    def __init__(
        self, database: Database, outbox: Outbox, orders: OpenOrders, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._orders = orders
        self._now = now

    async def register(
        self,
        connection: AsyncConnection,
        customer_id: str,
        email: str,
        profile: Profile,
        *,
        password_hash: str,
        key: str,
    ) -> Customer:
        """Store a new customer. `EmailTaken`."""
        now = self._now()
        customer = Customer(
            customer_id=customer_id,
            email=email,
            profile=profile,
            status=Status.ACTIVE,
            version=1,
            created_at=now,
            updated_at=now,
        )
        await accounts.create(connection, customer, password_hash=password_hash, registration_key=key)
        await Announcements(self._outbox, connection).created(customer)
        return customer

    async def customer(self, customer_id: str) -> Customer:
        """`Missing`."""
        async with self._database.transaction() as connection:
            return await accounts.read(connection, customer_id)

    async def password_hash(self, customer_id: str) -> str | None:
        """None for a customer who was erased."""
        async with self._database.transaction() as connection:
            return await accounts.password_hash(connection, customer_id)

    async def update(
        self, customer_id: str, given: Profile, mask: tuple[str, ...], expected_version: int | None
    ) -> Customer:
        """The customer after the change; one that changes nothing is not told. `Missing`, `Invalid`, `Stale`."""
        async with self._database.transaction() as connection:
            customer = await accounts.read(connection, customer_id, lock=True)
            profile, changed = changed_profile(customer.profile, given, mask)
            check_version(customer.version, expected_version)
            if not changed:
                return customer
            customer = await accounts.change_profile(connection, customer_id, profile, self._now())
            await Announcements(self._outbox, connection).updated(customer, changed)
            return customer

    async def delete(self, customer_id: str) -> None:
        """Erase the personal data, also for a second time. `Missing`, `NotPossible` OPEN_ORDERS.

        An access token that was issued before stays valid until it expires.
        """
        async with self._database.transaction() as connection:
            if (await self._or_erased(connection, customer_id)).status is Status.DELETED:
                return
        if await self._orders.under_way(customer_id):
            raise NotPossible("an order is under way", code="OPEN_ORDERS", metadata={"customer_id": customer_id})
        async with self._database.transaction() as connection:
            if (await self._or_erased(connection, customer_id, lock=True)).status is not Status.DELETED:
                await self._erase(connection, customer_id)

    async def _erase(self, connection: AsyncConnection, customer_id: str) -> None:
        now = self._now()
        await addresses.erase(connection, customer_id)
        await methods.erase(connection, customer_id)
        await sessions.erase(connection, customer_id)
        erased, registered_with = await accounts.erase(connection, customer_id, now)
        if registered_with is not None:
            await forget_answers(connection, REGISTRATION, registered_with)
        for command in (ADDRESS, METHOD):
            await forget_answers(connection, f"{command} {customer_id}")
        await Announcements(self._outbox, connection).deleted(erased, now)

    async def _or_erased(self, connection: AsyncConnection, customer_id: str, *, lock: bool = False) -> Customer:
        found = await accounts.find(connection, customer_id, lock=lock)
        if found is None:
            raise Missing(f"there is no customer {customer_id}", metadata={"customer_id": customer_id})
        return found

    async def add_address(
        self, connection: AsyncConnection, customer_id: str, address: Address, *, make_default: bool
    ) -> Entry:
        """Add an entry to the address book; the first one is the default. `Missing`, `Invalid`, `NotPossible`."""
        check_address(address)
        await accounts.read(connection, customer_id, lock=True)
        count = await addresses.count(connection, customer_id)
        if count >= MOST_ADDRESSES:
            raise NotPossible(f"an address book has at most {MOST_ADDRESSES} entries", code="TOO_MANY_ADDRESSES")
        now = self._now()
        default = make_default or count == 0
        entry = await addresses.add(connection, new_id("adr"), customer_id, address, now, default=default)
        customer = await accounts.touch(connection, customer_id, now)
        await Announcements(self._outbox, connection).address_added(customer, entry)
        return entry

    async def addresses(self, customer_id: str) -> Sequence[Entry]:
        """The address book. `Missing`."""
        async with self._database.transaction() as connection:
            await accounts.read(connection, customer_id)
            return await addresses.listed(connection, customer_id)

    async def remove_address(self, customer_id: str, address_id: str) -> None:
        """Remove an entry, if it is there. `Missing` for the customer."""
        async with self._database.transaction() as connection:
            await accounts.read(connection, customer_id, lock=True)
            await addresses.remove(connection, customer_id, address_id)

    async def add_payment_method(
        self,
        connection: AsyncConnection,
        customer_id: str,
        type_: MethodType,
        token: str,
        *,
        shown: Card | str,
        make_default: bool,
    ) -> PaymentMethod:
        """Store a token that the provider knows, with what may be shown. `Missing`, `NotPossible`."""
        await accounts.read(connection, customer_id, lock=True)
        count = await methods.count(connection, customer_id)
        if count >= MOST_PAYMENT_METHODS:
            text = f"a customer has at most {MOST_PAYMENT_METHODS} payment methods"
            raise NotPossible(text, code="TOO_MANY_PAYMENT_METHODS")
        now = self._now()
        method = PaymentMethod(
            payment_method_id=new_id("pm"),
            customer_id=customer_id,
            type=type_,
            provider_token=token,
            card=shown if isinstance(shown, Card) else None,
            account_hint=shown if isinstance(shown, str) else "",
            is_default=make_default or count == 0,
            created_at=now,
        )
        await methods.add(connection, method)
        customer = await accounts.touch(connection, customer_id, now)
        await Announcements(self._outbox, connection).payment_method_added(customer, method)
        return method

    async def payment_methods(self, customer_id: str) -> Sequence[PaymentMethod]:
        """All payment methods. `Missing` for the customer."""
        async with self._database.transaction() as connection:
            await accounts.read(connection, customer_id)
            return await methods.listed(connection, customer_id)

    async def payment_method(self, customer_id: str, method_id: str) -> PaymentMethod:
        """One payment method, with its token. `Missing`."""
        async with self._database.transaction() as connection:
            found = await methods.find(connection, customer_id, method_id)
        if found is None:
            known = {"customer_id": customer_id, "payment_method_id": method_id}
            raise Missing(f"the customer has no payment method {method_id}", metadata=known)
        return found

    async def remove_payment_method(self, customer_id: str, method_id: str) -> None:
        """Forget a payment method, if it is there. `Missing` for the customer."""
        async with self._database.transaction() as connection:
            await accounts.read(connection, customer_id, lock=True)
            await methods.remove(connection, customer_id, method_id)

    async def mark_refused(self, connection: AsyncConnection, customer_id: str, method_id: str, *, reason: str) -> bool:
        """Note that the provider no longer accepts a payment method; false when there is nothing to note."""
        return await methods.mark_refused(connection, customer_id, method_id, reason=reason, now=self._now())
