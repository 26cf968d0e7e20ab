"""The process of the service is killed with SIGKILL before and after each of its effects, and started again.

Real Postgres, real Redis, the services around it as real gRPC servers: these kill the process when a call reaches
them, before its effect or after it and before the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.runtime.errors import TreatyError, Unavailable
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.resilience import NO_RETRIES

from harness.backends.postgres import Database as OwnDatabase
from harness.backends.redis import Redis
from services.platform.redis_streams import RedisStreams
from tests.services.checkout.buying import Buyer
from tests.services.checkout.happening import order_processing, order_status, published, shortage
from tests.services.checkout.processes import Process, process
from tests.services.checkout.shop import Shop
from tests.services.platform.reading import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ORDER = "ord_1"
QUICK = {"CHECKOUT_WORKFLOW_WAIT": "60", "CHECKOUT_DRAIN": "3", "CHECKOUT_PROCESSING_TIMEOUT": "1.5"}
"""A reader that died is replaced after a second and a half, not a minute."""
RECOVERY = 30.0
LEASE = 3.2
"""Seconds for which a process that died holds an idempotency key."""


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    found = RedisStreams(redis.url)
    yield found
    await found.close()


@pytest.fixture
async def checkout(postgres: OwnDatabase, redis: Redis, shop: Shop, tmp_path: Path) -> AsyncIterator[Process]:
    """The service, running."""
    with process(postgres.dsn, redis.url, shop.address, tmp_path / "checkout.log", **QUICK) as found:
        await found.start()
        yield found


class Killing:
    """A hook that kills the process the first time a call comes to its place."""

    def __init__(self, victim: Process) -> None:
        self.victim = victim
        self.killed = asyncio.Event()

    def __call__(self) -> None:
        if not self.killed.is_set():
            self.killed.set()
            self.victim.kill()
            raise Unavailable("nobody is there to hear this")


async def kill_at(checkout: Process, shop: Shop, place: str) -> Killing:
    shop.hooks[place] = hook = Killing(checkout)
    return hook


async def recovered(checkout: Process, hook: Killing) -> None:
    async with asyncio.timeout(RECOVERY):
        await hook.killed.wait()
    await checkout.start()


async def process_order(streams: RedisStreams) -> None:
    await streams.publish("order-processing", published(order_processing(ORDER)))


async def ended(shop: Shop, checkout: Process, how: str) -> None:
    await until(lambda: f"order {ORDER}: workflow ended: {how}" in checkout.said, within=RECOVERY)


@pytest.mark.parametrize("place", ["ProcessPayment before", "ProcessPayment after"])
async def test_a_crash_at_the_charge_charges_once(
    checkout: Process, shop: Shop, streams: RedisStreams, place: str
) -> None:
    hook = await kill_at(checkout, shop, place)
    await process_order(streams)
    await recovered(checkout, hook)
    await until(lambda: shop.calls.count("ProcessPayment") == 2, within=RECOVERY)
    await streams.publish("order-status-changed", published(order_status(ORDER, "CONFIRMED")))
    await ended(shop, checkout, "COMPLETED")
    assert shop.effects == ["charge"]


async def test_a_crash_while_it_waits_for_stock_goes_on_waiting(
    checkout: Process, shop: Shop, streams: RedisStreams
) -> None:
    await process_order(streams)
    await until(lambda: shop.effects == ["charge"], within=RECOVERY)
    await asyncio.sleep(0.3)
    checkout.kill()
    await streams.publish("stock-reservation-failed", published(shortage(ORDER)))
    await checkout.start()
    await ended(shop, checkout, "COMPENSATED")
    assert shop.effects == ["charge", "refund"]
    assert shop.calls.count("ProcessPayment") == 1


@pytest.mark.parametrize("place", ["RefundPayment before", "RefundPayment after"])
async def test_a_crash_at_the_refund_pays_back_once(
    checkout: Process, shop: Shop, streams: RedisStreams, place: str
) -> None:
    hook = await kill_at(checkout, shop, place)
    await process_order(streams)
    await until(lambda: shop.effects == ["charge"], within=RECOVERY)
    await streams.publish("stock-reservation-failed", published(shortage(ORDER)))
    await recovered(checkout, hook)
    await ended(shop, checkout, "COMPENSATED")
    assert shop.effects == ["charge", "refund"]
    assert shop.calls.count("ProcessPayment") == 1


@pytest.mark.parametrize("place", ["GetOrder before", "RefundPayment after", "CancelOrder before", "CancelOrder after"])
async def test_a_crash_on_the_way_back_undoes_each_effect_once_in_reverse_order(
    postgres: OwnDatabase, redis: Redis, shop: Shop, tmp_path: Path, streams: RedisStreams, place: str
) -> None:
    with process(
        postgres.dsn,
        redis.url,
        shop.address,
        tmp_path / "checkout.log",
        **{**QUICK, "CHECKOUT_WORKFLOW_WAIT": "0.5"},
    ) as checkout:
        await checkout.start()
        hook = await kill_at(checkout, shop, place)
        await process_order(streams)
        await recovered(checkout, hook)
        await ended(shop, checkout, "COMPENSATED")
    assert shop.effects == ["charge", "refund", "cancel"]


@pytest.mark.parametrize("place", ["CreateOrder before", "CreateOrder after"])
async def test_a_crash_at_the_order_makes_one_order_when_the_customer_tries_again(
    checkout: Process, shop: Shop, place: str
) -> None:
    options = ClientOptions(timeout=10.0, retry=NO_RETRIES, breaker=None)
    async with (
        CartServiceClient(checkout.address, options=options) as carts,
        CheckoutServiceClient(checkout.address, options=options) as checkouts,
    ):
        ada = Buyer(carts, checkouts)
        checkout_id = await ada.start(await ada.cart())
        total = (await ada.preview(checkout_id)).total
        hook = await kill_at(checkout, shop, place)
        with pytest.raises(TreatyError):
            await ada.confirm(checkout_id, total, key="k")
        crashed = asyncio.get_running_loop().time()
        await recovered(checkout, hook)
    async with (
        CartServiceClient(checkout.address, options=options) as carts,
        CheckoutServiceClient(checkout.address, options=options) as checkouts,
    ):
        ada = Buyer(carts, checkouts)
        await asyncio.sleep(max(0.0, crashed + LEASE - asyncio.get_running_loop().time()))
        assert await ada.confirm(checkout_id, total, key="k") == shop.order_id(checkout_id)
        assert await ada.status(checkout_id) == ("CONFIRMED", "")
    assert shop.effects == ["order"]


async def test_an_orderly_stop_drains_and_a_bad_event_holds_nothing_up(
    checkout: Process, shop: Shop, streams: RedisStreams, redis: Redis, postgres: OwnDatabase
) -> None:
    poison = published(order_processing("ord_bad"))
    await streams.publish("order-processing", type(poison)(body=b'{"no":"event"}', ordering_key="ord_bad"))
    await process_order(streams)
    await until(lambda: shop.effects == ["charge"], within=RECOVERY)
    assert await checkout.terminate() == 0
    assert postgres.dsn not in checkout.said
    assert redis.url not in checkout.said
    assert await streams.client.xlen("order-processing-dead-letter") == 1
    await checkout.start()
    await streams.publish("order-status-changed", published(order_status(ORDER, "CONFIRMED")))
    await ended(shop, checkout, "COMPLETED")
    assert shop.calls.count("ProcessPayment") == 1
