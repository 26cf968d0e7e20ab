"""Logging in and staying logged in: passwords, sessions, and refresh tokens that work once."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer.adapters import accounts, sessions
from services.customer.adapters.passwords import Passwords
from services.customer.adapters.signing import AccessTokens
from services.customer.customers import new_id
from services.customer.domain import AttemptPolicy, Status, TooMany, Unknown, Verdict, judge
from services.platform.database import Database

LOG = logging.getLogger(__name__)
REFRESH_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A pair of tokens; `expires_in` seconds of the access token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    customer_id: str


class Authentication:
    """A wrong password and an unknown address answer alike and take as long: nobody finds out who is a customer."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: AccessTokens,
        *,
        policy: AttemptPolicy | None = None,
        refresh_lifetime: timedelta = REFRESH_LIFETIME,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.tokens = tokens
        self._database = database
        self._passwords = passwords
        self._policy = policy or AttemptPolicy()
        self._refresh_lifetime = refresh_lifetime
        self._now = now

    async def log_in(self, email: str, password: str) -> Tokens:
        """A first pair of tokens. `Unknown`, `TooMany`."""
        await self._count_attempt(email)
        async with self._database.transaction() as connection:
            found = await accounts.credentials(connection, email)
        right = await self._passwords.fits(password, None if found is None else found[1])
        if found is None or not right:
            raise Unknown("e-mail address or password is wrong")
        customer = found[0]
        if customer.status is not Status.ACTIVE:
            raise Unknown("the account is locked", code="ACCOUNT_LOCKED")
        async with self._database.transaction() as connection:
            await sessions.forget_attempts(connection, email)
            locked = await accounts.find(connection, customer.customer_id, lock=True)
            if locked is None or locked.status is not Status.ACTIVE:  # erased meanwhile
                raise Unknown("e-mail address or password is wrong")
            session_id = new_id("ses")
            await sessions.begin(connection, session_id, customer.customer_id, self._now())
            return await self._issue(connection, session_id, customer.customer_id)

    async def refresh(self, refresh_token: str) -> Tokens:
        """The next pair of tokens; presenting a used one ends its session. `Unknown`."""
        async with self._database.transaction() as connection:
            now = self._now()
            found = await sessions.present(connection, refresh_token)
            verdict = judge(found, now)
            if found is not None and verdict is Verdict.ROTATE:
                customer = await accounts.find(connection, found.customer_id)
                if customer is not None and customer.status is Status.ACTIVE:
                    await sessions.use(connection, refresh_token, now)
                    return await self._issue(connection, found.session_id, found.customer_id)
            if found is not None and verdict is Verdict.END_SESSION:
                LOG.warning("session %s ended: a refresh token was used twice", found.session_id)
                await sessions.end(connection, found.session_id, now, "refresh token used twice")
        raise Unknown("the refresh token is not valid", code="BAD_REFRESH_TOKEN")

    async def log_out(self, refresh_token: str) -> None:
        """End the session of a token; nothing for a token that nobody issued."""
        async with self._database.transaction() as connection:
            found = await sessions.present(connection, refresh_token)
            if found is not None:
                await sessions.end(connection, found.session_id, self._now(), "logged out")

    async def forget_expired(self) -> None:
        """Remove tokens and attempts that have had no meaning for a day."""
        async with self._database.transaction() as connection:
            await sessions.forget_expired(connection, self._now(), kept=timedelta(days=1))

    async def _count_attempt(self, email: str) -> None:
        async with self._database.transaction() as connection:
            now = self._now()
            found = await sessions.attempts(connection, email, now)
            wait = found.wait(self._policy, now)
            if wait is not None:
                raise TooMany("too many attempts to log in", retry_after=wait)
            await sessions.note_attempts(connection, email, found.one_more(self._policy, now))

    async def _issue(self, connection: AsyncConnection, session_id: str, customer_id: str) -> Tokens:
        now = self._now()
        refresh_token = f"rt_{secrets.token_urlsafe(32)}"
        await sessions.add_token(connection, refresh_token, session_id, now, self._refresh_lifetime)
        return Tokens(
            access_token=self.tokens.issue(customer_id, session_id),
            refresh_token=refresh_token,
            expires_in=int(self.tokens.lifetime.total_seconds()),
            customer_id=customer_id,
        )
