"""Events: made of resources, kept, and sent to every webhook that has subscribed to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.gateways.gateway import World
from harness.gateways.paypal.signing import Signer
from harness.gateways.paypal.state import Json, State
from harness.gateways.paypal.views import Views, timestamp
from harness.gateways.webhooks import Sign, Stamp

MAX_KEPT = 10_000
KINDS = {
    "CHECKOUT.ORDER.APPROVED": ("checkout-order", "An order has been approved by buyer"),
    "CHECKOUT.ORDER.COMPLETED": ("checkout-order", "Checkout Order Completed"),
    "CHECKOUT.ORDER.VOIDED": ("checkout-order", "Checkout Order Voided"),
    "PAYMENT.AUTHORIZATION.CREATED": ("authorization", "A payment authorization was created"),
    "PAYMENT.AUTHORIZATION.VOIDED": ("authorization", "A payment authorization was voided"),
    "PAYMENT.CAPTURE.COMPLETED": ("capture", "Payment completed"),
    "PAYMENT.CAPTURE.DENIED": ("capture", "Payment denied"),
    "PAYMENT.CAPTURE.PENDING": ("capture", "Payment pending"),
    "PAYMENT.CAPTURE.REFUNDED": ("refund", "Payment refunded"),
}
"""Resource type and summary by event name, of the events that the mock sends by itself."""
UNKNOWN_WEBHOOK = "WEBHOOK_ID"
"""For what a simulated event is signed that goes to a URL."""


@dataclass(frozen=True, slots=True)
class Events:
    """Publishes what happens. `state` is asked for anew each time: a reset replaces it."""

    world: World
    views: Views
    signer: Signer
    state: Callable[[], State]

    def publish(self, name: str, resource: Mapping[str, Any]) -> Json:
        """Make an event and send it to its subscribers."""
        event = self.make(name, resource)
        for webhook in self.state().webhooks.values():
            if "*" in webhook.events or name in webhook.events:
                self.send(event, webhook.url, webhook.id)
        return event

    def make(self, name: str, resource: Mapping[str, Any], version: str = "2.0") -> Json:
        """An event, which is kept."""
        ids = self.world.ids
        kind, summary = KINDS.get(name, (name.split(".")[-2].lower() if "." in name else "resource", name))
        event_id = f"WH-{ids.upper(17)}-{ids.upper(17)}"
        event = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": timestamp(self.world.clock.now()),
            "resource_type": kind,
            "resource_version": version,
            "event_type": name,
            "summary": summary,
            "resource": dict(resource),
            "links": self.views.event_links(event_id),
        }
        kept = self.state().events
        kept[event_id] = event
        if len(kept) > MAX_KEPT:
            del kept[next(iter(kept))]
        return event

    def send(self, event: Mapping[str, Any], url: str, webhook_id: str) -> None:
        """Send an event to one receiver."""
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        transmission = self.world.ids.uuid()
        sign = self._sign(transmission, webhook_id)
        self.world.webhooks.emit(url=url, event=event["event_type"], event_id=event["id"], body=body, sign=sign)

    def _sign(self, transmission: str, webhook_id: str) -> Sign:
        def sign(stamp: Stamp) -> Mapping[str, str]:
            kept = self.state().transmissions
            kept[transmission] = stamp.body
            if len(kept) > MAX_KEPT:
                del kept[next(iter(kept))]
            return self.signer.headers(transmission, webhook_id, stamp)

        return sign
