"""Stripe's webhooks: whether one is genuine, and what it is about (docs.stripe.com/webhooks/signature).

An event is a hint: what it says may be old by the time it is read. What became of the payment is asked at Stripe.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.payment.adapters.stripe import PAYMENT_ID
from services.payment.errors import BadSignature, NoEvent

TOLERANCE = 300.0
"""Seconds between the signature and its check."""
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{1,12}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LONGEST_ID = 128
PAYMENT_EVENTS = frozenset(
    f"payment_intent.{name}" for name in ("succeeded", "payment_failed", "canceled", "requires_action", "processing")
)
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})


def check_signature(body: bytes, header: str, secrets: Sequence[str], *, now: float) -> None:
    """`BadSignature` unless one of the `v1` signatures was made with one of the secrets, at most 300 s ago.

    Every signature is compared with every secret, each in constant time.
    """
    times: list[str] = []
    signatures: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1" and _HEX.fullmatch(value):
            signatures.append(value)
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not signatures:
        raise BadSignature("the signature cannot be read")
    signed = times[0].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in signatures for other in expected]
    if not any(matches):
        raise BadSignature("no signature fits")
    if abs(now - int(times[0])) > TOLERANCE:
        raise BadSignature("the signature is too old, or from the future")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a webhook is about. `reference` is the payment intent, empty for what is not about payments."""

    event_id: str
    event_type: str
    reference: str = ""
    refund_id: str = ""
    """Stripe's id of the refund, for events about one."""
    payment_id: str = ""
    """The shop's own id of the payment, where the event has it."""


def notice_of(body: bytes) -> Notice:
    """What a genuine webhook says. `NoEvent` for what is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise NoEvent("the body is no JSON") from None
    id_, kind = _text(event, "id"), _text(event, "type")
    found = event.get("data") if isinstance(event, dict) else None
    about = found.get("object") if isinstance(found, dict) else None
    if not id_ or len(id_) > _LONGEST_ID or not kind or not isinstance(about, dict):
        raise NoEvent("the body is no event of Stripe")
    if kind in PAYMENT_EVENTS:
        own = _text(about.get("metadata"), PAYMENT_ID)
        return Notice(
            event_id=id_,
            event_type=kind,
            reference=_text(about, "id"),
            payment_id=own if _ID.fullmatch(own) else "",
        )
    if kind in REFUND_EVENTS:
        return Notice(
            event_id=id_, event_type=kind, reference=_text(about, "payment_intent"), refund_id=_text(about, "id")
        )
    return Notice(event_id=id_, event_type=kind)


def _text(document: Any, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""
