"""Access tokens: JWTs (RFC 7519) signed with ES256 or RS256, and the key set (RFC 7517) that verifies them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from services.platform.security import TokenIssuer

LIFETIME = timedelta(minutes=15)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
SMALLEST_RSA = 2048
_THUMBPRINT = frozenset({"crv", "e", "kty", "n", "x", "y"})
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class BadSigningKey(Exception):
    """What was given is no private key that tokens may be signed with."""


class AccessTokens:
    """Signs with the first of the keys; all of them are in the key set, so that tokens in flight stay valid."""

    def __init__(self, keys: Sequence[PrivateKey], *, lifetime: timedelta = LIFETIME) -> None:
        if not keys:
            raise BadSigningKey("there is no signing key")
        self._issuers = [TokenIssuer(key, kid=thumbprint(key)) for key in keys]
        self.lifetime = lifetime
        self.key_set: tuple[Mapping[str, str], ...] = tuple(
            key for issuer in self._issuers for key in issuer.key_set()["keys"]
        )
        """The public keys."""

    def issue(self, customer_id: str, session_id: str) -> str:
        """A token for the customer, valid from now on."""
        return self._issuers[0].issue(customer_id, lifetime=self.lifetime.total_seconds(), sid=session_id)


def new_key() -> PrivateKey:
    """A P-256 key that nobody else has."""
    return ec.generate_private_key(ec.SECP256R1())


def read_keys(text: str) -> tuple[PrivateKey, ...]:
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
        found.append(key)
    return tuple(found)


def thumbprint(key: PrivateKey) -> str:
    """The name of a key that everybody computes alike (RFC 7638)."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        members = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        members = ECAlgorithm.to_jwk(public, as_dict=True)
    needed = {name: members[name] for name in sorted(members) if name in _THUMBPRINT}
    canonical = json.dumps(needed, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
