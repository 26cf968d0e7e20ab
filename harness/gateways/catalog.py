"""Which mocks there are. A mock's modules are imported when it is made."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from harness.gateways.gateway import Gateway, World

_PLACES = {
    "stripe": ("harness.gateways.stripe.gateway", "StripeGateway"),
    "paypal": ("harness.gateways.paypal.gateway", "PaypalGateway"),
    "fedex": ("harness.gateways.fedex.gateway", "FedexGateway"),
    "ups": ("harness.gateways.ups.gateway", "UpsGateway"),
    "sendgrid": ("harness.gateways.sendgrid.gateway", "SendgridGateway"),
    "twilio": ("harness.gateways.twilio.gateway", "TwilioGateway"),
    "analytics": ("harness.gateways.analytics.gateway", "AnalyticsGateway"),
}
NAMES = tuple(_PLACES)


def chosen(names: Iterable[str]) -> Sequence[str]:
    """The names without repetition, all for none. ValueError for an unknown one."""
    found = tuple(dict.fromkeys(names)) or NAMES
    for name in found:
        if name not in _PLACES:
            raise ValueError(f"there is no mock of {name!r}; there are {', '.join(NAMES)}")
    return found


def make(name: str, world: World) -> Gateway:
    """The mock of a vendor."""
    module, cls = _PLACES[name]
    found: Gateway = getattr(importlib.import_module(module), cls)(world)
    return found
