"""The payment service as a process, with real engines, the mock of Stripe and a customer service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from shop.customer.v1 import customer_pb2
from shop.customer.v1.customer_grpc import CustomerServiceMethods
from shop.payment.v1 import payment_pb2
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.errors import NotFound, RpcError, Unauthenticated
from shop.runtime.grpc_server import Call, GrpcServer, unary

from harness.backends.postgres import Database
from harness.backends.redis import Redis
from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.receiver import Receiver
from tests.services.payment.conftest import WEBHOOK_SECRET
from tests.services.payment.examples import charge, ingested, refund
from tests.services.processes import service_process
from tests.services.streamed import events

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SUCCEEDED = payment_pb2.PAYMENT_STATUS_SUCCEEDED


async def resolve(
    request: customer_pb2.ResolvePaymentMethodRequest, call: Call
) -> customer_pb2.ResolvePaymentMethodResponse:
    """The customer service, as far as it is asked."""
    if request.payment_method_id != "pm_visa":
        raise NotFound("no such payment method")
    return customer_pb2.ResolvePaymentMethodResponse(
        type=customer_pb2.PAYMENT_METHOD_TYPE_CARD, provider_token="pm_card_visa"
    )


@pytest.fixture
async def environment(postgres: Database, redis: Redis, stripe_mock: RunningMock) -> AsyncIterator[dict[str, str]]:
    customers = GrpcServer(health=False, reflection=False)
    customers.add("customer.v1.CustomerService", [unary(CustomerServiceMethods.RESOLVE_PAYMENT_METHOD, resolve)])
    async with customers:
        yield {
            "DATABASE_URL": postgres.dsn,
            "REDIS_URL": redis.url,
            "CUSTOMER_ADDRESS": customers.address,
            "STRIPE_URL": stripe_mock.url,
            "STRIPE_SECRET_KEY": "sk_test_123",
            "STRIPE_WEBHOOK_SECRETS": f"whsec_old,{WEBHOOK_SECRET}",
            "PROCESSING_TIMEOUT": "2",
            "DRAIN": "5",
        }


async def test_it_charges_digests_webhooks_pays_back_and_drains(
    environment: dict[str, str], redis: Redis, stripe_mock: RunningMock, hooks: Receiver
) -> None:
    with service_process("payment", settings=environment) as process:
        async with PaymentServiceClient(process.address) as client:
            paid = (await client.process_payment(charge())).payment
            assert paid.status == SUCCEEDED
            with pytest.raises(NotFound):
                await client.process_payment(charge("ord_2", payment_method_id="pm_none"))
            (webhook,) = await asyncio.to_thread(hooks.wait, 1)
            await client.ingest_webhook(ingested(webhook))
            bad = ingested(webhook)
            bad.signature = bad.signature.replace("v1=", "v1=0")
            with pytest.raises(Unauthenticated):
                await client.ingest_webhook(bad)
            await client.refund_payment(refund(paid.payment_id))
            assert len(await events(redis, "payment-refunded", 1)) == 1
            assert len(await events(redis, "payment-processing", 1)) == 1
            assert len(await events(redis, "payment-succeeded", 1)) == 1
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0
        log = process.output()
    assert stripe_mock.control.totals()["refund"] == {"EUR": 3569}
    for secret in ("sk_test_123", WEBHOOK_SECRET, "pm_card_visa"):
        assert secret not in log


async def test_killed_between_effect_and_commit_it_charges_once_and_tells_it_once(
    environment: dict[str, str], redis: Redis, stripe_mock: RunningMock
) -> None:
    stripe_mock.control.script({"answer_delay": 60.0}, operation="createPaymentIntent")
    with service_process("payment", settings=environment) as process:
        async with PaymentServiceClient(process.address) as client:
            calling = asyncio.create_task(client.process_payment(charge()))
            async with asyncio.timeout(20):
                while True:
                    if await asyncio.to_thread(stripe_mock.control.ledger, "charge"):
                        break
                    await asyncio.sleep(0.05)
            process.kill()
            with pytest.raises(RpcError):
                await calling
    with service_process("payment", settings=environment) as restarted:
        async with PaymentServiceClient(restarted.address) as client:
            assert (await client.process_payment(charge())).payment.status == SUCCEEDED
        assert len(await events(redis, "payment-succeeded", 1)) == 1
        restarted.terminate()
        assert await asyncio.to_thread(restarted.wait) == 0
    assert stripe_mock.control.totals()["charge"] == {"EUR": 3569}
