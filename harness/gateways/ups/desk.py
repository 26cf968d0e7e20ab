"""What every part of the UPS mock works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shop.external.ups.http.models import Request
from shop.runtime.http_requests import RequestContext

from harness.gateways.gateway import World
from harness.gateways.outcomes import scripted_decline
from harness.gateways.parcels.access import Tokens
from harness.gateways.parcels.journey import Journeys, Shipment
from harness.gateways.ups.errors import refused

HUB = {"city": "LOUISVILLE", "state": "KY", "postal_code": "40213", "country": "US"}
TOKEN_LIFETIME = 14_399


@dataclass(slots=True)
class State:
    """Shipments by the number of their first package, all package numbers, and pickups; plain data."""

    shipments: dict[str, Shipment] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)
    """The number of the first package, by that of each."""
    pickups: dict[str, dict[str, Any]] = field(default_factory=dict)
    recoveries: int = 0
    tokens: int = 0
    revoked: int = 0


class Desk:
    """Shared by the handlers of all resources; the parts of the API are its subclasses."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = State()
        self.tokens = Tokens(world, "ups", TOKEN_LIFETIME)
        self.journeys = Journeys(world, self.find, HUB)

    def find(self, number: str) -> Shipment | None:
        """The shipment that a package number belongs to."""
        return self.state.shipments.get(self.state.firsts.get(number, ""))

    def response(self, request: Request | None = None, *alerts: Mapping[str, str]) -> dict[str, Any]:
        """The `Response` of a success."""
        found: dict[str, Any] = {"ResponseStatus": {"Code": "1", "Description": "Success"}}
        if alerts:
            found["Alert"] = list(alerts)
        reference: dict[str, str] = {"TransactionIdentifier": self.world.ids.token(22).lower()}
        context = customer_context(request)
        if context:
            reference["CustomerContext"] = context
        found["TransactionReference"] = reference
        return found


def customer_context(request: Request | None) -> str:
    """The caller's own name for a request."""
    reference = request.transaction_reference if request is not None else None
    return (reference.customer_context or "") if reference is not None else ""


def refuse_if_scripted(context: RequestContext) -> None:
    """Raise what a test has scripted for an effect: the reason is UPS's error code."""
    code = scripted_decline(context)
    if code is not None:
        raise refused(code)


def money(minor: int) -> str:
    """As UPS writes it."""
    return f"{minor // 100}.{minor % 100:02}"


def charge(minor: int, currency: str) -> dict[str, str]:
    """An amount with its currency."""
    return {"CurrencyCode": currency, "MonetaryValue": money(minor)}
