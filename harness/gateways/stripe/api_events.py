"""Events and webhook endpoints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shop.external.stripe.http.models import (
    DeletedWebhookEndpoint,
    Event,
    EventList,
    WebhookEndpoint,
    WebhookEndpointList,
)

from harness.gateways.stripe import objects
from harness.gateways.stripe.account import KEPT_EVENTS
from harness.gateways.stripe.errors import invalid
from harness.gateways.stripe.metadata import merged
from harness.gateways.stripe.resource import Resource
from harness.gateways.stripe.shown import created_within

if TYPE_CHECKING:
    from shop.external.stripe.http import models
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.stripe.state import Object

MAX_ENDPOINTS = 16
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


class Events(Resource):
    """Operations of events and webhook endpoints."""

    async def get_event(self, context: RequestContext, *, id: str, expand: list[str] | None, **_: Any) -> Event:
        """Read one."""
        found = self.account.find("event", id, "id", status=404)
        return Event.from_dict(self.shown(_with_pending(found, self._undelivered()), expand))

    async def list_events(
        self,
        context: RequestContext,
        *,
        type: str | None,
        types: list[str] | None,
        delivery_success: bool | None,
        created: Any,
        **page: Any,
    ) -> EventList:
        """One page of those of the last 30 days. A `type` may end with `*`."""
        wanted = created_within(created)
        oldest = self.account.now() - KEPT_EVENTS
        found = [
            each
            for each in self.account.state.events.values()
            if wanted(each) and each["created"] >= oldest and _is_of(each["type"], type, types)
        ]
        undelivered = self._undelivered()
        if delivery_success is not None:
            found = [each for each in found if (each["id"] not in undelivered) is delivery_success]
        shown = self.page(found, context, "event", page)
        return EventList.from_dict({**shown, "data": [_with_pending(each, undelivered) for each in shown["data"]]})

    def _undelivered(self) -> Counter[str]:
        """Event -> how many endpoints have not answered 2xx yet."""
        sent = self.account.world.webhooks.deliveries()
        done = {(each["event_id"], each["url"]) for each in sent if each["state"] == "delivered"}
        return Counter(event for event, _ in {(each["event_id"], each["url"]) for each in sent} - done)

    async def create_webhook_endpoint(
        self, context: RequestContext, *, body: models.WebhookEndpointCreate, **_: Any
    ) -> WebhookEndpoint:
        """Register a URL; the answer has its secret."""
        given = body.to_dict()
        _check(given)
        if len(self.account.state.webhook_endpoints) >= MAX_ENDPOINTS:
            raise invalid("url", f"You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints.")
        found = objects.webhook_endpoint(self.account, given)
        found["metadata"] = merged({}, given.get("metadata"))
        secret = f"whsec_{self.account.world.ids.token(32)}"
        self.account.state.secrets[found["id"]] = [secret]
        return WebhookEndpoint.from_dict({**self.account.add(found), "secret": secret})

    async def get_webhook_endpoint(
        self, context: RequestContext, *, webhook_endpoint: str, expand: list[str] | None, **_: Any
    ) -> WebhookEndpoint:
        """Read one."""
        return WebhookEndpoint.from_dict(self._endpoint(webhook_endpoint))

    def _endpoint(self, id: str) -> Object:
        return self.account.find("webhook_endpoint", id, "webhook_endpoint", status=404)

    async def list_webhook_endpoints(self, context: RequestContext, **page: Any) -> WebhookEndpointList:
        """One page."""
        found = list(self.account.state.webhook_endpoints.values())
        return WebhookEndpointList.from_dict(self.page(found, context, "webhook_endpoint", page))

    async def update_webhook_endpoint(
        self, context: RequestContext, *, webhook_endpoint: str, body: models.WebhookEndpointUpdate | None, **_: Any
    ) -> WebhookEndpoint:
        """Change one."""
        found = self._endpoint(webhook_endpoint)
        given = body.to_dict() if body else {}
        _check(given)
        found["metadata"] = merged(found["metadata"], given.get("metadata"))
        for key in ("url", "enabled_events"):
            found[key] = given.get(key, found[key])
        if "description" in given:
            found["description"] = given["description"] or None
        if "disabled" in given:
            found["status"] = "disabled" if given["disabled"] else "enabled"
        return WebhookEndpoint.from_dict(found)

    async def delete_webhook_endpoint(
        self, context: RequestContext, *, webhook_endpoint: str, **_: Any
    ) -> DeletedWebhookEndpoint:
        """Delete one."""
        self._endpoint(webhook_endpoint)
        del self.account.state.webhook_endpoints[webhook_endpoint]
        self.account.state.secrets.pop(webhook_endpoint, None)
        return DeletedWebhookEndpoint.from_dict({"id": webhook_endpoint, "object": "webhook_endpoint", "deleted": True})


def _is_of(type: str, one: str | None, several: list[str] | None) -> bool:
    if one is not None:
        return type.startswith(one[:-1]) if one.endswith("*") else type == one
    return several is None or type in several


def _with_pending(event: Object, undelivered: Mapping[str, int]) -> Object:
    return {**event, "pending_webhooks": undelivered.get(event["id"], 0)}


def is_http_url(url: str) -> bool:
    """Whether an HTTP client can send to it."""
    try:
        parts = urlsplit(url)
        port_is_known = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return port_is_known and _URL.fullmatch(url) is not None and bool(parts.hostname)


def _check(given: dict[str, Any]) -> None:
    if "url" in given and not is_http_url(given["url"]):
        raise invalid("url", "Invalid URL: An explicit scheme (such as https) must be provided.", "url_invalid")
    if "enabled_events" in given and not given["enabled_events"]:
        raise invalid("enabled_events", "You must enable at least one event.")
