"""One effect at a vendor that knows no idempotency keys: query before every repetition.

As long as the outcome of an attempt is unknown, nothing is sent. A search that finds the effect answers the call. A
search that finds nothing says that there is none only `settle` seconds after the attempt, since requests may still be
on their way and searches follow effects late. In every other case the call ends as `OutcomeUnknown`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from services.platform.gateways.calling import Caller
from services.platform.gateways.errors import GatewayError, KeyReused, OutcomeUnknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How far a search can be relied on. Seconds."""

    settle: float
    """After the end of an attempt: from then on its effect is found, or there is none."""
    every: float = 2.0
    """Between two searches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Sends through `caller`. Its policy's `attempts` count sends; after its `deadline` nothing is begun any more."""

    gateway: str
    caller: Caller
    search: Search

    async def send(
        self,
        operation: str,
        send: Callable[[], Awaitable[T]],
        find: Callable[[], Awaitable[T | None]],
        *,
        sent_until: datetime | None = None,
    ) -> T:
        """The answer of `send`, or what `find` found of it. `sent_until`: when earlier attempts ended, if any."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.caller.policy.deadline
        ended = None if sent_until is None else loop.time() - _seconds_since(sent_until)
        sent = 0
        doubt: OutcomeUnknown | None = None
        while True:
            if ended is not None:
                found = await self._find(operation, find, ended + self.search.settle, until)
                if found is not None:
                    return found
                if sent >= self.caller.policy.attempts or loop.time() > until:
                    raise doubt or OutcomeUnknown(self.gateway, operation, "there was no time left to send it")
            sent += 1
            try:
                return await self.caller.call(operation, send, repeatable=False)
            except OutcomeUnknown as problem:
                doubt, ended = problem, loop.time()

    async def _find(
        self, operation: str, find: Callable[[], Awaitable[T | None]], settled: float, until: float
    ) -> T | None:
        loop = asyncio.get_running_loop()
        while True:
            asked = loop.time()
            try:
                found = await find()
            except (KeyReused, OutcomeUnknown):
                raise
            except GatewayError as problem:
                text = "it may have happened, and the search for it failed"
                raise OutcomeUnknown(
                    self.gateway, operation, text, code=problem.code, request_id=problem.request_id
                ) from problem
            if found is not None or asked >= settled:
                return found
            pause = min(self.search.every, max(0.0, settled - loop.time()))
            if loop.time() + pause > until:
                raise OutcomeUnknown(self.gateway, operation, "it may have happened, and is not found yet")
            await self.caller.sleep(pause)


def _seconds_since(moment: datetime) -> float:
    return max(0.0, (datetime.now(UTC) - moment).total_seconds())
