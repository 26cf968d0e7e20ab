"""The way of a message by the mock's clock, and the status callback.

queued -> sending -> sent -> delivered; from a messaging service accepted -> queued first, scheduled before that. A
number of `numbers.delivery_error` ends as failed before it is sent, or as undelivered. Sending, sent and every final
status are posted to the message's StatusCallback, signed by the auth token of the account.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from harness.gateways.twilio.errors import BEFORE_SENDING, DELIVERY_ERRORS
from harness.gateways.twilio.numbers import delivery_error
from harness.gateways.twilio.state import API_VERSION, SmsMessage
from harness.gateways.webhooks import Stamp

if TYPE_CHECKING:
    from harness.gateways.twilio.gateway import TwilioGateway

SIGNATURE = "X-Twilio-Signature"
SERVICE_SENDER = "+15005550006"
_STEPS = ((0.25, "sending"), (0.5, "sent"), (1.0, "delivered"))
"""Seconds after the message was queued."""
_POSTED = frozenset({"sending", "sent", "delivered", "undelivered", "failed", "canceled", "read"})
_CALLBACK_AGENT = "TwilioProxy/1.1"


class Progress:
    """Moves messages on."""

    def __init__(self, gateway: TwilioGateway) -> None:
        self._gateway = gateway

    def begin(self, message: SmsMessage, delay: float = 0.0) -> None:
        """Plan the whole way; `delay` seconds until a scheduled message is queued."""
        if not self._gateway.state.automatic:
            return
        if message.status != "queued":
            self._plan(message, delay, "queued")
        for after, status, error in _way(message.to):
            self._plan(message, delay + after, status, error)

    def rush(self, message: SmsMessage) -> None:
        """The whole way at once, so that its callbacks come before the answer to the request."""
        for _, status, error in _way(message.to):
            self.move(message, status, error)

    def move(self, message: SmsMessage, status: str, error: int = 0, at: float | None = None) -> None:
        """Set the status, and post it. `at`: when it was due, which the clock may have jumped over."""
        world = self._gateway.world
        now = world.clock.now() if at is None else at
        message.status, message.updated = status, now
        if status in ("sending", "sent", "delivered") and message.sender is None:
            message.sender = SERVICE_SENDER
        if status in ("sent", "delivered", "undelivered"):
            message.priced = True
            message.sent = now if message.sent is None else message.sent
        if error:
            message.error, message.error_message = error, DELIVERY_ERRORS.get(error, "Unknown error")
        world.ledger.update(message.sid, status=status)
        if message.callback and status in _POSTED:
            self._post(message, now)

    def sign(self, account: str, stamp: Stamp) -> Mapping[str, str]:
        """HMAC-SHA1 over the URL and the sorted fields. A rotated secret is the secondary token: the first reversed."""
        token = self._gateway.auth_token(account)
        token = token[::-1] if stamp.rotated else token
        token = f"not {token}" if stamp.bad else token
        fields = sorted(set(parse_qsl(stamp.body.decode(), keep_blank_values=True)))
        signed = stamp.url + "".join(name + value for name, value in fields)
        mac = hmac.new(token.encode(), signed.encode(), hashlib.sha1)
        return {
            SIGNATURE: base64.b64encode(mac.digest()).decode(),
            "User-Agent": _CALLBACK_AGENT,
            "I-Twilio-Idempotency-Token": stamp.delivery_id,
        }

    def _plan(self, message: SmsMessage, delay: float, status: str, error: int = 0) -> None:
        due = self._gateway.world.clock.now() + delay
        step = partial(self._arrive, message.sid, message.generation, status, error, due)
        self._gateway.world.agenda.after(delay, step)

    def _arrive(self, sid: str, generation: int, status: str, error: int, due: float) -> None:
        message = self._gateway.state.messages.get(sid)
        if message is not None and message.generation == generation:
            self.move(message, status, error, due)

    def _post(self, message: SmsMessage, now: float) -> None:
        fields = {
            "ApiVersion": API_VERSION,
            "MessageStatus": message.status,
            "SmsSid": message.sid,
            "SmsStatus": message.status,
            "To": message.to,
            "From": message.sender or "",
            "MessageSid": message.sid,
            "AccountSid": message.account,
        }
        if message.service:
            fields["MessagingServiceSid"] = message.service
        if message.error:
            fields["ErrorCode"] = str(message.error)
            fields["ErrorMessage"] = message.error_message or ""
        if message.status in ("delivered", "undelivered"):
            fields["RawDlrDoneDate"] = datetime.fromtimestamp(now, UTC).strftime("%y%m%d%H%M")
        self._gateway.world.webhooks.emit(
            url=message.callback,
            event=message.status,
            event_id=f"{message.sid}-{message.status}",
            body=urlencode(fields).encode(),
            content_type="application/x-www-form-urlencoded; charset=UTF-8",
            sign=partial(self.sign, message.account),
        )


def _way(to: str) -> Iterator[tuple[float, str, int]]:
    """(seconds, status, error) of every step of a message to a number."""
    error = delivery_error(to)
    for after, status in _STEPS:
        if error in BEFORE_SENDING:
            yield after, "failed", error
            return
        yield (after, "undelivered", error) if error and status == "delivered" else (after, status, 0)
