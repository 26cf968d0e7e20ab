"""Sessions, their refresh tokens, and wrong passwords in PostgreSQL. Of tokens and addresses only hashes are stored."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.adapters.tables import LOGIN_ATTEMPTS, REFRESH_TOKENS, SESSIONS
from services.customer.domain import Attempts, RefreshToken, email_key


async def begin(connection: AsyncConnection, session_id: str, customer_id: str, now: datetime) -> None:
    """Store a session."""
    await connection.execute(insert(SESSIONS).values(session_id=session_id, customer_id=customer_id, created_at=now))


async def add_token(
    connection: AsyncConnection, token: str, session_id: str, now: datetime, lifetime: timedelta
) -> None:
    """Store the hash of a refresh token."""
    values = {
        "token_hash": _hash(token),
        "session_id": session_id,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    await connection.execute(insert(REFRESH_TOKENS).values(values))


async def present(connection: AsyncConnection, token: str) -> RefreshToken | None:
    """The token and its session, both locked until the transaction ends; None for one that nobody issued."""
    asked = (
        select(REFRESH_TOKENS, SESSIONS.c.customer_id, SESSIONS.c.ended_at)
        .join(SESSIONS, SESSIONS.c.session_id == REFRESH_TOKENS.c.session_id)
        .where(REFRESH_TOKENS.c.token_hash == _hash(token))
        .with_for_update()
    )
    row = (await connection.execute(asked)).first()
    if row is None:
        return None
    return RefreshToken(
        session_id=row.session_id,
        customer_id=row.customer_id,
        used=row.used_at is not None,
        session_ended=row.ended_at is not None,
        expires_at=row.expires_at,
    )


async def use(connection: AsyncConnection, token: str, now: datetime) -> None:
    """The token dies."""
    used = update(REFRESH_TOKENS).where(REFRESH_TOKENS.c.token_hash == _hash(token))
    await connection.execute(used.values(used_at=now))


async def end(connection: AsyncConnection, session_id: str, now: datetime, reason: str) -> None:
    """The session and all its tokens die."""
    ended = update(SESSIONS).where(SESSIONS.c.session_id == session_id, SESSIONS.c.ended_at.is_(None))
    await connection.execute(ended.values(ended_at=now, end_reason=reason))


async def erase(connection: AsyncConnection, customer_id: str) -> None:
    """Remove all sessions of a customer, with their tokens."""
    await connection.execute(delete(SESSIONS).where(SESSIONS.c.customer_id == customer_id))


async def forget_expired(connection: AsyncConnection, now: datetime, *, kept: timedelta) -> None:
    """Remove tokens and wrong passwords that have had no meaning for so long, and sessions without tokens."""
    await connection.execute(delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.expires_at < now - kept))
    alive = select(REFRESH_TOKENS.c.session_id)
    await connection.execute(
        delete(SESSIONS).where(SESSIONS.c.created_at < now - kept, SESSIONS.c.session_id.not_in(alive))
    )
    await connection.execute(delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.since < now - kept))


async def attempts(connection: AsyncConnection, email: str, now: datetime) -> Attempts:
    """Attempts to log in with an address, whoever has it; locked until the transaction ends."""
    hashed = _hash(email_key(email))
    none = insert(LOGIN_ATTEMPTS).values(email_hash=hashed, failures=0, since=now).on_conflict_do_nothing()
    await connection.execute(none)
    asked = select(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.email_hash == hashed).with_for_update()
    row = (await connection.execute(asked)).one()
    return Attempts(failures=row.failures, since=row.since)


async def note_attempts(connection: AsyncConnection, email: str, found: Attempts) -> None:
    """Keep what `attempts` gave, changed."""
    noted = update(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.email_hash == _hash(email_key(email)))
    await connection.execute(noted.values(failures=found.failures, since=found.since))


async def forget_attempts(connection: AsyncConnection, email: str) -> None:
    """The row of wrong passwords has ended."""
    hashed = _hash(email_key(email))
    await connection.execute(delete(LOGIN_ATTEMPTS).where(LOGIN_ATTEMPTS.c.email_hash == hashed))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
