"""What becomes of a mail, and the event webhook that tells it.

Local parts of our own decide (a `+tag` may follow them): `bounce` (550 5.1.1), `block` (a bounce of type blocked),
`defer` (deferred, then delivered), `drop` (dropped), `spam` (delivered, then reported), `open` (delivered, then
opened), `click` (delivered, opened, clicked). Any other address is delivered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.gateways.sendgrid.keys import sign
from harness.gateways.sendgrid.state import KINDS, MailMessage
from harness.gateways.webhooks import Stamp

if TYPE_CHECKING:
    from harness.gateways.sendgrid.gateway import SendgridGateway

DELIVERED_AFTER = 0.5
DEFERRED_FOR = 5.0
READ_AFTER = 1.0
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
_LATER: Mapping[str, tuple[tuple[float, str], ...]] = {
    "bounce": ((DELIVERED_AFTER, "bounce"),),
    "block": ((DELIVERED_AFTER, "block"),),
    "defer": ((DELIVERED_AFTER, "deferred"), (DELIVERED_AFTER + DEFERRED_FOR, "delivered")),
    "drop": (),
    "spam": ((DELIVERED_AFTER, "delivered"), (DELIVERED_AFTER + READ_AFTER, "spamreport")),
    "open": ((DELIVERED_AFTER, "delivered"), (DELIVERED_AFTER + READ_AFTER, "open")),
    "click": (
        (DELIVERED_AFTER, "delivered"),
        (DELIVERED_AFTER + READ_AFTER, "open"),
        (DELIVERED_AFTER + READ_AFTER, "click"),
    ),
}
_ELSE = ((DELIVERED_AFTER, "delivered"),)
_AGENT = "Mozilla/5.0 (mock reader)"
_FACTS: Mapping[str, Mapping[str, Any]] = {
    "deferred": {"response": "450 4.2.1 mailbox busy, try again later", "attempt": "1", "tls": 1},
    "delivered": {"response": "250 OK", "tls": 1},
    "bounce": {
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "status": "5.1.1",
        "type": "bounce",
        "bounce_classification": "Invalid Address",
        "tls": 1,
    },
    "block": {
        "reason": "550 5.7.1 Message rejected due to content restrictions.",
        "status": "5.7.1",
        "type": "blocked",
        "bounce_classification": "Content",
        "tls": 1,
    },
    "dropped": {"reason": "Bounced Address", "status": "5.0.0"},
    "open": {"useragent": _AGENT, "ip": "192.0.2.7", "sg_machine_open": False},
    "click": {"useragent": _AGENT, "ip": "192.0.2.7", "url": "https://example.com/"},
}
_LEDGER = {"delivered": "delivered", "deferred": "deferred", "bounce": "bounced", "dropped": "dropped"}


class Delivery:
    """Moves messages on and posts batches of events, one batch a kind of event."""

    def __init__(self, gateway: SendgridGateway) -> None:
        self._gateway = gateway

    def begin(self, messages: Sequence[MailMessage], delay: float) -> None:
        """Plan it all: after `delay` seconds they are processed; what follows is up to the addresses."""
        plan: dict[tuple[float, str], list[str]] = {}
        for message in messages:
            local = _local_part(message)
            plan.setdefault((0.0, "dropped" if local == "drop" else "processed"), []).append(message.msg_id)
            for step in _LATER.get(local, _ELSE) if self._gateway.state.automatic else ():
                plan.setdefault(step, []).append(message.msg_id)
        now = self._gateway.world.clock.now()
        for (after, what), batch in plan.items():
            wait = max(delay, 0.0) + after
            if wait == 0:
                self.happen(batch, what)
            else:
                self._gateway.world.agenda.after(wait, partial(self._arrive, tuple(batch), what, now + wait))

    def happen(
        self, ids: Iterable[str], what: str, facts: Mapping[str, Any] | None = None, at: float | None = None
    ) -> list[dict[str, Any]]:
        """Something happens to messages (`block` or a kind of event); returns the events.

        `at`: when it was due, which the clock may have jumped over.
        """
        kind = "bounce" if what == "block" else what
        told = {**_FACTS.get(what, {}), **(facts or {})}
        found = [self._gateway.state.messages[each] for each in ids if each in self._gateway.state.messages]
        when = self._gateway.world.clock.now() if at is None else at
        events = [self._event(message, kind, told, when) for message in found]
        if events:
            self._post(kind, events)
        return events

    def headers(self, stamp: Stamp) -> Mapping[str, str]:
        """The signature of one attempt. A rotated secret is a new key, which the settings show from then on."""
        state = self._gateway.state
        agent = {"User-Agent": "SendGrid Event API"}
        if not state.signed:
            return agent
        if stamp.rotated:
            state.key = self._gateway.world.ids.hex(64)
        key = f"{int(state.key, 16) + 1:x}" if stamp.bad else state.key
        at = str(int(stamp.at))
        return {**agent, TIMESTAMP: at, SIGNATURE: sign(key, at, stamp.body)}

    def _arrive(self, ids: tuple[str, ...], what: str, due: float) -> None:
        self.happen(ids, what, at=due)

    def _event(self, message: MailMessage, kind: str, facts: Mapping[str, Any], at: float) -> dict[str, Any]:
        world = self._gateway.world
        message.happened(kind, at, dict(facts))
        if kind in _LEDGER:
            world.ledger.update(message.msg_id, status=_LEDGER[kind])
        event: dict[str, Any] = {
            **message.arguments,
            "email": message.to_email,
            "timestamp": int(at),
            "smtp-id": f"<{message.request_id}@geopod-ismtpd-mock>",
            "event": kind,
            "sg_event_id": world.ids.token(22),
            "sg_message_id": message.msg_id,
            **facts,
        }
        if message.categories:
            event["category"] = list(message.categories)
        if message.asm_group_id:
            event["asm_group_id"] = message.asm_group_id
        return event

    def _post(self, kind: str, events: list[dict[str, Any]]) -> None:
        settings = self._gateway.state.settings
        if not settings["enabled"] or not settings["url"] or not settings[KINDS[kind]]:
            return
        body = "[" + ",\r\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in events) + "]"
        self._gateway.world.webhooks.emit(
            url=settings["url"],
            event=kind,
            event_id=events[0]["sg_event_id"],
            body=(body + "\r\n").encode(),
            sign=self.headers,
        )


def _local_part(message: MailMessage) -> str:
    return message.to_email.partition("@")[0].partition("+")[0].lower()
