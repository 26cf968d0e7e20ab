"""Credentials of a client: hooks that give the headers (HTTP) or metadata (gRPC) of each call.

A hook is any async callable without parameters that returns header pairs. Those here are the usual ones.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

AuthHook: TypeAlias = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""Called before every attempt. Header names in lower case."""


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that does not change (RFC 6750)."""

    token: str = field(repr=False)

    async def __call__(self) -> Sequence[tuple[str, str]]:
        return (("authorization", f"Bearer {self.token}"),)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in a header."""

    header: str
    key: str = field(repr=False)

    async def __call__(self) -> Sequence[tuple[str, str]]:
        return ((self.header.lower(), self.key),)


@dataclass(frozen=True, slots=True)
class Basic:
    """User name and password (RFC 7617)."""

    user: str
    password: str = field(repr=False)

    async def __call__(self) -> Sequence[tuple[str, str]]:
        encoded = base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
        return (("authorization", f"Basic {encoded}"),)


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the seconds for which it is valid from now."""

    value: str = field(repr=False)
    expires_in: float


class RefreshingToken:
    """A bearer token that is fetched when needed, once for all calls that wait for it.

    `fetch` is called when there is no token or it ends within `leeway` seconds; a token that lives for less than
    twice that is used for half of its life.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        *,
        leeway: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._leeway = leeway
        self._clock = clock
        self._lock = asyncio.Lock()
        self._headers: tuple[tuple[str, str], ...] = ()
        self._refresh_at = 0.0

    async def __call__(self) -> Sequence[tuple[str, str]]:
        if self._stale():
            async with self._lock:
                if self._stale():
                    token = await self._fetch()
                    self._headers = (("authorization", f"Bearer {token.value}"),)
                    usable = max(token.expires_in - self._leeway, token.expires_in / 2)
                    self._refresh_at = self._clock() + usable
        return self._headers

    def invalidate(self) -> None:
        """Fetch a new token for the next call: the peer refused this one."""
        self._headers = ()

    def _stale(self) -> bool:
        return not self._headers or self._clock() >= self._refresh_at
