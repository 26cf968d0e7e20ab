"""One call of a gateway: attempts, waits, renewed credentials, and the error that is left in the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from shop.runtime.errors import HttpUnauthorized, TreatyError

from services.platform.gateways.errors import CredentialsRefused, GatewayError, OutcomeUnknown, RateLimited, Unavailable

T = TypeVar("T")
_NOTHING_DONE = (CredentialsRefused, RateLimited, Unavailable)
"""Errors that say that their attempt did nothing, and nothing of the attempts before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often and how long. Seconds; each wait is between half and all of `first_wait`, doubled each time."""

    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 5.0
    timeout: float = 10.0
    """Of one attempt."""
    deadline: float = 30.0
    """Of all of them with their waits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an error means. `repeat`: the same request may be sent again, as the vendor documents; `wait` in seconds."""

    error: GatewayError
    repeat: bool = False
    wait: float | None = None


Judge: TypeAlias = Callable[[str, TreatyError], Verdict]
"""(operation, error of the client) -> what it means at this vendor."""


class Renewable(Protocol):
    """A credential that can be fetched anew, such as `shop.runtime.auth.RefreshingToken`."""

    def invalidate(self) -> None:
        """The gateway refused it."""


@dataclass(slots=True, kw_only=True)
class Caller:
    """Calls one vendor. `token` is renewed once when the vendor answers 401."""

    judge: Judge
    policy: Policy = field(default_factory=Policy)
    token: Renewable | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random

    async def call(self, operation: str, send: Callable[[], Awaitable[T]], *, repeatable: bool) -> T:
        """The answer, or a `GatewayError`. `repeatable`: the request has an idempotency key, or changes nothing."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.policy.deadline
        renewed = False
        unknown: GatewayError | None = None
        attempt = 0
        while True:
            attempt += 1
            try:
                return await send()
            except HttpUnauthorized as problem:
                verdict = self.judge(operation, problem)
                if renewed or self.token is None or not isinstance(verdict.error, CredentialsRefused):
                    raise _left(verdict.error, unknown) from problem
                # Refused credentials mean that nothing was done: this repetition is harmless.
                self.token.invalidate()
                renewed = True
            except TreatyError as problem:
                verdict = self.judge(operation, problem)
                if isinstance(verdict.error, OutcomeUnknown):
                    unknown = verdict.error
                may_repeat = verdict.repeat and (repeatable or isinstance(verdict.error, (RateLimited, Unavailable)))
                wait = self._wait(attempt, verdict)
                if not may_repeat or attempt >= self.policy.attempts or loop.time() + wait > until:
                    raise _left(verdict.error, unknown) from problem
                await self.sleep(wait)

    def _wait(self, attempt: int, verdict: Verdict) -> float:
        most: float = min(self.policy.first_wait * 2 ** (attempt - 1), self.policy.longest_wait)
        return max(most * (0.5 + self.chance() / 2), verdict.wait or 0.0)


def _left(last: GatewayError, unknown: GatewayError | None) -> GatewayError:
    """The last error, unless an attempt before it may have had its effect."""
    return unknown if unknown is not None and isinstance(last, _NOTHING_DONE) else last
