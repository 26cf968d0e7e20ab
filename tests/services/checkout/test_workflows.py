"""The durable workflow of an order on a real database, with the services around it as small servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from dbos import DBOS, WorkflowHandleAsync
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.payment.v1.payment_pb2 import (
    PAYMENT_STATUS_FAILED,
    PAYMENT_STATUS_PENDING,
    PAYMENT_STATUS_REQUIRES_ACTION,
    PAYMENT_STATUS_SUCCEEDED,
)
from shop.runtime.context import trace_scope
from shop.runtime.errors import FailedPrecondition, NotFound, RpcError, Unavailable

from harness.backends.postgres import Database as OwnDatabase
from services.checkout.adapters.orders import Orders
from services.checkout.adapters.payments import Due, Payments
from services.checkout.adapters.steps import Patience, Steps
from services.checkout.adapters.workflows import OrderWorkflows, WorkflowSettings, id_of
from services.checkout.domain.saga import News
from services.platform.refusals import refusal
from services.platform.telemetry import Telemetry
from tests.services.checkout.conftest import QUICK
from tests.services.checkout.shop import Shop
from tests.services.platform.reading import until

DUE = Due(order_id="ord_1", customer_id="cus_ada", payment_method_id="pm_1", minor_units=3569, currency="EUR")
PATIENCE = Patience(charge=0.6, look=0.3, first_pause=0.02, longest_pause=0.1)


@asynccontextmanager
async def workflows(postgres: OwnDatabase, shop: Shop, wait: float = 20.0) -> AsyncIterator[OrderWorkflows]:
    """Workflows of the executor `one`."""
    async with (
        OrderServiceClient(shop.address, options=QUICK) as order,
        PaymentServiceClient(shop.address, options=QUICK) as payment,
    ):
        settings = WorkflowSettings(
            url=postgres.dsn, schema="checkout_workflows", executor="one", version="1", wait=wait, pool_size=4
        )
        found = OrderWorkflows(settings, Steps(Orders(order), Payments(payment), PATIENCE), Telemetry("checkout"))
        await found.start()
        try:
            yield found
        finally:
            await found.stop(1.0)


async def ending(within: float = 20.0) -> str:
    """How the workflow of the order ended."""
    handle: WorkflowHandleAsync[str] = await DBOS.retrieve_workflow_async(id_of(DUE.order_id))
    async with asyncio.timeout(within):
        return await handle.get_result()


def raising(error: RpcError, times: int = 10**6) -> Callable[[], None]:
    """A hook that fails so often."""
    left = [times]

    def hook() -> None:
        if left[0] > 0:
            left[0] -= 1
            raise error

    return hook


async def test_an_order_is_charged_once_and_completed_however_often_it_is_begun_and_told(
    postgres: OwnDatabase, shop: Shop
) -> None:
    async with workflows(postgres, shop) as running:
        with trace_scope() as trace:
            await asyncio.gather(*(running.begin(DUE) for _ in range(5)))
        for _ in range(3):
            assert await running.tell("ord_1", News.CONFIRMED, "evt-1")
        assert await ending() == "COMPLETED"
        await running.begin(DUE)
        assert await ending() == "COMPLETED"
        assert not await running.tell("ord_none", News.CONFIRMED, "evt-2")
    assert shop.effects == ["charge"]
    assert set(shop.traces) == {trace.trace_id}
    (charge,) = shop.charges
    assert charge == "ord_1/charge"


async def test_a_declined_charge_ends_the_workflow_with_nothing_to_undo(postgres: OwnDatabase, shop: Shop) -> None:
    shop.charge_status = PAYMENT_STATUS_FAILED
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        assert await ending() == "FAILED"
    assert shop.effects == ["charge"]


async def test_a_shortage_pays_the_customer_back_and_leaves_the_order_to_its_service(
    postgres: OwnDatabase, shop: Shop
) -> None:
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        await running.tell("ord_1", News.SHORTAGE, "evt-1")
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["charge", "refund"]
    assert shop.refunds["ord_1/refund"].reason == 2


async def test_silence_is_undone_in_reverse_order(postgres: OwnDatabase, shop: Shop) -> None:
    async with workflows(postgres, shop, wait=0.2) as running:
        await running.begin(DUE)
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["charge", "refund", "cancel"]
    assert shop.cancelled["ord_1/cancel"].reason == "TIMED_OUT"
    assert shop.refunds["ord_1/refund"].reason == 3


@pytest.mark.slow
async def test_news_that_was_lost_is_read_from_the_order(postgres: OwnDatabase, shop: Shop) -> None:
    shop.statuses["ord_1"] = "CONFIRMED"
    async with workflows(postgres, shop, wait=0.2) as running:
        await running.begin(DUE)
        assert await ending() == "COMPLETED"
    assert shop.effects == ["charge"]


@pytest.mark.slow
async def test_a_charge_that_is_not_answered_is_repeated_with_its_key(postgres: OwnDatabase, shop: Shop) -> None:
    shop.hooks["ProcessPayment after"] = raising(Unavailable("lost"), times=3)
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        await running.tell("ord_1", News.CONFIRMED, "evt-1")
        assert await ending() == "COMPLETED"
    assert shop.effects == ["charge"]
    assert shop.calls.count("ProcessPayment") > 1


async def test_a_charge_that_landed_and_was_never_answered_is_paid_back(postgres: OwnDatabase, shop: Shop) -> None:
    shop.hooks["ProcessPayment after"] = raising(Unavailable("lost"))
    shop.hooks["RefundPayment after"] = raising(Unavailable("lost"), times=3)
    shop.hooks["CancelOrder before"] = raising(Unavailable("away"), times=3)
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["charge", "refund", "cancel"]
    assert shop.cancelled["ord_1/cancel"].reason == "PAYMENT_UNAVAILABLE"


@pytest.mark.slow
async def test_a_charge_that_never_arrived_leaves_only_the_order_to_cancel(postgres: OwnDatabase, shop: Shop) -> None:
    shop.hooks["ProcessPayment before"] = raising(Unavailable("away"))
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["cancel"]


@pytest.mark.slow
@pytest.mark.parametrize("error", [NotFound("no such payment method"), FailedPrecondition("no")])
async def test_a_charge_that_is_refused_cancels_the_order(postgres: OwnDatabase, shop: Shop, error: RpcError) -> None:
    shop.hooks["ProcessPayment before"] = raising(error)
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["cancel"]
    assert shop.cancelled["ord_1/cancel"].reason == "PAYMENT_REFUSED"


@pytest.mark.slow
async def test_a_payment_the_provider_has_not_decided_is_waited_for_before_it_is_paid_back(
    postgres: OwnDatabase, shop: Shop
) -> None:
    shop.charge_status = PAYMENT_STATUS_PENDING

    def decide() -> None:
        if shop.calls.count("GetPaymentStatus") >= 3:
            shop.charges["ord_1/charge"].status = PAYMENT_STATUS_SUCCEEDED

    shop.hooks["GetPaymentStatus before"] = decide
    async with workflows(postgres, shop, wait=0.1) as running:
        await running.begin(DUE)
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["charge", "refund", "cancel"]


@pytest.mark.slow
async def test_a_customer_who_does_not_approve_has_nothing_to_be_paid_back(postgres: OwnDatabase, shop: Shop) -> None:
    shop.charge_status = PAYMENT_STATUS_REQUIRES_ACTION
    async with workflows(postgres, shop, wait=0.1) as running:
        await running.begin(DUE)
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["charge", "cancel"]


@pytest.mark.slow
async def test_an_order_that_ended_by_itself_is_left_alone(postgres: OwnDatabase, shop: Shop) -> None:
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        await running.tell("ord_1", News.CLOSED, "evt-1")
        assert await ending() == "CLOSED"
    assert shop.effects == ["charge"]


@pytest.mark.slow
async def test_a_refund_that_is_refused_for_good_is_put_aside_for_people(postgres: OwnDatabase, shop: Shop) -> None:
    shop.hooks["RefundPayment before"] = raising(refusal(FailedPrecondition, "NOT_REFUNDABLE", "no"))
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        await running.tell("ord_1", News.SHORTAGE, "evt-1")
        assert await ending() == "PARKED"


@pytest.mark.slow
async def test_a_workflow_that_waits_is_gone_on_with_after_an_orderly_stop(postgres: OwnDatabase, shop: Shop) -> None:
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        await until(lambda: shop.effects == ["charge"])
    async with workflows(postgres, shop) as running:
        await running.tell("ord_1", News.SHORTAGE, "evt-1")
        assert await ending() == "COMPENSATED"
    assert shop.effects == ["charge", "refund"]


@pytest.mark.slow
async def test_a_step_under_way_at_an_orderly_stop_is_finished_later(postgres: OwnDatabase, shop: Shop) -> None:
    shop.hooks["ProcessPayment before"] = raising(Unavailable("away"))
    async with workflows(postgres, shop) as running:
        await running.begin(DUE)
        await until(lambda: shop.calls)
    shop.hooks.clear()
    async with workflows(postgres, shop) as running:
        await running.tell("ord_1", News.CONFIRMED, "evt-1")
        assert await ending() in ("COMPLETED", "COMPENSATED")
    assert shop.effects in (["charge"], ["cancel"])
