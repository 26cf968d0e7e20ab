"""The operations of webhooks."""

from __future__ import annotations

from shop.external.paypal.http.models import (
    Event,
    ResendEventRequest,
    SimulateEventRequest,
    VerifySignatureRequest,
    VerifySignatureResponse,
    Webhook,
    WebhookList,
    WebhookRequest,
)
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_server import Reply

from harness.gateways.paypal.desk import Desk
from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.replies import Replies
from harness.gateways.paypal.signing import Signer
from harness.gateways.paypal.webhooks import Subscriptions


class WebhooksApi:
    """Serves webhooks."""

    def __init__(self, desk: Desk, subscriptions: Subscriptions, signer: Signer, replies: Replies) -> None:
        self._desk = desk
        self._subscriptions = subscriptions
        self._signer = signer
        self._replies = replies

    async def create_webhook(self, context: RequestContext, *, body: WebhookRequest) -> Reply[Webhook]:
        """Subscribe to events."""
        made = self._subscriptions.create(body.url, [each.name for each in body.event_types])
        return self._replies.of(Webhook, self._desk.views.webhook(made), 201)

    async def list_webhooks(self, context: RequestContext) -> Reply[WebhookList]:
        """All subscriptions."""
        shown = [self._desk.views.webhook(each) for each in self._desk.state.webhooks.values()]
        return self._replies.of(WebhookList, {"webhooks": shown})

    async def get_webhook(self, context: RequestContext, *, webhook_id: str) -> Reply[Webhook]:
        """One subscription."""
        return self._replies.of(Webhook, self._desk.views.webhook(self._subscriptions.find(webhook_id)))

    async def delete_webhook(self, context: RequestContext, *, webhook_id: str) -> Reply[None]:
        """Unsubscribe."""
        self._subscriptions.delete(webhook_id)
        return self._replies.empty()

    async def verify_webhook_signature(
        self, context: RequestContext, *, body: VerifySignatureRequest
    ) -> Reply[VerifySignatureResponse]:
        """Say whether a delivery came from here."""
        verdict = "SUCCESS" if self._subscriptions.verified(body.to_dict()) else "FAILURE"
        return self._replies.of(VerifySignatureResponse, {"verification_status": verdict})

    async def simulate_event(self, context: RequestContext, *, body: SimulateEventRequest) -> Reply[Event]:
        """Send a sample."""
        return self._replies.of(Event, self._subscriptions.simulate(body.to_dict()), 202)

    async def get_event(self, context: RequestContext, *, event_id: str) -> Reply[Event]:
        """Show an event."""
        return self._replies.of(Event, self._subscriptions.event(event_id))

    async def resend_event(
        self, context: RequestContext, *, event_id: str, body: ResendEventRequest | None
    ) -> Reply[Event]:
        """Send an event again."""
        chosen = (body.webhook_ids if body else None) or []
        return self._replies.of(Event, self._subscriptions.resend(event_id, chosen), 202)

    async def get_certificate(self, context: RequestContext, *, certificate_id: str) -> Reply[str]:
        """The chain of a certificate."""
        chain = self._signer.chain(certificate_id)
        if chain is None:
            raise Refusal.unknown("certificate_id", certificate_id)
        return self._replies.text(chain)
