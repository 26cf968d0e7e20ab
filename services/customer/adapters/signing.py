"""Access tokens: JWTs (RFC 7519) signed with ES256 or RS256, and the key set (RFC 7517) that verifies them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ISSUER = "auth-service"
AUDIENCE = "api-gateway"
LIFETIME = timedelta(minutes=15)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
SMALLEST_RSA = 2048
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class BadSigningKey(Exception):
    """What was given is no private key that tokens may be signed with."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and its public half as a JSON Web Key; `kid` is the thumbprint of RFC 7638."""

    private: PrivateKey = field(repr=False)
    public: Mapping[str, str]

    @property
    def kid(self) -> str:
        """What headers of tokens call it."""
        return self.public["kid"]

    @property
    def algorithm(self) -> str:
        """`ES256` or `RS256`."""
        return self.public["alg"]


class AccessTokens:
    """Signs with the first of the keys; all of them are in the key set, so that tokens in flight stay valid."""

    def __init__(self, keys: Sequence[SigningKey], *, lifetime: timedelta = LIFETIME) -> None:
        if not keys:
            raise BadSigningKey("there is no signing key")
        self._signing = keys[0]
        self.lifetime = lifetime
        self.key_set = tuple(key.public for key in keys)
        """The public keys."""

    def issue(self, customer_id: str, session_id: str, now: datetime) -> str:
        """A token for the customer, valid from now on."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": customer_id,
            "sid": session_id,
            "jti": uuid.uuid4().hex,
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
        }
        signing = self._signing
        return jwt.encode(claims, signing.private, algorithm=signing.algorithm, headers={"kid": signing.kid})


def new_key() -> SigningKey:
    """A P-256 key that nobody else has."""
    return _signing_key(ec.generate_private_key(ec.SECP256R1()))


def read_keys(text: str) -> tuple[SigningKey, ...]:
    """The private keys in a text of PEM blocks, without passwords; `\\n` may stand for line ends.

    `BadSigningKey` for anything but EC keys on P-256 and RSA keys of 2048 bits or more.
    """
    blocks = _PEM.findall(text.replace("\\n", "\n"))
    if not blocks:
        raise BadSigningKey("no PEM block with a private key")
    found = []
    for block in blocks:
        try:
            key = load_pem_private_key(block.encode(), password=None)
        except (ValueError, TypeError) as error:
            raise BadSigningKey("a private key cannot be read") from error
        fits = (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)) or (
            isinstance(key, rsa.RSAPrivateKey) and key.key_size >= SMALLEST_RSA
        )
        if not fits or not isinstance(key, PrivateKey):
            raise BadSigningKey(f"keys must be EC on P-256, or RSA of {SMALLEST_RSA} bits or more")
        found.append(_signing_key(key))
    return tuple(found)


def _signing_key(key: PrivateKey) -> SigningKey:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        needed = {"crv": "P-256", "kty": "EC", "x": _octets(point.x, 32), "y": _octets(point.y, 32)}
        algorithm = "ES256"
    else:
        numbers = key.public_key().public_numbers()
        sizes = (numbers.e.bit_length() + 7) // 8, (numbers.n.bit_length() + 7) // 8
        needed = {"e": _octets(numbers.e, sizes[0]), "kty": "RSA", "n": _octets(numbers.n, sizes[1])}
        algorithm = "RS256"
    canonical = json.dumps(needed, separators=(",", ":"), sort_keys=True).encode()
    kid = _text(hashlib.sha256(canonical).digest())
    return SigningKey(key, {**needed, "kid": kid, "alg": algorithm, "use": "sig"})


def _octets(number: int, length: int) -> str:
    return _text(number.to_bytes(length, "big"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
