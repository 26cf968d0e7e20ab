"""How shipments move: by the clock as planned, or as a test says.

A shipment is plain data: `number`, `stage`, `held` (the plan is void), `events` (oldest first: `at`, `stage`,
`place`, `reason`), `origin` and `destination` (`city`, `state`, `postal_code`, `country`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from harness.gateways.gateway import World
from harness.gateways.outcomes import ControlError

CREATED, PICKED_UP, IN_TRANSIT, OUT_FOR_DELIVERY, DELIVERED = STAGES = (
    "created",
    "picked_up",
    "in_transit",
    "out_for_delivery",
    "delivered",
)
EXCEPTION, RETURNED, CANCELLED = "exception", "returned", "cancelled"
SETTABLE = (*STAGES[1:], EXCEPTION, RETURNED)
"""What a test may say."""
_PICKUP, _DEPARTURE, _LAST_LEG = 4 * 3600.0, 10 * 3600.0, 6 * 3600.0

Shipment: TypeAlias = dict[str, Any]
Find: TypeAlias = Callable[[str], "Shipment | None"]


def plan(created: float, due: float) -> Sequence[tuple[float, str]]:
    """When a shipment reaches each stage: pickup within hours, delivery when it is due."""
    delivery = max(due, created + 3600.0)
    last_leg = delivery - min(_LAST_LEG, (delivery - created) / 4)
    span = last_leg - created
    return (
        (created + min(_PICKUP, span / 4), PICKED_UP),
        (created + min(_DEPARTURE, span / 2), IN_TRANSIT),
        (last_leg, OUT_FOR_DELIVERY),
        (delivery, DELIVERED),
    )


class Journeys:
    """Moves the shipments of one mock; `find` looks one up by the number of any of its packages."""

    def __init__(self, world: World, find: Find, hub: Mapping[str, str]) -> None:
        self._world = world
        self._find = find
        self._hub = dict(hub)

    def begin(self, shipment: Shipment, due: float) -> None:
        """Plan all stages; the first has been reached."""
        now = self._world.clock.now()
        self._reach(shipment, CREATED, now)
        for at, stage in plan(now, due):
            self._world.agenda.after(at - now, partial(self._move, shipment["number"], stage, at))

    def cancel(self, shipment: Shipment) -> None:
        """The shipment will not move any more."""
        shipment["held"] = True
        self._reach(shipment, CANCELLED, self._world.clock.now())

    def set_tracking_status(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        """Control call: `{"tracking_number", "status", "reason"?, "city"?, ...}`; from then on the plan is void."""
        number, stage = members.get("tracking_number"), members.get("status")
        shipment = self._find(number) if isinstance(number, str) else None
        if shipment is None:
            raise ControlError(404, f"no shipment has the tracking number {number!r}")
        if stage not in SETTABLE:
            raise ControlError(400, f"`status` must be one of {', '.join(SETTABLE)}")
        if shipment["stage"] in (CANCELLED, DELIVERED):
            raise ControlError(409, f"the shipment is {shipment['stage']}")
        shipment["held"] = True
        place = {name: str(members[name]) for name in ("city", "state", "postal_code", "country") if name in members}
        self._reach(shipment, stage, self._world.clock.now(), place, str(members.get("reason", "")))
        return {"tracking_number": shipment["number"], "status": stage}

    def _move(self, number: str, stage: str, at: float) -> None:
        shipment = self._find(number)
        if shipment is not None and not shipment["held"]:
            self._reach(shipment, stage, at)

    def _reach(
        self, shipment: Shipment, stage: str, at: float, place: Mapping[str, str] | None = None, reason: str = ""
    ) -> None:
        shipment["stage"] = stage
        event = {"at": at, "stage": stage, "place": place or self._place(shipment, stage), "reason": reason}
        shipment["events"].append(event)
        if stage != CREATED:
            status = "voided" if stage == CANCELLED else "succeeded"
            self._world.ledger.update(shipment["number"], status=status, tracking_status=stage)

    def _place(self, shipment: Shipment, stage: str) -> Mapping[str, str]:
        if stage in (CREATED, PICKED_UP, CANCELLED, RETURNED):
            found: Mapping[str, str] = shipment["origin"]
        else:
            found = self._hub if stage == IN_TRANSIT else shipment["destination"]
        return found


def handed_over(shipment: Shipment) -> bool:
    """Whether the carrier has it, or had it."""
    return any(event["stage"] not in (CREATED, CANCELLED) for event in shipment["events"])
