"""Commands with an idempotency key that do nothing outside one transaction: the first answer is kept and given again.

The key is claimed by the first statement of the transaction. A repetition that arrives while the first call runs waits
for it at that row: it gets the answer when the first commits, and does the work when the first rolls back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from google.protobuf.message import Message
from shop.runtime.errors import FailedPrecondition
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.database import Conflict, Database
from services.platform.refusals import invalid, refusal
from services.platform.tables import IDEMPOTENCY

ResponseT = TypeVar("ResponseT", bound=Message)
KEPT = timedelta(hours=24)
"""The parameter Idempotency-Key in contracts/gateway/v1/openapi.yaml."""
LONGEST_KEY = 255


async def first_answer(
    database: Database,
    work: Callable[[AsyncConnection], Awaitable[ResponseT]],
    *,
    scope: str,
    key: str,
    fingerprint: bytes,
    response: type[ResponseT],
    kept: timedelta = KEPT,
) -> ResponseT:
    """Do `work` in a transaction once per (`scope`, `key`); later calls get the answer of the first.

    `InvalidArgument` without a key, `FailedPrecondition` with the code IDEMPOTENCY_KEY_REUSED when the first call had
    another `fingerprint`. When `work` raises, nothing is kept.
    """
    if not 1 <= len(key) <= LONGEST_KEY:
        raise invalid("idempotency_key", f"must have 1 to {LONGEST_KEY} characters")

    async def once(connection: AsyncConnection) -> ResponseT:
        if not await _claim(connection, scope, key, fingerprint, kept):
            return response.FromString(await _kept(connection, scope, key, fingerprint))
        answer = await work(connection)
        done = IDEMPOTENCY.update().where(IDEMPOTENCY.c.scope == scope, IDEMPOTENCY.c.key == key)
        await connection.execute(done.values(result=answer.SerializeToString()))
        return answer

    return await database.run(once)


async def _claim(connection: AsyncConnection, scope: str, key: str, fingerprint: bytes, kept: timedelta) -> bool:
    claim = insert(IDEMPOTENCY).values(
        scope=scope, key=key, fingerprint=fingerprint, token="", expires_at=func.clock_timestamp() + kept
    )
    fresh = claim.on_conflict_do_update(
        index_elements=["scope", "key"],
        set_={"fingerprint": fingerprint, "result": None, "expires_at": claim.excluded.expires_at},
        where=IDEMPOTENCY.c.expires_at <= func.clock_timestamp(),
    )
    return (await connection.execute(fresh.returning(IDEMPOTENCY.c.key))).first() is not None


async def _kept(connection: AsyncConnection, scope: str, key: str, fingerprint: bytes) -> bytes:
    asked = select(IDEMPOTENCY.c.fingerprint, IDEMPOTENCY.c.result)
    found = (await connection.execute(asked.where(IDEMPOTENCY.c.scope == scope, IDEMPOTENCY.c.key == key))).first()
    if found is None:
        raise Conflict(f"the key {key} of {scope} was forgotten meanwhile")
    if bytes(found.fingerprint) != fingerprint:
        message = "the idempotency key was used before with another request"
        raise refusal(FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", message)
    return bytes(found.result)


def fingerprint_of(request: Message, *without: str) -> bytes:
    """What two repetitions of a request have in common: SHA-256 of the message but for the fields in `without`.

    Leave out the key itself, and what must not be stored even as a hash, such as passwords.
    """
    compared = type(request)()
    compared.CopyFrom(request)
    for field in without:
        compared.ClearField(field)
    return hashlib.sha256(compared.SerializeToString(deterministic=True)).digest()


async def forget_answers(connection: AsyncConnection, scope: str, key: str | None = None) -> None:
    """Remove the answers of a scope, or one of them: at an erasure, for they may hold personal data."""
    asked = delete(IDEMPOTENCY).where(IDEMPOTENCY.c.scope == scope)
    await connection.execute(asked if key is None else asked.where(IDEMPOTENCY.c.key == key))
