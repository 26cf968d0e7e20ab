"""What all parts of the mock share."""

from __future__ import annotations

from typing import Protocol

from harness.gateways.gateway import World
from harness.gateways.paypal.events import Events
from harness.gateways.paypal.state import State
from harness.gateways.paypal.views import Views


class Desk(Protocol):
    """The gateway, as its parts see it. `state` is another one after a reset: ask for it each time."""

    world: World
    state: State
    views: Views
    events: Events
