"""Charges that are left open: no answer came, no webhook, and nobody asks again."""

from __future__ import annotations

import pytest
from shop.payment.v1 import payment_pb2
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.errors import Unavailable

from harness.gateways.inprocess import RunningMock
from services.payment.settling import Settler
from services.platform.database import Database
from tests.services.payment.conftest import Service
from tests.services.payment.examples import charge

SUCCEEDED, FAILED, PENDING = (
    payment_pb2.PAYMENT_STATUS_SUCCEEDED,
    payment_pb2.PAYMENT_STATUS_FAILED,
    payment_pb2.PAYMENT_STATUS_PENDING,
)


async def left_open(client: PaymentServiceClient, mock: RunningMock, outcome: dict[str, object]) -> None:
    mock.control.script(outcome, operation="createPaymentIntent")
    with pytest.raises(Unavailable):
        await client.process_payment(charge())


async def status(client: PaymentServiceClient) -> int:
    asked = payment_pb2.GetPaymentStatusRequest(order_id="ord_1")
    return (await client.get_payment_status(asked)).payment.status


async def test_a_charge_that_happened_is_found_and_told_once(
    client: PaymentServiceClient, service: Service, database: Database, stripe_mock: RunningMock
) -> None:
    await left_open(client, stripe_mock, {"lost": True})
    settler = Settler(database, service.charging, idle=0.0, abandon=60.0)
    assert [await settler.settle_once(), await settler.settle_once()] == [1, 0]
    assert await status(client) == SUCCEEDED
    assert len(await service.told("payment-succeeded")) == 1


async def test_a_charge_that_did_not_happen_waits_before_it_is_given_up(
    client: PaymentServiceClient, service: Service, database: Database, stripe_mock: RunningMock
) -> None:
    await left_open(client, stripe_mock, {"status": 503})
    await Settler(database, service.charging, idle=0.0, abandon=60.0).settle_once()
    assert await status(client) == PENDING
    await Settler(database, service.charging, idle=0.0, abandon=0.0).settle_once()
    assert await status(client) == FAILED
    assert len(await service.told("payment-failed")) == 1
    assert "charge" not in stripe_mock.control.totals()


async def test_a_charge_is_left_alone_while_it_is_new_or_stripe_does_not_answer(
    client: PaymentServiceClient, service: Service, database: Database, stripe_mock: RunningMock
) -> None:
    await left_open(client, stripe_mock, {"status": 503})
    assert await Settler(database, service.charging, idle=60.0, abandon=0.0).settle_once() == 0
    stripe_mock.control.script({"status": 503}, operation="listPaymentIntents")
    assert await Settler(database, service.charging, idle=0.0, abandon=0.0).settle_once() == 1
    assert await status(client) == PENDING
