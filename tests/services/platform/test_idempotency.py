"""A command that is repeated with its key is done once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.platform.database import Database
from services.platform.idempotency import Answered, Claim, IdempotencyKeys, KeyInUse, KeyReused, fingerprint
from services.platform.refusals import code_of

PAY, OTHER = fingerprint(b"pay 5"), fingerprint(b"pay 6")


@pytest.fixture
def keys(database: Database) -> IdempotencyKeys:
    return IdempotencyKeys(database, lease=timedelta(seconds=0.3))


async def claimed(keys: IdempotencyKeys, key: str = "k", request: bytes = PAY, scope: str = "Pay") -> Claim:
    found = await keys.claim(scope, key, request)
    assert isinstance(found, Claim)
    return found


async def answer(database: Database, keys: IdempotencyKeys, claim: Claim, result: bytes = b"paid") -> None:
    async with database.transaction() as connection:
        await keys.answer(connection, claim, result)


async def test_a_repetition_gets_the_first_answer(database: Database, keys: IdempotencyKeys) -> None:
    await answer(database, keys, await claimed(keys))
    assert await keys.claim("Pay", "k", PAY) == Answered(b"paid")
    assert await keys.claim("Pay", "k", PAY) == Answered(b"paid")


async def test_keys_of_other_commands_are_other_keys(database: Database, keys: IdempotencyKeys) -> None:
    await answer(database, keys, await claimed(keys))
    await claimed(keys, scope="Refund")
    await claimed(keys, key="l")


async def test_a_key_with_another_request_is_refused_while_it_is_at_work_and_after(
    database: Database, keys: IdempotencyKeys
) -> None:
    claim = await claimed(keys)
    with pytest.raises(KeyReused):
        await keys.claim("Pay", "k", OTHER)
    await answer(database, keys, claim)
    with pytest.raises(KeyReused) as refused:
        await keys.claim("Pay", "k", OTHER)
    assert code_of(refused.value) == "IDEMPOTENCY_KEY_REUSED"


async def test_of_repetitions_at_a_time_one_works_and_the_others_are_told_to_wait(keys: IdempotencyKeys) -> None:
    results = await asyncio.gather(*(keys.claim("Pay", "k", PAY) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, Claim) for each in results) == 1
    waiting = [each for each in results if isinstance(each, KeyInUse)]
    assert [code_of(each) for each in waiting] == ["REQUEST_IN_PROGRESS"] * 9


async def test_a_command_whose_process_died_is_done_by_the_next_repetition(
    database: Database, keys: IdempotencyKeys
) -> None:
    dead = await claimed(keys)
    await asyncio.sleep(0.35)
    with pytest.raises(KeyReused):
        await keys.claim("Pay", "k", OTHER)
    alive = await claimed(keys)
    with pytest.raises(KeyInUse):
        await answer(database, keys, dead, b"late")
    await answer(database, keys, alive)
    assert await keys.claim("Pay", "k", PAY) == Answered(b"paid")


async def test_a_claim_is_kept_as_long_as_its_holder_works_and_free_when_it_fails(keys: IdempotencyKeys) -> None:
    claim = await claimed(keys)

    async def fail() -> None:
        async with keys.holding(claim):
            await asyncio.sleep(0.6)
            with pytest.raises(KeyInUse):
                await keys.claim("Pay", "k", PAY)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await fail()
    await claimed(keys)


async def test_an_answer_lives_and_dies_with_the_effect(database: Database, keys: IdempotencyKeys) -> None:
    claim = await claimed(keys)

    async def fail() -> None:
        async with keys.holding(claim), database.transaction() as connection:
            await keys.answer(connection, claim, b"paid")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await fail()
    await answer(database, keys, await claimed(keys), b"second")
    assert await keys.claim("Pay", "k", PAY) == Answered(b"second")


async def test_after_a_day_a_key_is_new_again(database: Database, keys: IdempotencyKeys) -> None:
    await answer(database, keys, await claimed(keys))
    async with database.transaction() as connection:
        left = await connection.execute(
            text("SELECT extract(epoch FROM expires_at - clock_timestamp()) FROM idempotency_keys")
        )
        assert 86_000 < float(left.scalar_one()) <= 86_400
        await connection.execute(text("UPDATE idempotency_keys SET expires_at = clock_timestamp()"))
    await answer(database, keys, await claimed(keys, request=OTHER), b"new")
    assert await keys.forget() == 0
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE idempotency_keys SET expires_at = clock_timestamp()"))
    assert await keys.forget() == 1


def test_a_fingerprint_tells_where_one_part_ends() -> None:
    assert fingerprint(b"ab", b"c") != fingerprint(b"a", b"bc")
    assert fingerprint(b"ab", b"c") == fingerprint(b"ab", b"c")
