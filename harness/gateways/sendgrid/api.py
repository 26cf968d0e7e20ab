"""The operations of SendGrid's Web API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shop.external.sendgrid.http.models import (
    EventWebhook,
    EventWebhookUpdateRequest,
    MailSendRequest,
    MessageDetail,
    MessageList,
    PublicKey,
    SigningUpdate,
)
from shop.runtime.http_server import Reply

from harness.gateways.outcomes import scripted_decline, scripted_work
from harness.gateways.sendgrid.errors import Mistake, SendGridProblem, refuse
from harness.gateways.sendgrid.keys import public_key
from harness.gateways.sendgrid.rules import check_mail, merged_arguments
from harness.gateways.sendgrid.search import QueryError, parse_query
from harness.gateways.sendgrid.state import RATE_LIMIT, RATE_WINDOW, MailMessage

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.sendgrid.gateway import SendgridGateway

_REFERENCES = ("reference", "order_id")


class SendGridApi:
    """Implements the generated `Api`."""

    def __init__(self, gateway: SendgridGateway) -> None:
        self._gateway = gateway

    async def send_mail(self, context: RequestContext, *, body: MailSendRequest) -> Reply[None]:
        """202 and a message for every recipient; 200 and nothing in sandbox mode."""
        await scripted_work(context)
        mail = body.to_dict()
        now = self._gateway.world.clock.now()
        decline = scripted_decline(context)
        if decline:
            raise self._gateway.declined(decline)
        refuse(check_mail(mail, now))
        if mail["from"]["email"].partition("@")[0].lower() == "unverified":
            raise self._gateway.declined("unverified_sender")
        headers: dict[str, Any] = dict(self.rate_headers(used=1))
        if (mail.get("mail_settings") or {}).get("sandbox_mode", {}).get("enable"):
            return Reply(None, status=200, headers=headers)
        headers["X-Message-Id"] = self._accept(mail, context, now)
        return Reply(None, status=202, headers=headers)

    async def search_messages(self, context: RequestContext, *, query: str, limit: int) -> MessageList:
        """Newest event first."""
        try:
            fits = parse_query(query)
        except QueryError as problem:
            raise SendGridProblem(400, Mistake(f"invalid query: {problem}", "query")) from None
        found = [each for each in self._gateway.state.messages.values() if fits(each)]
        found.sort(key=lambda message: message.last_event, reverse=True)
        return MessageList.from_dict({"messages": [each.summary() for each in found[:limit]]})

    async def get_message(self, context: RequestContext, *, msg_id: str) -> MessageDetail:
        """404 when there is no such message."""
        found = self._gateway.state.messages.get(msg_id)
        if found is None:
            raise SendGridProblem(404, Mistake("resource not found", "msg_id"))
        document = found.summary()
        for name in ("opens_count", "clicks_count", "last_event_time"):
            del document[name]
        return MessageDetail.from_dict(
            {
                **document,
                "template_id": found.template_id,
                "asm_group_id": found.asm_group_id,
                "teammate": "",
                "api_key_id": found.api_key_id,
                "outbound_ip": "198.51.100.25",
                "outbound_ip_type": "shared",
                "originating_ip": found.originating_ip,
                "categories": list(found.categories),
                "unique_args": json.dumps(found.arguments),
                "events": found.events,
            }
        )

    async def get_event_webhook(self, context: RequestContext) -> EventWebhook:
        """The settings."""
        return self._settings()

    async def update_event_webhook(self, context: RequestContext, *, body: EventWebhookUpdateRequest) -> EventWebhook:
        """Only the members that are sent are changed."""
        settings = self._gateway.state.settings
        change = {name: value for name, value in body.to_dict().items() if name in settings}
        merged = {**settings, **change}
        if merged["enabled"] and urlsplit(merged["url"]).scheme not in ("http", "https"):
            raise SendGridProblem(400, Mistake("invalid url", "url"))
        settings.update(change)
        return self._settings()

    async def get_event_webhook_key(self, context: RequestContext) -> PublicKey:
        """Empty while signing is off."""
        return self._key()

    async def sign_event_webhook(self, context: RequestContext, *, body: SigningUpdate) -> PublicKey:
        """Switching signing on makes a new key."""
        state = self._gateway.state
        if body.enabled and not state.signed:
            state.key = self._gateway.world.ids.hex(64)
        state.signed = body.enabled
        return self._key()

    def rate_headers(self, used: int = 0) -> Mapping[str, int]:
        """The window is counted, but never refuses: script a 429 for that."""
        state, now = self._gateway.state, self._gateway.world.clock.now()
        if now >= state.window_start + RATE_WINDOW:
            state.window_start, state.window_used = now, 0
        state.window_used += used
        return {
            "X-RateLimit-Limit": RATE_LIMIT,
            "X-RateLimit-Remaining": max(0, RATE_LIMIT - state.window_used),
            "X-RateLimit-Reset": int(state.window_start + RATE_WINDOW),
        }

    def _accept(self, mail: dict[str, Any], context: RequestContext, now: float) -> str:
        request_id = self._gateway.world.ids.token(22)
        for index, personalization in enumerate(mail["personalizations"]):
            messages = list(self._messages(mail, personalization, f"{request_id}.recvd-mock-{index}", context))
            send_at = personalization.get("send_at", mail.get("send_at", 0))
            self._gateway.delivery.begin(messages, send_at - now)
        return request_id

    def _messages(
        self, mail: dict[str, Any], own: dict[str, Any], prefix: str, context: RequestContext
    ) -> Iterator[MailMessage]:
        world = self._gateway.world
        arguments = merged_arguments(mail, own)
        addresses = [each["email"] for kind in ("to", "cc", "bcc") for each in own.get(kind, ())]
        for number, address in enumerate(addresses):
            now = world.clock.now()
            message = MailMessage(
                msg_id=f"{prefix}-{number}.0",
                request_id=prefix.partition(".")[0],
                from_email=own.get("from", mail["from"])["email"],
                to_email=address,
                subject=own.get("subject", mail.get("subject", "")),
                at=now,
                last_event=now,
                template_id=mail.get("template_id", ""),
                asm_group_id=(mail.get("asm") or {}).get("group_id", 0),
                api_key_id=str(context.principal or ""),
                originating_ip=context.client,
                categories=tuple(mail.get("categories", ())),
                arguments=arguments,
            )
            self._gateway.state.messages[message.msg_id] = message
            data = {"to": address, "request_id": message.request_id, "custom_args": dict(arguments)}
            world.ledger.record(
                "mail",
                id=message.msg_id,
                status="processing",
                reference=reference_of(arguments),
                key=arguments.get("idempotency_key", ""),
                data={**data, "template_id": message.template_id, "categories": list(message.categories)},
            )
            yield message

    def _settings(self) -> EventWebhook:
        state = self._gateway.state
        key = public_key(state.key) if state.signed else None
        return EventWebhook.from_dict({**state.settings, "public_key": key})

    def _key(self) -> PublicKey:
        state = self._gateway.state
        return PublicKey(public_key=public_key(state.key) if state.signed else "")


def reference_of(arguments: Mapping[str, str]) -> str:
    """The caller's own reference: the custom argument `reference` or `order_id`, else the first one."""
    for name in _REFERENCES:
        if name in arguments:
            return arguments[name]
    return next(iter(arguments.values()), "")
