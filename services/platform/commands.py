"""Commands whose whole effect is one transaction: the first answer is kept with its key, and given again.

The key is claimed by the first statement of the transaction. A repetition that arrives while the first call runs waits
for it at that row: it gets the answer when the first commits, and does the work when the first rolls back. What has
effects elsewhere, too, needs `idempotency`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.database import Conflict, Database
from services.platform.idempotency import fingerprint, key_reused
from services.platform.refusals import invalid
from services.platform.tables import IDEMPOTENCY

ResponseT = TypeVar("ResponseT", bound=Message)
KEPT = timedelta(hours=24)
"""The parameter Idempotency-Key in contracts/gateway/v1/openapi.yaml."""
KEPT_AMONG_SERVICES = timedelta(days=7)
"""Longer than a saga lives."""
FOR_EVER = timedelta(days=36_500)
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A request with its key. `scope` names the operation, `fingerprint` is what repetitions have in common."""

    scope: str
    key: str
    fingerprint: bytes

    async def earlier_answer(
        self, connection: AsyncConnection, *, keep: timedelta = KEPT_AMONG_SERVICES
    ) -> bytes | None:
        """The answer of the first call with this key; None when this is the first.

        `KeyReused` when the first call had another fingerprint; `Conflict`, which `Database.run` repeats, when its
        answer was forgotten meanwhile.
        """
        claim = insert(IDEMPOTENCY).values(
            scope=self.scope,
            key=self.key,
            fingerprint=self.fingerprint,
            token="",
            expires_at=func.clock_timestamp() + keep,
        )
        fresh = claim.on_conflict_do_update(
            index_elements=["scope", "key"],
            set_={"fingerprint": self.fingerprint, "result": None, "expires_at": claim.excluded.expires_at},
            where=IDEMPOTENCY.c.expires_at <= func.clock_timestamp(),
        )
        if (await connection.execute(fresh.returning(IDEMPOTENCY.c.key))).first() is not None:
            return None
        asked = select(IDEMPOTENCY.c.fingerprint, IDEMPOTENCY.c.result).where(self._row())
        found = (await connection.execute(asked)).first()
        if found is None:
            raise Conflict(f"the key {self.key} of {self.scope} was forgotten meanwhile")
        if bytes(found.fingerprint) != self.fingerprint:
            raise key_reused()
        return bytes(found.result)

    async def answered(self, connection: AsyncConnection, answer: bytes) -> None:
        """Store the answer. In the transaction of `earlier_answer`, whenever that returned None."""
        await connection.execute(update(IDEMPOTENCY).where(self._row()).values(result=answer))

    def _row(self) -> ColumnElement[bool]:
        return and_(IDEMPOTENCY.c.scope == self.scope, IDEMPOTENCY.c.key == self.key)


async def first_answer(
    database: Database,
    work: Callable[[AsyncConnection], Awaitable[ResponseT]],
    *,
    scope: str,
    key: str,
    fingerprint: bytes,
    response: type[ResponseT],
) -> ResponseT:
    """Do `work` in a transaction once per (`scope`, `key`); later calls get the answer of the first, for `KEPT`.

    `InvalidArgument` without a key, `KeyReused` when the first call had another `fingerprint`. When `work` raises,
    nothing is kept.
    """
    if not 1 <= len(key) <= LONGEST_KEY:
        raise invalid("idempotency_key", f"must have 1 to {LONGEST_KEY} characters")
    command = Command(scope=scope, key=key, fingerprint=fingerprint)

    async def once(connection: AsyncConnection) -> ResponseT:
        earlier = await command.earlier_answer(connection, keep=KEPT)
        if earlier is not None:
            return response.FromString(earlier)
        answer = await work(connection)
        await command.answered(connection, answer.SerializeToString())
        return answer

    return await database.run(once)


def fingerprint_of(request: Message, *without: str) -> bytes:
    """What two repetitions of a request have in common: SHA-256 of the message but for the fields in `without`.

    Leave out the key itself, and what must not be stored even as a hash, such as passwords.
    """
    compared = type(request)()
    compared.CopyFrom(request)
    for field in without:
        compared.ClearField(field)
    return fingerprint(compared.SerializeToString(deterministic=True))


async def forget_answers(connection: AsyncConnection, scope: str, key: str | None = None) -> None:
    """Remove the answers of a scope, or one of them: at an erasure, for they may hold personal data."""
    asked = delete(IDEMPOTENCY).where(IDEMPOTENCY.c.scope == scope)
    await connection.execute(asked if key is None else asked.where(IDEMPOTENCY.c.key == key))
