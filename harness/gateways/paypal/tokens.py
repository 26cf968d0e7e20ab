"""Access tokens that carry their client and their end, so that they outlive a reset or a restart of the mock."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

LIFETIME = 32400
"""Seconds, as PayPal's `expires_in`."""
_PREFIX = "A21AA"
_KEY = b"the mock's own; its tokens open nothing else"


def issue(client: str, now: float, nonce: str) -> str:
    """A token for a client, from now on."""
    claims = json.dumps({"c": client, "e": int(now) + LIFETIME, "n": nonce}, separators=(",", ":")).encode()
    return _PREFIX + _text(claims) + "." + _text(_seal(claims))


def client_of(token: str, now: float) -> str | None:
    """Whose token it is; None when it is unknown or its time is over."""
    head, dot, tail = token.removeprefix(_PREFIX).partition(".")
    if not token.startswith(_PREFIX) or not dot:
        return None
    try:
        claims = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
        seal = base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4))
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(seal, _seal(claims)):
        return None
    said = json.loads(claims)
    return str(said["c"]) if now < said["e"] else None


def _seal(claims: bytes) -> bytes:
    return hmac.new(_KEY, claims, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
