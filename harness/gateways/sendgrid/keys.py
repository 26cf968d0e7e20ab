"""Keys of signed events: ECDSA on P-256. A key is kept as text; cryptography is imported when one is used."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the base point of P-256 (FIPS 186-4, section D.1.2.3)."""


@lru_cache(maxsize=16)
def _private(key: str) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(int(key, 16) % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key(key: str) -> str:
    """Base64 of the SubjectPublicKeyInfo in DER, as SendGrid shows it: no PEM armour."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded = _private(key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(encoded).decode()


def sign(key: str, timestamp: str, body: bytes) -> str:
    """Base64 of the signature in DER over the timestamp and the body as it is sent."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    return base64.b64encode(_private(key).sign(timestamp.encode() + body, ec.ECDSA(SHA256()))).decode()
