"""The operations of Twilio's messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from shop.external.twilio.http.models import CreateMessageRequest, Message, MessageList, UpdateMessageRequest
from shop.runtime.http_server import Reply

from harness.gateways.outcomes import PLAIN, Outcome, scripted_decline, scripted_work
from harness.gateways.twilio.errors import TwilioProblem
from harness.gateways.twilio.listing import Filters, instant, page_of
from harness.gateways.twilio.numbers import masked, recipient, recipient_error, sender, sender_error
from harness.gateways.twilio.segments import count_segments, smart_encoded
from harness.gateways.twilio.state import API_VERSION, FINAL, SmsMessage

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.twilio.gateway import TwilioGateway

MAX_BODY = 1600
MAX_MEDIA = 10
SCHEDULE_FROM, SCHEDULE_TO = 900, 35 * 86_400
_SERVICE = re.compile(r"MG[0-9a-zA-Z]{32}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]+", re.ASCII)
_REFERENCES = ("reference", "order_id")


class TwilioApi:
    """Implements the generated `Api`."""

    def __init__(self, gateway: TwilioGateway) -> None:
        self._gateway = gateway

    async def create_message(
        self, context: RequestContext, *, account_sid: str, body: CreateMessageRequest
    ) -> Reply[Message]:
        """201 and a queued message; accepted from a messaging service, scheduled for later."""
        await scripted_work(context)
        decline = scripted_decline(context)
        to, from_ = _checked_numbers(body)
        _check_content(body)
        if body.status_callback and not _is_url(body.status_callback):
            raise TwilioProblem(400, 21609, url=body.status_callback)
        delay = self._delay(body)
        if decline:
            raise self._gateway.declined(decline)
        world = self._gateway.world
        now = world.clock.now()
        text = body.body or ""
        media = len(body.media_url or ())
        message = SmsMessage(
            sid=("MM" if media else "SM") + world.ids.hex(32),
            account=account_sid,
            to=to,
            sender=from_,
            service=body.messaging_service_sid,
            body=smart_encoded(text) if body.smart_encoded else text,
            segments=1 if media else count_segments(smart_encoded(text) if body.smart_encoded else text),
            media=media,
            callback=body.status_callback or "",
            created=now,
            updated=now,
            status="scheduled" if delay else "accepted" if body.messaging_service_sid else "queued",
        )
        self._gateway.state.messages[message.sid] = message
        world.ledger.record(
            "message",
            id=message.sid,
            status=message.status,
            reference=reference_of(message.callback),
            data={"to": to, "from": from_ or message.service, "segments": message.segments, "media": media},
        )
        shown = Message.from_dict(message.as_dict())
        outcome: Outcome = context.scope.get("treaty.outcome", PLAIN)
        if outcome.webhooks_first:
            self._gateway.progress.rush(message)
        else:
            self._gateway.progress.begin(message, delay)
        return Reply(shown, status=201)

    async def list_messages(
        self,
        context: RequestContext,
        *,
        account_sid: str,
        to: str | None,
        from_: str | None,
        date_sent: str | None,
        date_sent_less: str | None,
        date_sent_greater: str | None,
        page_size: int,
        page: int,
        page_token: str | None,
    ) -> MessageList:
        """Newest first."""
        filters = Filters(to=to, sender=from_, sent=date_sent, sent_before=date_sent_less, sent_after=date_sent_greater)
        path = f"/{API_VERSION}/Accounts/{account_sid}/Messages.json"
        own = [each for each in self._gateway.state.messages.values() if each.account == account_sid]
        return MessageList.from_dict(page_of(own, filters, path, size=page_size, number=page, token=page_token))

    async def fetch_message(self, context: RequestContext, *, account_sid: str, sid: str) -> Message:
        """404 20404 for an unknown one."""
        return Message.from_dict(self._found(account_sid, sid).as_dict())

    async def update_message(
        self, context: RequestContext, *, account_sid: str, sid: str, body: UpdateMessageRequest
    ) -> Message:
        """Redact or cancel."""
        message = self._found(account_sid, sid)
        if body.body:
            raise TwilioProblem(400, 20001, "Invalid parameter: 'Body' may only be set to an empty string")
        if body.status is not None:
            if message.status not in ("scheduled", "accepted"):
                raise TwilioProblem(409, 30409)
            message.generation += 1
            self._gateway.progress.move(message, "canceled")
        if body.body is not None:
            message.body = ""
            message.updated = self._gateway.world.clock.now()
        return Message.from_dict(message.as_dict())

    async def delete_message(self, context: RequestContext, *, account_sid: str, sid: str) -> None:
        """409 20009 before the message has a final status."""
        message = self._found(account_sid, sid)
        if message.status not in FINAL and message.status != "sent":
            raise TwilioProblem(409, 20009)
        del self._gateway.state.messages[sid]

    def _found(self, account: str, sid: str) -> SmsMessage:
        found = self._gateway.state.messages.get(sid)
        if found is None or found.account != account:
            path = f"/{API_VERSION}/Accounts/{account}/Messages/{sid}.json"
            raise TwilioProblem(404, 20404, f"The requested resource {path} was not found")
        return found

    def _delay(self, body: CreateMessageRequest) -> float:
        """Seconds until a scheduled message is queued. Without a messaging service it is sent at once."""
        if body.schedule_type is None or not body.messaging_service_sid:
            return 0.0
        if not body.send_at:
            raise TwilioProblem(400, 35111)
        at = instant(body.send_at)
        delay = -1.0 if at is None else at.timestamp() - self._gateway.world.clock.now()
        if not SCHEDULE_FROM <= delay <= SCHEDULE_TO:
            raise TwilioProblem(400, 35114)
        return delay


def reference_of(callback: str) -> str:
    """The caller's own reference in the query of the callback's URL: `reference` or `order_id`, else the first."""
    fields = dict(parse_qsl(urlsplit(callback).query))
    for name in _REFERENCES:
        if name in fields:
            return fields[name]
    return next(iter(fields.values()), "")


def _checked_numbers(body: CreateMessageRequest) -> tuple[str, str | None]:
    """Recipient and sender in E.164."""
    if not body.to.strip():
        raise TwilioProblem(400, 21604)
    if not body.from_ and not body.messaging_service_sid:
        raise TwilioProblem(400, 21603)
    if body.messaging_service_sid and not _SERVICE.fullmatch(body.messaging_service_sid):
        raise TwilioProblem(400, 21701)
    to = recipient(body.to)
    if to is None:
        raise TwilioProblem(400, 21211, to=masked(body.to))
    from_ = sender(body.from_) if body.from_ else None
    if body.from_ and from_ is None:
        raise TwilioProblem(400, 21212, from_=body.from_)
    code = recipient_error(to) or sender_error(from_ or "")
    if code:
        raise TwilioProblem(400, code, to=masked(to) if code == 21211 else to, from_=from_ or "")
    return to, from_


def _check_content(body: CreateMessageRequest) -> None:
    if not body.body and not body.media_url and not body.content_sid:
        raise TwilioProblem(400, 21602)
    if len(body.body or "") > MAX_BODY:
        raise TwilioProblem(400, 21617)
    if len(body.media_url or ()) > MAX_MEDIA:
        raise TwilioProblem(400, 21623)
    if not all(_is_url(each) for each in body.media_url or ()):
        raise TwilioProblem(400, 21620)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 reading it checks it
    except ValueError:
        return False
    host = parts.netloc.rpartition("@")[2]
    return parts.scheme in ("http", "https") and _HOST.fullmatch(host) is not None
