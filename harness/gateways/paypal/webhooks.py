"""Webhooks v1, without HTTP: subscriptions, verification, samples, events once more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from harness.gateways.paypal.desk import Desk
from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.events import KINDS, UNKNOWN_WEBHOOK
from harness.gateways.paypal.signing import ALGORITHM, Signer, signed_message
from harness.gateways.paypal.state import Json, Webhook

MAX_WEBHOOKS = 10
_FAMILIES = ("BILLING.", "CATALOG.", "CHECKOUT.", "CUSTOMER.", "INVOICING.", "MERCHANT.", "PAYMENT", "VAULT.", "RISK.")


class Subscriptions:
    """The webhooks of the merchant."""

    def __init__(self, desk: Desk, signer: Signer) -> None:
        self._desk = desk
        self._signer = signer

    def find(self, webhook_id: str) -> Webhook:
        """404 when there is none."""
        found = self._desk.state.webhooks.get(webhook_id)
        if found is None:
            raise Refusal.unknown("webhook_id", webhook_id)
        return found

    def create(self, url: str, events: Sequence[str]) -> Webhook:
        """Subscribe a URL to events."""
        webhooks = self._desk.state.webhooks
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _invalid("url", "Not a valid webhook URL", url)
        for name in events:
            if not is_event(name):
                raise _invalid("event_types", "Not a valid event type", name)
        if any(webhook.url == url for webhook in webhooks.values()):
            raise Refusal(400, name="WEBHOOK_URL_ALREADY_EXISTS", message="Webhook URL already exists")
        if len(webhooks) >= MAX_WEBHOOKS:
            raise Refusal(400, name="WEBHOOK_NUMBER_LIMIT_EXCEEDED", message="Webhook number limit exceeded")
        made = Webhook(id=self._desk.world.ids.upper(17), url=url, events=list(dict.fromkeys(events)))
        webhooks[made.id] = made
        return made

    def delete(self, webhook_id: str) -> None:
        """Unsubscribe."""
        del self._desk.state.webhooks[self.find(webhook_id).id]

    def verified(self, request: Mapping[str, Any]) -> bool:
        """Whether a delivery came from here. Its body is compared as JSON, its CRC is that of the bytes sent.

        A body that this mock does not remember is taken to have been written without spaces.
        """
        event = request["webhook_event"]
        body = self._desk.state.transmissions.get(request["transmission_id"])
        if body is None:
            body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        message = signed_message(request["transmission_id"], request["transmission_time"], request["webhook_id"], body)
        return (
            request["auth_algo"] == ALGORITHM
            and request["webhook_id"] in self._desk.state.webhooks
            and json.loads(body) == event
            and self._signer.verifies(
                certificate_url=request["cert_url"], signature=request["transmission_sig"], message=message
            )
        )

    def simulate(self, request: Mapping[str, Any]) -> Json:
        """Send a sample of an event to a webhook, or to a URL."""
        name = request["event_type"]
        if not is_event(name) or name == "*":
            raise _invalid("event_type", "Not a valid event type", name)
        if "webhook_id" in request:
            webhook = self.find(request["webhook_id"])
            url, webhook_id = webhook.url, webhook.id
        elif "url" in request:
            url, webhook_id = request["url"], UNKNOWN_WEBHOOK
        else:
            raise _invalid("webhook_id", "Either webhook_id or url is required", "")
        sample = {
            "id": self._desk.world.ids.upper(17),
            "status": name.rpartition(".")[2],
            "amount": {"currency_code": "USD", "value": "30.00"},
            "links": [],
        }
        event = self._desk.events.make(name, sample, request.get("resource_version", "2.0"))
        self._desk.events.send(event, url, webhook_id)
        return event

    def event(self, event_id: str) -> Json:
        """404 when there is none."""
        found = self._desk.state.events.get(event_id)
        if found is None:
            raise Refusal.unknown("event_id", event_id)
        return found

    def resend(self, event_id: str, webhook_ids: Sequence[str]) -> Json:
        """Send an event again, to the named webhooks or to all subscribers."""
        event = self.event(event_id)
        name = event["event_type"]
        chosen = [self.find(each) for each in webhook_ids] or [
            webhook for webhook in self._desk.state.webhooks.values() if "*" in webhook.events or name in webhook.events
        ]
        for webhook in chosen:
            self._desk.events.send(event, webhook.url, webhook.id)
        return event


def is_event(name: str) -> bool:
    """Whether PayPal has such an event, or family of events; `*` stands for all of them."""
    return name == "*" or name in KINDS or (name.startswith(_FAMILIES) and name == name.upper() and name[-1] != ".")


def _invalid(field: str, issue: str, value: str) -> Refusal:
    said = {"field": field, "location": "body", "issue": issue, "value": value}
    return Refusal(400, [{key: text for key, text in said.items() if text}])
