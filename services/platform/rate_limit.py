"""How many requests a caller may make: 100 a minute, 20 of them at once (integration architecture, rate limiting).

The generic cell rate algorithm in one Lua script, by the clock of Redis, so that all replicas of a gateway count
together whatever their own clocks say. A caller has a store of `burst` requests that fills up again by one every
60/`per_minute` seconds; a request that is refused costs nothing.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from redis.asyncio import Redis

from services.platform.redis_streams.connection import FAILURES

LOG = logging.getLogger(__name__)

_GCRA = """
-- KEYS[1]: when the caller's store is full again, microseconds. ARGV: microseconds per request, burst, cost.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local each, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local after = full + each * cost
local wait = after - now - each * burst
if wait > 0 then
  return {0, math.floor((now + each * burst - full) / each), wait, full - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor((now + each * burst - after) / each), 0, after - now}
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`remaining` requests could follow at once; `retry_after` and `reset` (all is restored) in seconds."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: float
    reset: float

    @property
    def headers(self) -> dict[str, str]:
        """`RateLimit-*`, and `Retry-After` for a refusal: whole seconds, rounded up."""
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset)),
        }
        if not self.allowed:
            found["Retry-After"] = str(math.ceil(self.retry_after))
        return found


class RateLimiter:
    """Limits by caller. Without Redis requests pass when `open_when_away`, and are refused otherwise."""

    def __init__(
        self,
        client: Redis,
        *,
        per_minute: int = 100,
        burst: int = 20,
        prefix: str = "treaty:rate:",
        open_when_away: bool = True,
    ) -> None:
        if per_minute < 1 or burst < 1:
            raise ValueError("per_minute and burst must be at least 1")
        self._script = client.register_script(_GCRA)
        self._per_minute = per_minute
        self._burst = burst
        self._each = round(60_000_000 / per_minute)
        self._prefix = prefix
        self._open = open_when_away

    async def ask(self, caller: str, *, cost: int = 1) -> Verdict:
        """Whether the caller may make a request now. `ValueError` for a cost that could never be met."""
        if not 0 < cost <= self._burst:
            raise ValueError(f"a cost of {cost} is not between 1 and {self._burst}")
        try:
            allowed, remaining, wait, reset = await self._script(
                keys=[self._prefix + caller], args=[self._each, self._burst, cost]
            )
        except FAILURES as error:
            LOG.warning("rate limit not checked, requests are %s: %s", "let in" if self._open else "refused", error)
            return Verdict(self._open, self._per_minute, 0, 0.0 if self._open else 1.0, 0.0)
        return Verdict(bool(allowed), self._per_minute, max(0, remaining), wait / 1e6, reset / 1e6)
