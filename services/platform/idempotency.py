"""Commands with an idempotency key: done once, repeated they get the first answer for 24 hours.

    claim = await keys.claim("ProcessPayment", key, fingerprint(request))
    if isinstance(claim, Answered):
        return Response.FromString(claim.result)
    async with keys.holding(claim):                     # given free again when it fails
        ...                                             # calls of others, with keys derived from this one
        async with database.transaction() as connection:
            ...                                         # the effect
            await keys.answer(connection, claim, response.SerializeToString())

A claim is held for `lease` seconds. When its holder dies the next repetition takes it over and does the command again,
so effects outside the transaction need idempotency keys of their own. Contracts: `Idempotency-Key` of the gateway.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from shop.runtime.errors import Aborted, FailedPrecondition
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.database import Database
from services.platform.refusals import refusal
from services.platform.tables import IDEMPOTENCY as KEYS

LOG = logging.getLogger(__name__)


class KeyReused(FailedPrecondition):
    """The key came with another request before (HTTP 422 `IDEMPOTENCY_KEY_REUSED`)."""


class KeyInUse(Aborted):
    """The first request with the key is still at work (HTTP 409 `REQUEST_IN_PROGRESS`)."""


def key_reused() -> KeyReused:
    """The refusal, in the words of the contracts."""
    return refusal(KeyReused, "IDEMPOTENCY_KEY_REUSED", "the idempotency key was used with another request")


def key_in_use() -> KeyInUse:
    """The refusal, in the words of the contracts."""
    return refusal(KeyInUse, "REQUEST_IN_PROGRESS", "a request with this idempotency key is still being processed")


@dataclass(frozen=True, slots=True)
class Answered:
    """The command was done: this was its answer."""

    result: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the command, until the lease ends."""

    scope: str
    key: str
    token: str


Found: TypeAlias = Answered | Claim


def fingerprint(*parts: bytes) -> bytes:
    """What tells one request from another: a hash of its parts, such as the deterministic bytes of a message."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()


class IdempotencyKeys:
    """The keys of one service. `scope` of a key: the command, and whose key it is where callers choose them freely."""

    def __init__(
        self,
        database: Database,
        *,
        lifetime: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(seconds=60),
    ) -> None:
        self._database = database
        self._lifetime = lifetime
        self._lease = lease

    async def claim(self, scope: str, key: str, request: bytes) -> Found:
        """The answer, or the right to find it. `KeyReused`, `KeyInUse`; `request` is the `fingerprint`."""
        token = uuid.uuid4().hex
        now = func.clock_timestamp()
        values = {
            "fingerprint": request,
            "token": token,
            "running_until": now + self._lease,
            "result": None,
            "expires_at": now + self._lifetime,
        }
        free = or_(
            KEYS.c.expires_at <= now,
            and_(KEYS.c.result.is_(None), KEYS.c.running_until <= now, KEYS.c.fingerprint == request),
        )
        async with self._database.transaction() as connection:
            claimed = await connection.execute(
                insert(KEYS)
                .values(scope=scope, key=key, **values)
                .on_conflict_do_update(index_elements=[KEYS.c.scope, KEYS.c.key], set_=values, where=free)
                .returning(KEYS.c.token)
            )
            if claimed.first() is not None:
                return Claim(scope, key, token)
            row = (
                await connection.execute(
                    select(KEYS.c.fingerprint, KEYS.c.result).where(KEYS.c.scope == scope, KEYS.c.key == key)
                )
            ).first()
        if row is not None and row.fingerprint != request:
            raise key_reused()
        if row is None or row.result is None:
            raise key_in_use()
        return Answered(row.result)

    async def answer(self, connection: AsyncConnection, claim: Claim, result: bytes) -> None:
        """Store the answer in the transaction of the effect. `KeyInUse` when the claim was taken over meanwhile."""
        stored = await connection.execute(
            update(KEYS).where(*_held(claim)).values(result=result, running_until=None).returning(KEYS.c.key)
        )
        if stored.first() is None:
            raise key_in_use()

    async def give_up(self, claim: Claim) -> None:
        """Nothing was done: the next repetition may try at once."""
        async with self._database.transaction() as connection:
            await connection.execute(delete(KEYS).where(*_held(claim)))

    @asynccontextmanager
    async def holding(self, claim: Claim) -> AsyncIterator[None]:
        """Renew the claim while the block runs; give it up when the block fails."""
        renewing = asyncio.get_running_loop().create_task(self._renew(claim))
        try:
            yield
        except BaseException:
            renewing.cancel()
            await self.give_up(claim)
            raise
        finally:
            renewing.cancel()

    async def _renew(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                async with self._database.transaction() as connection:
                    until = func.clock_timestamp() + self._lease
                    await connection.execute(update(KEYS).where(*_held(claim)).values(running_until=until))
            except (SQLAlchemyError, OSError) as error:
                LOG.warning("claim of %s not renewed: %s", claim.scope, error)

    async def forget(self, *, limit: int = 10_000) -> int:
        """Remove keys whose time is over; returns how many."""
        old = (
            select(KEYS.c.scope, KEYS.c.key).where(KEYS.c.expires_at <= func.clock_timestamp()).limit(limit).subquery()
        )
        async with self._database.transaction() as connection:
            removed = await connection.execute(delete(KEYS).where(KEYS.c.scope == old.c.scope, KEYS.c.key == old.c.key))
            return removed.rowcount


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        KEYS.c.scope == claim.scope,
        KEYS.c.key == claim.key,
        KEYS.c.token == claim.token,
        KEYS.c.result.is_(None),
    )
