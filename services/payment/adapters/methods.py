"""Stored payment methods, which the customer service knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from shop.customer.v1 import customer_pb2
from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.runtime.errors import NotFound

from services.payment.errors import UnknownMethod
from services.payment.lifecycle import Provider


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is charged: a token in the words of the provider's adapter."""

    provider: Provider
    token: str = field(repr=False)


class Methods(Protocol):
    """Where stored payment methods are looked up."""

    async def resolve(self, customer_id: str, payment_method_id: str) -> Instrument:
        """What to charge. `UnknownMethod` when the customer has no such method."""
        ...


class CustomerMethods:
    """Asks the customer service."""

    def __init__(self, client: CustomerServiceClient) -> None:
        self._client = client

    async def resolve(self, customer_id: str, payment_method_id: str) -> Instrument:
        """What to charge."""
        asked = customer_pb2.ResolvePaymentMethodRequest(customer_id=customer_id, payment_method_id=payment_method_id)
        try:
            found = await self._client.resolve_payment_method(asked)
        except NotFound:
            raise UnknownMethod(payment_method_id) from None
        if found.type == customer_pb2.PAYMENT_METHOD_TYPE_CARD:
            return Instrument(Provider.STRIPE, found.provider_token)
        if found.type == customer_pb2.PAYMENT_METHOD_TYPE_PAYPAL:
            return Instrument(Provider.PAYPAL, f"agreement:{found.provider_token}")
        raise UnknownMethod(payment_method_id)
