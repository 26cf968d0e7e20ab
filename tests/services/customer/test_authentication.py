"""Logging in, refreshing, logging out; the tokens are verified as the gateway does it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.json_format import MessageToDict
from shop.customer.v1 import authentication_pb2
from shop.runtime.errors import InvalidArgument, ResourceExhausted, Unauthenticated
from sqlalchemy import text

from services.customer.adapters.passwords import Cost, Passwords
from services.customer.adapters.signing import AccessTokens, BadSigningKey, PrivateKey, read_keys
from services.platform.security import InvalidToken, KeySet, TokenVerifier
from tests.services.customer.conftest import ATTEMPTS, PASSWORD, Desk
from tests.services.served import reason


def verifier(desk: Desk) -> TokenVerifier:
    async def fetch() -> Mapping[str, Any]:
        answer = await desk.authentication.get_signing_keys(authentication_pb2.GetSigningKeysRequest())
        return MessageToDict(answer, preserving_proto_field_name=True)

    return TokenVerifier(KeySet(fetch))


async def refused(desk: Desk, token: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await desk.refresh(token)
    return reason(error.value).code


async def test_an_access_token_is_verified_by_the_published_keys(desk: Desk) -> None:
    made = await desk.register()
    tokens = await desk.log_in("ADA@example.com")
    assert (tokens.token_type, tokens.expires_in, tokens.customer_id) == ("Bearer", 900, made.customer_id)
    principal = await verifier(desk).verify(tokens.access_token)
    assert principal.subject == made.customer_id
    assert principal.claims["exp"] - principal.claims["iat"] == 900
    again = await verifier(desk).verify((await desk.log_in()).access_token)
    assert again.token_id != principal.token_id
    with pytest.raises(InvalidToken):
        await verifier(desk).verify(tokens.access_token[:-6] + "AAAAAA")


async def test_the_key_set_has_no_private_part(desk: Desk) -> None:
    answer = await desk.authentication.get_signing_keys(authentication_pb2.GetSigningKeysRequest())
    [key] = answer.keys
    assert (key.kty, key.alg, key.use, key.crv) == ("EC", "ES256", "sig", "P-256")
    assert not key.HasField("n")
    assert "d" not in MessageToDict(key)


async def test_a_wrong_password_and_an_unknown_address_answer_alike(desk: Desk) -> None:
    await desk.register()
    answers = []
    for email, password in (("ada@example.com", "wrong password"), ("bob@example.com", PASSWORD), ("", "")):
        with pytest.raises(Unauthenticated) as error:
            await desk.log_in(email, password)
        answers.append((error.value.message, reason(error.value).code))
    assert set(answers) == {("e-mail address or password is wrong", "BAD_CREDENTIALS")}


async def test_an_account_that_is_locked_is_refused_after_the_right_password_only(desk: Desk) -> None:
    await desk.register()
    async with desk.database.transaction() as connection:
        await connection.execute(text("UPDATE customers SET status = 'suspended'"))
    codes = []
    for password in (PASSWORD, "wrong password"):
        with pytest.raises(Unauthenticated) as error:
            await desk.log_in(password=password)
        codes.append(reason(error.value).code)
    assert codes == ["ACCOUNT_LOCKED", "BAD_CREDENTIALS"]


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_too_many_attempts_are_refused_for_a_while_whoever_has_the_address(desk: Desk, email: str) -> None:
    await desk.register()
    for _ in range(ATTEMPTS.allowed):
        with pytest.raises(Unauthenticated):
            await desk.log_in(email, "wrong password")
    with pytest.raises(ResourceExhausted) as error:
        await desk.authentication.authenticate(
            authentication_pb2.AuthenticateRequest(email=email, password=PASSWORD), deadline=2.0
        )
    assert timedelta(0) < reason(error.value).retry_after.ToTimedelta() <= ATTEMPTS.window
    desk.clock.advance(ATTEMPTS.window)
    if email == "ada@example.com":
        await desk.log_in()
    else:
        with pytest.raises(Unauthenticated):
            await desk.log_in(email)


async def test_guesses_at_the_same_time_count_all(desk: Desk) -> None:
    await desk.register()
    answers = await asyncio.gather(
        *(
            desk.authentication.authenticate(
                authentication_pb2.AuthenticateRequest(email="ada@example.com", password=f"wrong password {n}"),
                deadline=2.0,
            )
            for n in range(12)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Unauthenticated) for each in answers) == ATTEMPTS.allowed


async def test_a_right_password_ends_the_row_of_wrong_ones(desk: Desk) -> None:
    await desk.register()
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await desk.log_in(password="wrong password")
        with pytest.raises(Unauthenticated):
            await desk.log_in(password="wrong password")
        await desk.log_in()


async def test_each_refresh_token_works_once_and_using_it_again_ends_the_session(desk: Desk) -> None:
    await desk.register()
    first = await desk.log_in()
    other = await desk.log_in()
    second = await desk.refresh(first.refresh_token)
    third = await desk.refresh(second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert await refused(desk, first.refresh_token) == "BAD_REFRESH_TOKEN"
    assert await refused(desk, third.refresh_token) == "BAD_REFRESH_TOKEN"
    await desk.refresh(other.refresh_token)


async def test_of_refreshes_at_the_same_time_one_succeeds_and_the_session_ends(desk: Desk) -> None:
    await desk.register()
    token = (await desk.log_in()).refresh_token
    await desk.connect()
    answers = await asyncio.gather(*(desk.refresh(token) for _ in range(8)), return_exceptions=True)
    [won] = [each for each in answers if isinstance(each, authentication_pb2.TokenSet)]
    assert await refused(desk, won.refresh_token) == "BAD_REFRESH_TOKEN"


async def test_a_refresh_token_expires(desk: Desk) -> None:
    await desk.register()
    token = (await desk.log_in()).refresh_token
    desk.clock.advance(timedelta(days=30))
    assert await refused(desk, token) == "BAD_REFRESH_TOKEN"
    for wrong in ("", "rt_unknown", "x" * 600):
        assert await refused(desk, wrong) == "BAD_REFRESH_TOKEN"


async def test_logging_out_with_any_token_of_a_session_ends_it(desk: Desk) -> None:
    await desk.register()
    first = await desk.log_in()
    second = await desk.refresh(first.refresh_token)
    for token in (first.refresh_token, first.refresh_token, "rt_unknown"):
        await desk.authentication.revoke_token(authentication_pb2.RevokeTokenRequest(refresh_token=token))
    assert await refused(desk, second.refresh_token) == "BAD_REFRESH_TOKEN"
    with pytest.raises(InvalidArgument):
        await desk.authentication.revoke_token(authentication_pb2.RevokeTokenRequest())


async def test_no_token_is_stored_as_it_is(desk: Desk) -> None:
    await desk.register()
    token = (await desk.log_in()).refresh_token
    async with desk.database.transaction() as connection:
        stored = (await connection.execute(text("SELECT token_hash FROM refresh_tokens"))).scalar_one()
    assert token.encode() not in stored
    assert len(stored) == 32


def pem(key: PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def test_after_a_rotation_tokens_of_the_key_before_stay_valid() -> None:
    old, new = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    before = AccessTokens(read_keys(pem(old))).issue("cus_1", "ses_1")
    after = AccessTokens(read_keys((pem(new) + pem(old)).replace("\n", "\\n")))

    async def fetch() -> Mapping[str, Any]:
        return {"keys": list(after.key_set)}

    verify = TokenVerifier(KeySet(fetch)).verify
    assert [key["alg"] for key in after.key_set] == ["RS256", "ES256"]
    for token in (before, after.issue("cus_1", "ses_1")):
        assert (await verify(token)).subject == "cus_1"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505 it is to be refused
    ],
)
def test_a_key_that_tokens_must_not_be_signed_with_is_refused(given: str) -> None:
    with pytest.raises(BadSigningKey) as error:
        read_keys(given)
    assert "AAAA" not in str(error.value)


async def test_a_hash_fits_its_password_and_no_other() -> None:
    passwords = Passwords(Cost(n=16, p=1))
    stored = await passwords.hash(PASSWORD)
    assert stored != await passwords.hash(PASSWORD)
    assert await passwords.fits(PASSWORD, stored)
    assert not await passwords.fits(PASSWORD + " ", stored)
    assert not await passwords.fits(PASSWORD, None)
    assert await Passwords(Cost(n=32, p=2)).fits(PASSWORD, stored), "the cost is stored beside the hash"
