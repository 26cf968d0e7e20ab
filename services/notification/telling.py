"""What customers are told of, and what the service learns of them: its consumers of other services' events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from shop.customer.v1.events.models import (
    CustomerCreatedEvent,
    CustomerDeletedEvent,
    CustomerProfile,
    CustomerUpdatedEvent,
)
from shop.order.v1.events.models import OrderCreatedEvent, OrderStatus, OrderStatusChangedEvent
from shop.payment.v1.events.models import PaymentFailedEvent, PaymentRefundedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.transport import Outcome
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notification.adapters.contacts import Contacts
from services.notification.domain import Address, letters
from services.notification.domain.contacts import LOCALE, Profile, changed, erased, registered
from services.notification.postbox import Cause, Postbox, Wish
from services.platform.database import Database
from services.platform.inbox import first_time

CONSUMER = "notification"
_OF_STATUS = {
    OrderStatus.ORDER_STATUS_CONFIRMED: "order-confirmation",
    OrderStatus.ORDER_STATUS_CANCELLED: "order-cancelled",
}
"""Mails about other statuses come of the events that lead to them."""


class _Event(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def correlationid(self) -> str: ...


_Work: TypeAlias = Callable[[AsyncConnection, Cause], Awaitable[object]]


class Telling:
    """Each event has its effect once, in one transaction with the note that it came."""

    def __init__(self, database: Database, postbox: Postbox, contacts: Contacts) -> None:
        self._database = database
        self._postbox = postbox
        self._contacts = contacts

    async def acknowledge_order(self, event: OrderCreatedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Sends the mail that the order has come in (`order-received`)."""
        order = event.data
        total = letters.major(order.total_amount, order.currency)
        await self._tell(event, "order-received", order.customer_id, order.order_id, total=total)
        return None

    async def tell_order_status(self, event: OrderStatusChangedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Sends `order-confirmation` when the order is confirmed, `order-cancelled` when it is cancelled."""
        order = event.data
        template = _OF_STATUS.get(order.status)
        if template is not None:
            total = letters.money(order.total.minor_units, order.total.currency_code)
            await self._tell(event, template, order.customer_id, order.order_id, total=total)
        return None

    async def tell_payment_failed(self, event: PaymentFailedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Asks the customer for another way to pay."""
        payment = event.data
        amount = letters.money(payment.amount.minor_units, payment.amount.currency_code)
        await self._tell(event, "payment-failed", payment.customer_id, payment.order_id, amount=amount)
        return None

    async def tell_payment_refunded(
        self, event: PaymentRefundedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Tells the customer about the refund."""
        payment = event.data
        amount = letters.money(payment.amount.minor_units, payment.amount.currency_code)
        await self._tell(event, "payment-refunded", payment.customer_id, payment.order_id, amount=amount)
        return None

    async def welcome_customer(self, event: CustomerCreatedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Stores the contact data and sends the welcome mail."""
        customer = event.data

        async def welcome(connection: AsyncConnection, cause: Cause) -> None:
            contact = await self._contacts.lock(connection, customer.customer_id)
            if contact.erased:
                return
            profile = _profile(customer.profile)
            await self._contacts.save(connection, registered(contact, customer.email, profile, event.aggregateversion))
            wish = Wish(template_id="customer-welcome", customer_id=customer.customer_id)
            await self._postbox.tell(connection, wish, cause)

        await self._once(event, welcome)
        return None

    async def refresh_contact_data(self, event: CustomerUpdatedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Refreshes the contact data."""
        customer = event.data

        async def refresh(connection: AsyncConnection, cause: Cause) -> None:
            contact = await self._contacts.lock(connection, customer.customer_id)
            profile = _profile(customer.profile)
            await self._contacts.save(connection, changed(contact, profile, event.aggregateversion))

        await self._once(event, refresh)
        return None

    async def erase_contact_data(self, event: CustomerDeletedEvent, delivery: Delivery[RawHeaders]) -> Outcome | None:
        """Sends a last mail and erases the contact data; the mail keeps the address until it is sent."""
        customer_id = event.data.customer_id

        async def erase(connection: AsyncConnection, cause: Cause) -> None:
            contact = await self._contacts.lock(connection, customer_id)
            await self._contacts.save(connection, erased(contact))
            recipient = _address(contact.email, contact.profile.name)
            if recipient is not None:
                locale = contact.profile.locale
                wish = Wish(template_id="customer-goodbye", customer_id=customer_id, locale=locale, recipient=recipient)
                await self._postbox.tell(connection, wish, cause)

        await self._once(event, erase)
        return None

    async def _tell(self, event: _Event, template_id: str, customer_id: str, order_id: str, **more: str) -> None:
        wish = Wish(
            template_id=template_id,
            customer_id=customer_id,
            order_id=order_id,
            variables={"order_id": order_id, **more},
        )
        await self._once(event, lambda connection, cause: self._postbox.tell(connection, wish, cause))

    async def _once(self, event: _Event, work: _Work) -> None:
        cause = Cause(source=event.source, id=event.id, correlation_id=event.correlationid)

        async def handle(connection: AsyncConnection) -> None:
            if await first_time(connection, consumer=CONSUMER, source=event.source, id=event.id):
                await work(connection, cause)

        await self._database.run(handle)


def _profile(found: CustomerProfile) -> Profile:
    return Profile(
        given_name=found.given_name or "",
        family_name=found.family_name or "",
        phone_number=found.phone_number or "",
        locale=found.locale or LOCALE,
    )


def _address(email: str, name: str) -> Address | None:
    try:
        return Address(email=email, name=name)
    except ValueError:
        return None
