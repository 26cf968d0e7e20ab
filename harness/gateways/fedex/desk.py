"""What every part of the FedEx mock works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shop.runtime.http_requests import RequestContext
from shop.runtime.models import Model

from harness.gateways.fedex.errors import FedexProblem, customer_transaction
from harness.gateways.gateway import World
from harness.gateways.outcomes import scripted_decline
from harness.gateways.parcels.access import Tokens
from harness.gateways.parcels.journey import Journeys, Shipment

M = TypeVar("M", bound=Model)
HUB = {"city": "MEMPHIS", "state": "TN", "postal_code": "38118", "country": "US"}
TOKEN_LIFETIME = 3600


@dataclass(slots=True)
class State:
    """Shipments by master number, all package numbers, documents and pickups; plain data."""

    shipments: dict[str, Shipment] = field(default_factory=dict)
    masters: dict[str, str] = field(default_factory=dict)
    """The master number of every package."""
    documents: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By the key in its URL: master number, and number of the package from 1."""
    pickups: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: int = 0
    revoked: int = 0


class Desk:
    """Shared by the handlers of all resources; the parts of the API are its subclasses."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = State()
        self.tokens = Tokens(world, "fedex", TOKEN_LIFETIME)
        self.journeys = Journeys(world, self.find, HUB)

    def find(self, number: str) -> Shipment | None:
        """The shipment that a package number belongs to."""
        return self.state.shipments.get(self.state.masters.get(number, ""))

    def answer(self, model: type[M], context: RequestContext, output: Mapping[str, Any]) -> M:
        """FedEx's envelope."""
        body: dict[str, Any] = {"transactionId": self.world.ids.uuid(), "output": output}
        number = customer_transaction(context)
        if number:
            body["customerTransactionId"] = number
        return model.from_dict(body)


def refuse_if_scripted(context: RequestContext) -> None:
    """Raise what a test has scripted for an effect: the reason is FedEx's error code."""
    code = scripted_decline(context)
    if code is not None:
        raise FedexProblem(400, code)


def amount(minor: int) -> float:
    """Money as FedEx's JSON has it."""
    return minor / 100
