"""Commands that are answered once: the answer is stored with its idempotency key, in the transaction of its effect.

For commands whose whole effect is one transaction; what has effects elsewhere needs more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.tables import IDEMPOTENCY

KEPT = timedelta(days=7)
FOR_EVER = timedelta(days=36_500)


class KeyReused(Exception):
    """The key came with another request before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A request with its key. `scope` names the operation, `request` is what must be equal in a repetition."""

    scope: str
    key: str
    request: bytes

    async def earlier_answer(self, connection: AsyncConnection, *, keep: timedelta = KEPT) -> bytes | None:
        """The answer of the first call with this key; None when this is the first.

        While another transaction works on the same key this waits for its end.
        """
        this = (IDEMPOTENCY.c.scope == self.scope) & (IDEMPOTENCY.c.key == self.key)
        await connection.execute(delete(IDEMPOTENCY).where(this, IDEMPOTENCY.c.expires_at < func.clock_timestamp()))
        fingerprint = hashlib.sha256(self.request).digest()
        noted = await connection.execute(
            insert(IDEMPOTENCY)
            .values(
                scope=self.scope,
                key=self.key,
                fingerprint=fingerprint,
                token="",
                expires_at=func.clock_timestamp() + keep,
            )
            .on_conflict_do_nothing()
            .returning(IDEMPOTENCY.c.scope)
        )
        if noted.first() is not None:
            return None
        found = (await connection.execute(select(IDEMPOTENCY.c.fingerprint, IDEMPOTENCY.c.result).where(this))).one()
        if found.fingerprint != fingerprint:
            raise KeyReused(f"{self.scope}: the key was used for another request")
        return bytes(found.result)

    async def answered(self, connection: AsyncConnection, answer: bytes) -> None:
        """Store the answer. In the transaction of `earlier_answer`, whenever that returned None."""
        await connection.execute(
            update(IDEMPOTENCY)
            .where(IDEMPOTENCY.c.scope == self.scope, IDEMPOTENCY.c.key == self.key)
            .values(result=answer)
        )
