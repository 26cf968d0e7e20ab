"""The customer service as a process: real engines, Stripe's mock, an order service, SIGTERM and SIGKILL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.json_format import MessageToDict
from redis import Redis as RedisClient
from shop.customer.v1 import authentication_pb2, customer_pb2
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.order.v1 import order_pb2
from shop.order.v1.order_grpc import OrderServiceMethods
from shop.runtime.errors import FailedPrecondition, Unavailable
from shop.runtime.grpc_server import Call, GrpcServer, unary

from harness.backends.postgres import Database
from harness.backends.redis import Redis
from harness.gateways.inprocess import RunningMock
from services.platform.security import KeySet, TokenVerifier
from tests.services.customer.conftest import PASSWORD
from tests.services.customer.test_authentication import pem
from tests.services.processes import service_process
from tests.services.served import reason, serving

pytestmark = pytest.mark.slow
TOPICS = ("customer-created", "payment-method-added", "customer-deleted")


class Orders:
    """An order service with so many orders under way."""

    def __init__(self) -> None:
        self.under_way = 1
        self.server = GrpcServer()
        self.server.add("order.v1.OrderService", [unary(OrderServiceMethods.LIST_ORDERS, self.list_orders)])

    async def list_orders(self, request: order_pb2.ListOrdersRequest, call: Call, /) -> order_pb2.ListOrdersResponse:
        orders = [order_pb2.Order(order_id=f"ord_{number}") for number in range(self.under_way)]
        return order_pb2.ListOrdersResponse(orders=orders)


@pytest.fixture
async def orders() -> AsyncIterator[tuple[Orders, str]]:
    found = Orders()
    async with serving(found.server) as address:
        yield found, address


async def published(url: str) -> list[str]:
    """Types of the events, in the order of TOPICS, once there is one of each."""
    found: list[str] = []
    with RedisClient.from_url(url) as client:
        for _ in range(200):
            found = [json.loads(fields[b"data"])["type"] for topic in TOPICS for _, fields in client.xrange(topic)]
            if len(found) >= len(TOPICS):
                return found
            await asyncio.sleep(0.05)
    raise AssertionError(f"only {found} were published")


async def test_from_registration_to_erasure_across_a_kill(
    postgres: Database, redis: Redis, stripe_mock: RunningMock, orders: tuple[Orders, str]
) -> None:
    ordering, order_address = orders
    settings = {
        "STRIPE_URL": stripe_mock.url,
        "STRIPE_SECRET_KEY": "sk_test_123",
        "ORDER_ADDRESS": order_address,
        "SIGNING_KEYS": pem(ec.generate_private_key(ec.SECP256R1())),
    }
    log_in = authentication_pb2.AuthenticateRequest(email="ada@example.com", password=PASSWORD)
    with service_process("customer", database_url=postgres.dsn, redis_url=redis.url, settings=settings) as first:
        async with (
            CustomerServiceClient(first.address) as customers,
            AuthenticationServiceClient(first.address) as authentication,
        ):
            wanted = customer_pb2.CreateCustomerRequest(email="ada@example.com", password=PASSWORD, idempotency_key="r")
            made = (await customers.create_customer(wanted)).customer
            tokens = (await authentication.authenticate(log_in)).tokens
            source = customer_pb2.NewPaymentMethod(
                type=customer_pb2.PAYMENT_METHOD_TYPE_CARD, card=customer_pb2.CardSource(provider_token="pm_card_visa")
            )
            card = customer_pb2.AddPaymentMethodRequest(
                customer_id=made.customer_id, payment_method=source, idempotency_key="c"
            )
            stored = (await customers.add_payment_method(card)).payment_method
            assert stored.card.last4 == "4242"
        first.kill()
        said = first.output()
    with service_process("customer", database_url=postgres.dsn, redis_url=redis.url, settings=settings) as second:
        async with (
            CustomerServiceClient(second.address) as customers,
            AuthenticationServiceClient(second.address) as authentication,
        ):

            async def fetch() -> Mapping[str, Any]:
                keys = await authentication.get_signing_keys(authentication_pb2.GetSigningKeysRequest())
                return MessageToDict(keys, preserving_proto_field_name=True)

            principal = await TokenVerifier(KeySet(fetch)).verify(tokens.access_token)
            assert principal.subject == made.customer_id
            assert (await customers.create_customer(wanted)).customer == made
            erase = customer_pb2.DeleteCustomerRequest(customer_id=made.customer_id)
            with pytest.raises(FailedPrecondition) as refused:
                await customers.delete_customer(erase)
            assert reason(refused.value).code == "OPEN_ORDERS"
            ordering.under_way = 0
            await customers.delete_customer(erase)
            assert await published(redis.url) == list(TOPICS)
        second.terminate()
        assert second.wait() == 0
        said += second.output()
    for secret in (
        PASSWORD,
        "ada@example.com",
        tokens.access_token,
        tokens.refresh_token,
        "sk_test_123",
        "PRIVATE KEY",
    ):
        assert secret not in said


async def test_without_stripe_and_without_orders_the_rest_is_served_and_what_needs_them_says_so(
    postgres: Database, redis: Redis
) -> None:
    settings = {"ORDER_ADDRESS": "127.0.0.1:1"}
    with service_process("customer", database_url=postgres.dsn, redis_url=redis.url, settings=settings) as service:
        assert "no CUSTOMER_STRIPE_SECRET_KEY" in service.output()
        assert "no CUSTOMER_SIGNING_KEYS" in service.output()
        async with CustomerServiceClient(service.address) as customers:
            wanted = customer_pb2.CreateCustomerRequest(email="ada@example.com", password=PASSWORD, idempotency_key="r")
            made = (await customers.create_customer(wanted)).customer
            source = customer_pb2.NewPaymentMethod(
                type=customer_pb2.PAYMENT_METHOD_TYPE_CARD, card=customer_pb2.CardSource(provider_token="pm_card_visa")
            )
            card = customer_pb2.AddPaymentMethodRequest(
                customer_id=made.customer_id, payment_method=source, idempotency_key="c"
            )
            with pytest.raises(Unavailable):
                await customers.add_payment_method(card, deadline=2.0)
        async with CustomerServiceClient(service.address) as customers:  # with a circuit breaker of its own
            erase = customer_pb2.DeleteCustomerRequest(customer_id=made.customer_id)
            with pytest.raises(Unavailable):
                await customers.delete_customer(erase, deadline=20.0)
        async with CustomerServiceClient(service.address) as customers:
            found = await customers.get_customer(customer_pb2.GetCustomerRequest(customer_id=made.customer_id))
            assert found.customer == made
