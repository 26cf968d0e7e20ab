"""Events of customers, stored in the transaction of the change they tell of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from shop.common.v1.schemas.models import Address as AddressModel
from shop.customer.v1.events.models import (
    AddressAddedData,
    CustomerCreatedData,
    CustomerDeletedData,
    CustomerProfile,
    CustomerUpdatedData,
    PaymentMethodAddedData,
    PaymentMethodType,
)
from shop.customer.v1.events.publishers import CustomerEventsPublisher
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.domain import Customer, Entry, MethodType, PaymentMethod, Profile
from services.platform.outbox import Outbox

_TYPES = {
    MethodType.CARD: PaymentMethodType.PAYMENT_METHOD_TYPE_CARD,
    MethodType.PAYPAL: PaymentMethodType.PAYMENT_METHOD_TYPE_PAYPAL,
}


class Announcements:
    """What other services are told; the version of the customer is that after the change."""

    def __init__(self, outbox: Outbox, connection: AsyncConnection) -> None:
        self._events = CustomerEventsPublisher(outbox.within(connection))

    async def created(self, customer: Customer) -> None:
        """customer-created."""
        data = CustomerCreatedData(
            customer_id=customer.customer_id, email=customer.email, profile=_profile(customer.profile)
        )
        await self._events.publish_customer_created(
            data,
            subject=customer.customer_id,
            correlationid=customer.customer_id,
            aggregateversion=customer.version,
        )

    async def updated(self, customer: Customer, changed: tuple[str, ...]) -> None:
        """customer-updated."""
        data = CustomerUpdatedData(
            customer_id=customer.customer_id, profile=_profile(customer.profile), changed_fields=list(changed)
        )
        await self._events.publish_customer_updated(
            data,
            subject=customer.customer_id,
            correlationid=customer.customer_id,
            aggregateversion=customer.version,
        )

    async def deleted(self, customer: Customer, at: datetime) -> None:
        """customer-deleted."""
        await self._events.publish_customer_deleted(
            CustomerDeletedData(customer_id=customer.customer_id, deleted_at=at),
            subject=customer.customer_id,
            correlationid=customer.customer_id,
            aggregateversion=customer.version,
        )

    async def address_added(self, customer: Customer, entry: Entry) -> None:
        """address-added."""
        address = {name: value for name, value in asdict(entry.address).items() if value is not None}
        data = AddressAddedData(
            customer_id=customer.customer_id,
            address_id=entry.address_id,
            address=AddressModel(**address),
            is_default=entry.is_default,
        )
        await self._events.publish_address_added(
            data,
            subject=customer.customer_id,
            correlationid=customer.customer_id,
            aggregateversion=customer.version,
        )

    async def payment_method_added(self, customer: Customer, method: PaymentMethod) -> None:
        """payment-method-added, without the token."""
        data = PaymentMethodAddedData(
            customer_id=customer.customer_id,
            payment_method_id=method.payment_method_id,
            type=_TYPES[method.type],
            is_default=method.is_default,
        )
        await self._events.publish_payment_method_added(
            data,
            subject=customer.customer_id,
            correlationid=customer.customer_id,
            aggregateversion=customer.version,
        )


def _profile(profile: Profile) -> CustomerProfile:
    return CustomerProfile(**{name: value for name, value in asdict(profile).items() if value is not None})
