"""An access token that all calls of a client share."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar

from shop.runtime.auth import RefreshingToken, Token
from shop.runtime.errors import TreatyError

LEEWAY = 60.0
"""Seconds before its end in which a token is not used any more."""
_sent: ContextVar[Sequence[tuple[str, str]]] = ContextVar("gateway_token_sent", default=())


class NoToken(TreatyError):
    """Raised by a fetch: no access token could be had, so the call that needs it is not sent."""


class SharedToken:
    """A credential of generated clients and the `token` of a `Caller`: fetched once for all calls that wait for it.

    Many calls may be refused with the same token: the first of them makes it be fetched anew, and those that hear of
    it later use the new one.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        *,
        leeway: float = LEEWAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = RefreshingToken(fetch, leeway=leeway, clock=clock)
        self._current: Sequence[tuple[str, str]] = ()

    async def __call__(self) -> Sequence[tuple[str, str]]:
        self._current = await self._token()
        _sent.set(self._current)
        return self._current

    def invalidate(self) -> None:
        """The last call of this task was refused."""
        if _sent.get() is self._current:
            self._token.invalidate()
