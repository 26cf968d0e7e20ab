"""What ReserveStock answered, as it is stored with its idempotency key."""

from __future__ import annotations

import json

from services.warehouse.domain import Available, Lack, Reservation, Shortage


def reservation(made: Reservation) -> bytes:
    """A reservation, by its id: a repetition shows the state that it is in by then."""
    return json.dumps({"reservation": made.reservation_id}).encode()


def shortage(found: Shortage) -> bytes:
    """What was missing at the time."""
    lines = [[each.product_id, each.requested, each.available] for each in found.lines]
    return json.dumps({"lack": found.lack.value, "lines": lines}).encode()


def read(answer: bytes) -> str | Shortage:
    """The id of a reservation, or what was missing."""
    found = json.loads(answer)
    if "reservation" in found:
        return str(found["reservation"])
    lines = tuple(
        Available(product_id=product, requested=requested, available=available)
        for product, requested, available in found["lines"]
    )
    return Shortage(lack=Lack(found["lack"]), lines=lines)
