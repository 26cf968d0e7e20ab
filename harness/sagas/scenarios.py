"""Sagas over the running platform: what the customer does, what goes wrong, how it must end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from harness.environment.running import Environment

CONFIRMED, FAILED, REFUNDED = "ORDER_STATUS_CONFIRMED", "ORDER_STATUS_FAILED", "ORDER_STATUS_REFUNDED"
GOOD_CARD, DECLINED_CARD = "pm_card_visa", "pm_card_chargeDeclined"
PRODUCT = "prd_tea_green"
LAST_ONE = "prd_kettle_copper"
"""There is one, and nobody is to get it."""
WAIT = 30.0
_REPEATED = ("order-created", "order-processing", "payment-succeeded", "order-status-changed", "stock-reserved")

Before = Callable[[Environment], None]
During = Callable[[Environment, str], None]
"""Called with the order as soon as the checkout is confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One saga. `before` prepares a fault, `during` acts while the order is under way, `after` once it has ended."""

    name: str
    ending: str
    reason: str = ""
    card: str = GOOD_CARD
    product: str = PRODUCT
    quantity: int = 2
    before: Before | None = None
    during: During | None = None
    after: During | None = None
    needs_charges: int = 1
    """Charges of the payment gateway that the order leaves, failed ones included."""


def lose_the_answer(environment: Environment) -> None:
    """Stripe charges, and its answer does not arrive."""
    environment.mocks.stripe.control.script({"lost": True}, operation="createPaymentIntent")


def slow_answer(environment: Environment) -> None:
    """Stripe charges at once and answers late, so that there is time to act in between."""
    environment.mocks.stripe.control.script({"answer_delay": 2.0}, operation="createPaymentIntent")


def kill_checkout_after_the_charge(environment: Environment, order_id: str) -> None:
    """SIGKILL while the payment service waits for Stripe's answer; started again a moment later."""
    wait_for_charge(environment, order_id)
    checkout = environment.services["checkout"]
    checkout.kill9()
    time.sleep(0.5)
    checkout.start()
    checkout.wait_ready()


def kill_payment_after_the_charge(environment: Environment, order_id: str) -> None:
    """SIGKILL between Stripe's effect and its answer."""
    wait_for_charge(environment, order_id)
    payment = environment.services["payment"]
    payment.kill9()
    time.sleep(0.5)
    payment.start()
    payment.wait_ready()


def restart_redis(environment: Environment, _order_id: str) -> None:
    """SIGKILL, and a start with what was on disk."""
    environment.backends.redis.kill9()
    time.sleep(1.0)
    environment.backends.redis.start()


def deliver_events_again(environment: Environment, order_id: str) -> None:
    """Every event of the order is published once more, with the identifiers that it has."""
    with redis.Redis.from_url(environment.backends.redis.direct_url, socket_timeout=5.0) as client:
        for stream in _REPEATED:
            entries: Any = client.xrange(stream)
            for _, fields in entries:
                if order_id.encode() in fields.get(b"data", b""):
                    client.xadd(stream, fields)


def wait_for_charge(environment: Environment, order_id: str) -> None:
    """Until Stripe has charged for the order. AssertionError when it does not in time."""
    limit = time.monotonic() + WAIT
    while not charges(environment, order_id):
        assert time.monotonic() < limit, f"no charge for {order_id} within {WAIT:g} s"  # noqa: S101 part of a check
        time.sleep(0.02)


def charges(environment: Environment, order_id: str) -> list[Mapping[str, Any]]:
    """What Stripe has charged for the order."""
    found = environment.mocks.stripe.control.ledger("charge")
    return [entry for entry in found if entry["reference"] == order_id]


SCENARIOS = (
    Scenario(name="the good way", ending=CONFIRMED),
    Scenario(name="the card is declined", ending=FAILED, reason="PAYMENT_DECLINED", card=DECLINED_CARD),
    Scenario(
        name="out of stock after payment, paid back",
        ending=REFUNDED,
        reason="OUT_OF_STOCK",
        product=LAST_ONE,
    ),
    Scenario(name="Stripe's answer is lost after the capture", ending=CONFIRMED, before=lose_the_answer),
    Scenario(
        name="checkout is killed after the charge",
        ending=CONFIRMED,
        before=slow_answer,
        during=kill_checkout_after_the_charge,
    ),
    Scenario(
        name="payment is killed after the charge",
        ending=CONFIRMED,
        before=slow_answer,
        during=kill_payment_after_the_charge,
    ),
    Scenario(name="Redis is killed and restarted on the way", ending=CONFIRMED, during=restart_redis),
    Scenario(name="every event is delivered twice", ending=CONFIRMED, after=deliver_events_again),
)
