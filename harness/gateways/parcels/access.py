"""Access tokens of OAuth 2.0: signed, so that they outlive a reset, and valid by the mock's clock."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import Enum

from harness.gateways.gateway import World

_SIGNATURE = 24


class Standing(Enum):
    """What is to be said of a token."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def acceptable(*credentials: str) -> bool:
    """Any that are not empty, except those with `invalid` or `expired` in them."""
    return all(each and "invalid" not in each.lower() and "expired" not in each.lower() for each in credentials)


class Tokens:
    """Issues and checks the tokens of one mock."""

    def __init__(self, world: World, issuer: str, lifetime: int) -> None:
        """`lifetime` in seconds."""
        self.lifetime = lifetime
        self._world = world
        self._key = hashlib.sha256(f"treaty mock of {issuer}".encode()).digest()

    def issue(self, client: str, serial: int) -> str:
        """A token that is valid from now on; `serial` counts tokens from 1."""
        now = self._world.clock.now()
        payload = f"{now:.3f}:{serial}:{self._world.ids.token(8)}:{client}".encode()
        return base64.urlsafe_b64encode(self._sign(payload) + payload).decode().rstrip("=")

    def check(self, token: str, revoked: int = 0) -> Standing:
        """`revoked`: tokens up to this serial number are expired."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return Standing.UNKNOWN
        signature, payload = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(payload)):
            return Standing.UNKNOWN
        issued, serial, _ = payload.split(b":", 2)
        live = int(serial) > revoked and self._world.clock.now() < float(issued) + self.lifetime
        return Standing.VALID if live else Standing.EXPIRED

    def _sign(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, "sha256").digest()[:_SIGNATURE]
