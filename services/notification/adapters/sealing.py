"""Personal data at rest: AES-256-GCM, bound to the record that it belongs to."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"


class Unreadable(Exception):
    """Sealed with another key, for another record, or damaged."""


class Vault:
    """Seals and opens small records. `key` is 32 bytes in base64; ValueError for anything else, which is not quoted."""

    def __init__(self, key: str) -> None:
        try:
            raw = base64.b64decode(key, validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a data key is {KEY_BYTES} bytes in base64")
        self._cipher = AESGCM(raw)

    def seal(self, record: Mapping[str, str], *, of: str) -> bytes:
        """The record, readable with `open` and the same `of` only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(dict(record), ensure_ascii=False).encode()
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, of.encode())

    def open(self, sealed: bytes, *, of: str) -> dict[str, str]:
        """What was sealed. `Unreadable`."""
        if sealed[:1] != _FORMAT:
            raise Unreadable(f"the record of {of} has an unknown format")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            plain = self._cipher.decrypt(nonce, body, of.encode())
        except InvalidTag:
            raise Unreadable(f"the record of {of} cannot be opened with this key") from None
        found: dict[str, str] = json.loads(plain)
        return found
