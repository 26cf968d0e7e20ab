"""Access tokens: JSON Web Tokens (RFC 7519) that one service signs and others verify by its published keys.

The algorithm of a token is that of the key its `kid` names, never what its header asks for: keys are RSA (RS256, at
least 2048 bits) or P-256 (ES256), symmetric ones are refused, so no public key can be taken for a secret.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

LOG = logging.getLogger(__name__)
_LONGEST_TOKEN = 8192
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]


class InvalidToken(Exception):
    """The token is not to be trusted; the message says why, for the log and not for its bearer."""


class KeysUnavailable(Exception):
    """There are no keys to verify with: they could not be fetched, now or before."""


@dataclass(frozen=True, slots=True)
class _Key:
    algorithm: str
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


FetchKeys = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gets a JSON Web Key Set, such as that of the gateway's `getSigningKeys`."""


class KeySet:
    """Keys by `kid`, fetched anew every `lifetime` seconds, and for an unknown `kid` at most every `spacing` seconds.

    When fetching fails, the keys that are there are used on.
    """

    def __init__(
        self,
        fetch: FetchKeys,
        *,
        lifetime: float = 300.0,
        spacing: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._lifetime = lifetime
        self._spacing = spacing
        self._clock = clock
        self._keys: dict[str, _Key] = {}
        self._tried_at = float("-inf")
        self._fetched_at = float("-inf")

    async def find(self, kid: str) -> _Key:
        """The key of that name. `InvalidToken` when there is none, `KeysUnavailable` when there are none at all."""
        now = self._clock()
        stale = now - self._fetched_at >= self._lifetime
        if (stale or kid not in self._keys) and now - self._tried_at >= self._spacing:
            self._tried_at = now
            await self._refresh(now)
        if kid in self._keys:
            return self._keys[kid]
        if not self._keys:
            raise KeysUnavailable("no signing keys")
        raise InvalidToken(f"unknown key {kid[:64]!r}")

    async def _refresh(self, now: float) -> None:
        try:
            found = await self._fetch()
        except Exception as error:  # noqa: BLE001 whatever is wrong with the issuer, the keys that are there stay
            LOG.warning("signing keys not fetched: %s", error)
            return
        keys: dict[str, _Key] = {}
        for each in found.get("keys", ()):
            try:
                keys[each["kid"]] = _read_key(each)
            except (InvalidToken, KeyError, ValueError, TypeError, jwt.InvalidKeyError) as error:
                LOG.warning("a signing key is not used: %s", error)
        if keys:
            self._keys, self._fetched_at = keys, now


def _read_key(found: Mapping[str, Any]) -> _Key:
    kind, use = found.get("kty"), found.get("use", "sig")
    if use != "sig" or "d" in found:
        raise InvalidToken("not a public signing key")
    if kind == "RSA" and found.get("alg", "RS256") == "RS256":
        key = RSAAlgorithm.from_jwk(dict(found))
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
            return _Key("RS256", key)
    if kind == "EC" and found.get("crv") == "P-256" and found.get("alg", "ES256") == "ES256":
        curve = ECAlgorithm.from_jwk(dict(found))
        if isinstance(curve, ec.EllipticCurvePublicKey):
            return _Key("ES256", curve)
    raise InvalidToken(f"a key of kind {kind!r} that is neither RS256 nor ES256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who presented a valid token. `claims` are all of them."""

    subject: str
    token_id: str | None
    claims: Mapping[str, Any] = field(default_factory=dict)


class TokenVerifier:
    """Verifies tokens of one issuer for one audience. `leeway` in seconds (contract of the gateway: at most 60)."""

    def __init__(
        self, keys: KeySet, *, issuer: str = "auth-service", audience: str = "api-gateway", leeway: float = 60.0
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway

    async def verify(self, token: str) -> Principal:
        """Who the token speaks for. `InvalidToken` otherwise, `KeysUnavailable` when nobody can tell."""
        if len(token) > _LONGEST_TOKEN:
            raise InvalidToken("too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from error
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:
            raise InvalidToken("no key id")
        if "crit" in header:
            raise InvalidToken("critical header parameters that nobody here knows")
        key = await self._keys.find(kid)
        if header.get("alg") != key.algorithm:
            raise InvalidToken(f"signed with {header.get('alg')!r}, the key is for {key.algorithm}")
        try:
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": _REQUIRED},
            )
        except jwt.InvalidTokenError as error:
            raise InvalidToken(str(error)) from error
        if not claims["sub"]:
            raise InvalidToken("no subject")
        return Principal(subject=claims["sub"], token_id=claims.get("jti"), claims=claims)


class TokenIssuer:
    """Signs tokens with a private key, RSA (RS256) or P-256 (ES256)."""

    def __init__(
        self,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
        *,
        kid: str,
        issuer: str = "auth-service",
        audience: str = "api-gateway",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        self._kid = kid
        self._issuer = issuer
        self._audience = audience
        self._now = now

    def issue(self, subject: str, *, lifetime: float, **claims: Any) -> str:
        """A token for the subject that is valid for `lifetime` seconds. The standard claims cannot be overridden."""
        now = int(self._now())
        payload = {
            **claims,
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": now,
            "exp": now + int(lifetime),
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(payload, self._key, algorithm=self._algorithm, headers={"kid": self._kid})

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set to publish."""
        public = self._key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            found = RSAAlgorithm.to_jwk(public, as_dict=True)
        else:
            found = ECAlgorithm.to_jwk(public, as_dict=True)
        found = {name: value for name, value in found.items() if name != "key_ops"}
        return {"keys": [{**found, "kid": self._kid, "use": "sig", "alg": self._algorithm}]}
