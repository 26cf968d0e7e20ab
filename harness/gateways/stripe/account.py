"""A Stripe account: its objects, its events, and the request that is being served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from harness.gateways.gateway import World
from harness.gateways.stripe import webhooks
from harness.gateways.stripe.errors import no_such
from harness.gateways.stripe.state import SPELLED, Object, State

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

API_VERSION = "2026-10-28.endive"
KEPT_EVENTS = 30 * 86_400


class Account:
    """What handlers work on. Everything is kept unexpanded in `state`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = State()
        self._request_id: str | None = None
        self._key: str | None = None
        self.declined: str | None = None
        """The reason for which a test wants the charge of this request declined."""

    @property
    def key(self) -> str:
        """The idempotency key of the request that is being served."""
        return self._key or ""

    def now(self) -> int:
        """Unix time in whole seconds."""
        return int(self.world.clock.now())

    def new_id(self, prefix: str) -> str:
        """`pi_3Qx...`: a prefix and 24 letters and digits."""
        return f"{prefix}_{self.world.ids.token(24)}"

    def request_id(self, context: RequestContext) -> str:
        """The id of a request, made at the first question."""
        found: str | None = context.scope.get("stripe.request")
        if found is None:
            found = context.scope["stripe.request"] = f"req_{self.world.ids.token(14)}"
        return found

    def serving(self, context: RequestContext, declined: str | None) -> None:
        """From here on it is this request that causes events."""
        self._request_id = self.request_id(context)
        self._key = context.headers.get("idempotency-key") or None
        self.declined = declined

    def by_itself(self) -> None:
        """From here on events have no request: time or a bank causes them."""
        self._request_id = self._key = self.declined = None

    def find(self, kind: str, id: str, param: str, *, status: int = 400) -> Object:
        """An object by its id. `StripeError` `resource_missing`; `status` 404 when the id is in the path."""
        found = self.state.table(kind).get(id)
        if found is None:
            spelled = kind if kind == "payment_intent" else SPELLED[kind]
            raise no_such(spelled, id, param, status)
        return found

    def customer(self, id: str, param: str = "customer") -> Object:
        """A customer that is not deleted. `StripeError` `resource_missing`."""
        found = self.find("customer", id, param)
        if found.get("deleted"):
            raise no_such("customer", id, param)
        return found

    def add(self, found: Object) -> Object:
        """Keep a new object."""
        self.state.table(found["object"])[found["id"]] = found
        return found

    def emit(self, type: str, about: Object, before: Mapping[str, Any] | None = None) -> Object:
        """Record an event and send it to the endpoints that want it. `before`: the object as it was."""
        # A copy through JSON: later changes of the object are no part of the event.
        shown = from_json(to_json(about))
        endpoints = [
            endpoint
            for endpoint in self.state.webhook_endpoints.values()
            if endpoint["status"] == "enabled" and {"*", type} & set(endpoint["enabled_events"])
        ]
        event: Object = {
            "id": self.new_id("evt"),
            "object": "event",
            "account": None,
            "api_version": API_VERSION,
            "context": None,
            "created": self.now(),
            "data": {"object": shown},
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": self._request_id, "idempotency_key": self._key},
            "type": type,
        }
        if before is not None:
            event["data"]["previous_attributes"] = changed(from_json(to_json(before)), shown)
        self.add(event)
        for endpoint in endpoints:
            webhooks.send(self, endpoint, event)
        return event


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Object:
    """Former values of what is different now; null for what was not there (docs.stripe.com/api/events/object)."""
    found: Object = {}
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            inside = changed(old, new)
            if inside:
                found[key] = inside
        elif old != new:
            found[key] = old
    return found
