"""How a shipment is found again by the key of its step."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.platform.gateways.errors import KeyReused, OutcomeUnknown
from services.shipping.domain import Address, Earlier, ShipmentRequest

_LENGTH = 26
_DAY = timedelta(days=1)


def reference_of(key: str) -> str:
    """130 bits of the key's SHA-256 in letters and digits: fits FedEx Ground's 30 characters, UPS's 32 and 35."""
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A parcel that has the reference of a key. What the carrier does not say is empty."""

    number: str
    cancelled: bool
    country: str = ""
    postal_code: str = ""


def days_of(earlier: Earlier | None) -> tuple[date, date]:
    """First and last day on which a shipment may have been booked, whatever the time zone."""
    now = datetime.now(UTC)
    first = now if earlier is None else earlier.first.astimezone(UTC)
    return (first - _DAY).date(), (now + _DAY).date()


def check_age(gateway: str, earlier: Earlier | None, kept: timedelta) -> None:
    """`OutcomeUnknown` when the carrier may have forgotten the shipment, so that finding nothing says nothing."""
    if earlier is not None and datetime.now(UTC) - earlier.first > kept:
        raise OutcomeUnknown(gateway, "find", "the attempt is older than what the carrier's tracking keeps")


def booked(gateway: str, request: ShipmentRequest, found: Sequence[Found]) -> tuple[str, ...]:
    """The tracking numbers of the request's shipment; none when there is no such shipment."""
    if any(_elsewhere(each, request.destination) for each in found):
        raise KeyReused(gateway, "find", "the key was used for a shipment to somewhere else")
    live = tuple(dict.fromkeys(each.number for each in found if not each.cancelled))
    if found and not live:
        raise KeyReused(gateway, "find", "the shipment of the key was cancelled: another one needs another key")
    if live and len(live) != len(request.parcels):
        text = f"{len(live)} parcels have the reference of the key, instead of {len(request.parcels)}"
        raise OutcomeUnknown(gateway, "find", text)
    return live


def _elsewhere(found: Found, destination: Address) -> bool:
    if found.country and found.country != destination.country:
        return True
    given, asked = _plain(found.postal_code), _plain(destination.postal_code)
    return bool(given and asked) and not (given.startswith(asked) or asked.startswith(given))


def _plain(postal_code: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", postal_code.upper())
