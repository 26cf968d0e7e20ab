"""Only tokens of the right issuer, audience, key and time are believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from services.platform.security import InvalidToken, KeySet, KeysUnavailable, TokenIssuer, TokenVerifier

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


class Published:
    """A key set that can be changed, and fetched or not."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.keys = list(keys)
        self.fetched = 0
        self.away = False

    async def __call__(self) -> Mapping[str, Any]:
        self.fetched += 1
        if self.away:
            raise ConnectionError("away")
        return {"keys": self.keys}


def published(*issuers: TokenIssuer) -> Published:
    return Published(*(key for issuer in issuers for key in issuer.key_set()["keys"]))


def forged(header: Mapping[str, Any], claims: Mapping[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    found = {"iss": "auth-service", "aud": "api-gateway", "sub": "cus_1", "iat": now, "exp": now + 60, **changed}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
async def test_a_token_of_the_issuer_is_believed(key: Any) -> None:
    issuer = TokenIssuer(key, kid="k1")
    verifier = TokenVerifier(KeySet(published(issuer)))
    principal = await verifier.verify(issuer.issue("cus_1", lifetime=60, sub="cus_2", role="admin"))
    assert (principal.subject, principal.claims["role"]) == ("cus_1", "admin")
    assert principal.token_id


def test_a_published_key_has_no_private_part() -> None:
    for key in (RSA, EC):
        [found] = TokenIssuer(key, kid="k1").key_set()["keys"]
        assert not {"d", "p", "q", "dp", "dq", "qi"} & found.keys()
        assert (found["kid"], found["use"]) == ("k1", "sig")


WRONG = {
    "foreign issuer": {"iss": "someone"},
    "no issuer": {"iss": None},
    "foreign audience": {"aud": "another-gateway"},
    "no audience": {"aud": None},
    "expired": {"exp": -61},
    "no expiry": {"exp": None},
    "expiry that is no number": {"exp": "soon"},
    "no time of issue": {"iat": None},
    "issued in the future": {"iat": 600},
    "not valid yet": {"nbf": 600},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
}
"""Numbers are seconds from now."""


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG.keys())
async def test_claims_that_are_wrong_or_missing_are_refused(changed: dict[str, Any]) -> None:
    issuer, now = TokenIssuer(EC, kid="k1"), int(time.time())
    moved = {name: now + value if isinstance(value, int) else value for name, value in changed.items()}
    token = jwt.encode(claims(**moved), EC, algorithm="ES256", headers={"kid": "k1"})
    with pytest.raises(InvalidToken):
        await TokenVerifier(KeySet(published(issuer))).verify(token)


async def test_a_token_that_expired_within_the_leeway_is_believed() -> None:
    issuer = TokenIssuer(EC, kid="k1", now=lambda: time.time() - 100)
    verifier = TokenVerifier(KeySet(published(issuer)))
    assert (await verifier.verify(issuer.issue("cus_1", lifetime=60))).subject == "cus_1"
    with pytest.raises(InvalidToken):
        await verifier.verify(issuer.issue("cus_1", lifetime=30))


async def test_a_public_key_is_never_taken_for_a_secret_and_no_signature_for_one() -> None:
    issuer = TokenIssuer(RSA, kid="k1")
    verifier = TokenVerifier(KeySet(published(issuer)))
    public = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = forged({"alg": "HS256", "kid": "k1", "typ": "JWT"}, claims()).rpartition(".")[0]
    signature = hmac.new(public, head.encode(), hashlib.sha256).digest()
    for token in (
        head + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode(),
        forged({"alg": "none", "kid": "k1"}, claims()),
        forged({"alg": "None", "kid": "k1"}, claims()),
        jwt.encode(claims(), EC, algorithm="ES256", headers={"kid": "k1"}),
    ):
        with pytest.raises(InvalidToken, match=r"the key is for RS256|Algorithm"):
            await verifier.verify(token)


async def test_tokens_of_other_keys_and_malformed_ones_are_refused() -> None:
    issuer = TokenIssuer(EC, kid="k1")
    verifier = TokenVerifier(KeySet(published(issuer)))
    good = issuer.issue("cus_1", lifetime=60)
    foreign = TokenIssuer(OTHER, kid="k1").issue("cus_1", lifetime=60)
    head, body, signature = good.split(".")
    for token in (
        foreign,
        f"{head}.{body}.{foreign.split('.')[2]}",
        f"{head}.{foreign.split('.')[1]}.{signature}",
        jwt.encode(claims(), EC, algorithm="ES256"),
        jwt.encode(claims(), EC, algorithm="ES256", headers={"kid": "k2"}),
        jwt.encode(claims(), EC, algorithm="ES256", headers={"kid": "k1", "crit": ["b64"], "b64": False}),
        "",
        "a.b.c",
        good + "x" * 10_000,
    ):
        with pytest.raises(InvalidToken):
            await verifier.verify(token)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
async def test_no_text_makes_the_verifier_fail_in_another_way(token: str) -> None:
    verifier = TokenVerifier(KeySet(published(TokenIssuer(EC, kid="k1"))))
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


async def test_weak_symmetric_and_private_keys_of_a_set_are_not_used() -> None:
    weak = TokenIssuer(rsa.generate_private_key(65537, 1024), kid="weak")  # noqa: S505 that is the point
    other_curve = ec.generate_private_key(ec.SECP384R1())
    keys = [
        *weak.key_set()["keys"],
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"},
        {**TokenIssuer(EC, kid="private").key_set()["keys"][0], "d": "AQAB"},
        {**jwt.algorithms.ECAlgorithm.to_jwk(other_curve.public_key(), as_dict=True), "kid": "p384"},
        {"kid": "broken", "kty": "EC", "crv": "P-256", "x": "!", "y": "!"},
    ]
    found = KeySet(Published(*keys))
    for kid in ("weak", "shared", "private", "p384", "broken"):
        with pytest.raises(KeysUnavailable):
            await found.find(kid)


async def test_a_new_key_is_fetched_when_its_first_token_comes_but_not_at_every_guess() -> None:
    now = 0.0
    old, new = TokenIssuer(EC, kid="old"), TokenIssuer(OTHER, kid="new")
    source = published(old)
    verifier = TokenVerifier(KeySet(source, clock=lambda: now))
    await verifier.verify(old.issue("cus_1", lifetime=60))
    source.keys += new.key_set()["keys"]
    for _ in range(5):
        with pytest.raises(InvalidToken, match="unknown key 'new'"):
            await verifier.verify(new.issue("cus_1", lifetime=60))
    assert source.fetched == 1
    now = 10.0
    await verifier.verify(new.issue("cus_1", lifetime=60))
    assert source.fetched == 2


async def test_keys_are_used_on_while_their_issuer_is_away_and_a_revoked_one_is_forgotten() -> None:
    now = 0.0
    issuer = TokenIssuer(EC, kid="k1")
    source = published(issuer)
    verifier = TokenVerifier(KeySet(source, clock=lambda: now))
    token = issuer.issue("cus_1", lifetime=60)
    source.away = True
    with pytest.raises(KeysUnavailable):
        await verifier.verify(token)
    source.away, now = False, 10.0
    await verifier.verify(token)
    source.away, now = True, 400.0
    await verifier.verify(token)
    source.away, now = False, 800.0
    source.keys = TokenIssuer(OTHER, kid="k2").key_set()["keys"]
    with pytest.raises(InvalidToken, match="unknown key"):
        await verifier.verify(token)
