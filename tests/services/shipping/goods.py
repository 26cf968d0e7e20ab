"""What the tests of both carriers ship."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

from harness.gateways.inprocess import RunningMock
from services.platform.gateways.calling import Policy
from services.platform.gateways.keys import idempotency_key
from services.platform.gateways.once import Search
from services.shipping.domain import Address, Earlier, Parcel, PickupRequest, RateRequest, ShipmentRequest

QUICK = Policy(first_wait=0.01, longest_wait=0.02, timeout=5.0, deadline=10.0)
SOON = Search(settle=0.05, every=0.02)
HOURS = 3600.0
WAREHOUSE = Address(
    name="Teapots Inc", line1="1 Main St", city="Memphis", region="TN", postal_code="38116", country="US",
    phone="+19015550100",
)  # fmt: skip
HOME = Address(
    name="Grace Hopper", line1="5 Oak Ave", line2="Apt 7", city="Austin", region="TX", postal_code="78701",
    country="US", phone="+15125551234", residential=True,
)  # fmt: skip
PARIS = Address(name="Marie Curie", line1="1 Rue de Rivoli", city="Paris", postal_code="75001", country="FR")
HAMBURG = Address(
    name="Teekannen", line1="Am Markt 1", city="Hamburg", postal_code="20095", country="DE", phone="+4940"
)
MUNICH = Address(name="Ada Lovelace", line1="Weg 2", city="Munich", postal_code="80331", country="DE", phone="+4989")
SMALL = Parcel(weight_grams=1800, length_mm=250, width_mm=200, height_mm=150)
LARGE = Parcel(weight_grams=9000, length_mm=500, width_mm=400, height_mm=300)
PRIVATE = ("Grace", "Hopper", "Oak Ave", "Apt 7", "Main St", "Teapots", "5551234", "5550100", "78701", "the-secret")
"""What neither logs nor errors show."""

# What may happen to the answer of a call whose effect took place, and to a call without one.
SPOILED = [{"lost": True}, {"truncate": 10}, {"hang": 0.05}, {"answer_html": 502}, {"answer_status": 500}]
NOT_DONE = [{"status": 500}, {"status": 503}, {"html": 502}, {"reset": True}]


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def rate_request(**more: Any) -> RateRequest:
    return RateRequest(**{"origin": WAREHOUSE, "destination": HOME, "parcels": (SMALL,), **more})


def pickup_request(order: str = "o1", **more: Any) -> PickupRequest:
    given = {
        "day": datetime.now(UTC).date() + timedelta(days=2),
        "ready": time(9),
        "closes": time(17),
        "parcels": (SMALL, LARGE),
    }
    return PickupRequest(**{"key": idempotency_key(order, "pickup"), "address": WAREHOUSE, **given, **more})


def shipment_request(service: str, order: str = "o1", **more: Any) -> ShipmentRequest:
    given: dict[str, Any] = {"origin": WAREHOUSE, "destination": HOME, "parcels": (SMALL,)}
    return ShipmentRequest(
        **{"key": idempotency_key(order, "ship"), "order_id": order, "service": service, **given, **more}
    )


def just_now() -> Earlier:
    return Earlier(first=datetime.now(UTC) - timedelta(seconds=2), last=datetime.now(UTC))


def long_ago(days: float) -> Earlier:
    first = datetime.now(UTC) - timedelta(days=days)
    return Earlier(first=first, last=first)


def operations(mock: RunningMock) -> list[str]:
    """Without those for access tokens."""
    return [each["operation"] for each in mock.control.requests() if each["operation"] != "createToken"]


def tokens(mock: RunningMock) -> int:
    return len(mock.control.requests("createToken"))


async def has_entries(mock: RunningMock) -> None:
    """Wait for the first effect."""
    for _ in range(500):
        if await asyncio.to_thread(mock.control.ledger):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
