"""The customer service on a real database, called over a real socket, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from shop.common.v1.address_pb2 import Address
from shop.customer.v1 import authentication_pb2, customer_pb2
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.runtime.grpc_server import GrpcServer

from harness.gateways.inprocess import RunningMock
from services.customer import api
from services.customer.adapters.passwords import Cost, Passwords
from services.customer.adapters.signing import AccessTokens, new_key
from services.customer.adapters.stripe import StripeCards
from services.customer.authentication import Authentication
from services.customer.authentication_handlers import AuthenticationHandlers
from services.customer.customers import Customers
from services.customer.domain import AttemptPolicy
from services.customer.handlers import CustomerEventsHandlers, CustomerHandlers
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.outbox import Outbox
from tests.services.served import serving

PASSWORD = "correct horse battery"
ATTEMPTS = AttemptPolicy(allowed=3)


@dataclass
class Clock:
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


@dataclass
class OpenOrders:
    """The order service's answer."""

    answer: bool = False

    async def under_way(self, customer_id: str) -> bool:
        return self.answer


@dataclass(frozen=True)
class Desk:
    customers: CustomerServiceClient
    authentication: AuthenticationServiceClient
    events: CustomerEventsHandlers
    database: Database
    orders: OpenOrders
    clock: Clock

    async def register(
        self, email: str = "ada@example.com", *, key: str = "", password: str = PASSWORD, **profile: object
    ) -> customer_pb2.Customer:
        request = customer_pb2.CreateCustomerRequest(
            email=email,
            password=password,
            profile=customer_pb2.CustomerProfile(**profile),  # type: ignore[arg-type] # the test knows the members
            idempotency_key=key or f"register-{email}",
        )
        return (await self.customers.create_customer(request)).customer

    async def connect(self) -> None:
        """Open all connections to the database, so that what comes next runs at the same time."""
        async with AsyncExitStack() as opened:
            for _ in range(10):
                await opened.enter_async_context(self.database.transaction())

    async def log_in(self, email: str = "ada@example.com", password: str = PASSWORD) -> authentication_pb2.TokenSet:
        request = authentication_pb2.AuthenticateRequest(email=email, password=password)
        return (await self.authentication.authenticate(request)).tokens

    async def refresh(self, token: str) -> authentication_pb2.TokenSet:
        request = authentication_pb2.RefreshTokenRequest(refresh_token=token)
        return (await self.authentication.refresh_token(request)).tokens

    async def add_address(
        self, customer_id: str, key: str, *, default: bool = False, **changes: str
    ) -> customer_pb2.CustomerAddress:
        request = customer_pb2.AddAddressRequest(
            customer_id=customer_id, address=address(**changes), make_default=default, idempotency_key=key
        )
        return (await self.customers.add_address(request)).address

    async def add_card(
        self, customer_id: str, key: str, named: str = "pm_card_visa", *, default: bool = False
    ) -> customer_pb2.PaymentMethod:
        source = customer_pb2.NewPaymentMethod(
            type=customer_pb2.PAYMENT_METHOD_TYPE_CARD,
            card=customer_pb2.CardSource(provider_token=named),
            make_default=default,
        )
        request = customer_pb2.AddPaymentMethodRequest(
            customer_id=customer_id, payment_method=source, idempotency_key=key
        )
        return (await self.customers.add_payment_method(request)).payment_method


def address(**changes: str) -> Address:
    members = {
        "recipient_name": "Ada Lovelace",
        "line1": "Unter den Linden 6",
        "city": "Berlin",
        "postal_code": "10117",
        "country_code": "DE",
        **changes,
    }
    return Address(**members)


@pytest.fixture
async def desk(service_database: Callable[[str], str], stripe_mock: RunningMock) -> AsyncIterator[Desk]:
    database = Database(service_database("customer"), "customer")
    clock, orders = Clock(), OpenOrders()
    customers = Customers(database, Outbox(database), orders, now=clock)
    passwords = Passwords(Cost(n=16, p=1))
    quick = Policy(attempts=2, first_wait=0.01, timeout=2.0, deadline=4.0)
    authentication = Authentication(database, passwords, AccessTokens([new_key()]), policy=ATTEMPTS, now=clock)
    server = GrpcServer()
    async with StripeCards("sk_test_123", base_url=stripe_mock.url, policy=quick) as cards:
        handlers = CustomerHandlers(customers, database, passwords, cards)
        api.bind(server, handlers, AuthenticationHandlers(authentication))
        async with (
            serving(server) as place,
            CustomerServiceClient(place) as client,
            AuthenticationServiceClient(place) as logging_in,
        ):
            events = CustomerEventsHandlers(customers, database)
            yield Desk(client, logging_in, events, database, orders, clock)
    await database.close()
