"""100 requests a minute and 20 at once, counted together by all replicas, by the clock of Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis as Client

from harness.backends.redis import Redis
from services.platform.rate_limit import RateLimiter
from services.platform.redis_streams import RedisStreams


async def test_twenty_at_once_then_one_every_600_milliseconds(streams: RedisStreams) -> None:
    limiter = RateLimiter(streams.client)
    verdicts = [await limiter.ask("ada") for _ in range(21)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 20 + [False]
    refused = verdicts[-1]
    assert 0.3 < refused.retry_after <= 0.6
    assert 11.0 < refused.reset <= 12.0
    assert refused.headers == {
        "RateLimit-Limit": "100",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "12",
        "Retry-After": "1",
    }
    assert (await limiter.ask("bob")).allowed
    await asyncio.sleep(refused.retry_after)
    assert [(await limiter.ask("ada")).allowed for _ in range(2)] == [True, False]


async def test_replicas_count_together_and_a_refusal_costs_nothing(streams: RedisStreams) -> None:
    replicas = [RateLimiter(streams.client, per_minute=60, burst=5) for _ in range(4)]
    verdicts = await asyncio.gather(*(replicas[number % 4].ask("ada") for number in range(40)))
    assert sum(verdict.allowed for verdict in verdicts) == 5
    await asyncio.sleep(1.05)
    assert (await replicas[0].ask("ada")).allowed


async def test_what_remains_is_told_and_a_dear_request_takes_more(streams: RedisStreams) -> None:
    limiter = RateLimiter(streams.client)
    assert (await limiter.ask("ada", cost=5)).remaining == 15
    assert (await limiter.ask("ada")).remaining == 14
    assert not (await limiter.ask("ada", cost=16)).allowed
    assert (await limiter.ask("ada", cost=14)).allowed
    with pytest.raises(ValueError, match="between 1 and 20"):
        await limiter.ask("ada", cost=21)


async def test_a_store_that_is_full_again_leaves_nothing_in_redis(streams: RedisStreams) -> None:
    limiter = RateLimiter(streams.client, per_minute=6000, burst=5)
    await limiter.ask("ada")
    await asyncio.sleep(0.05)
    assert await streams.client.keys("*") == []


async def test_without_redis_requests_pass_or_not_as_the_gateway_chooses(redis: Redis, streams: RedisStreams) -> None:
    await asyncio.to_thread(redis.kill9)
    assert (await RateLimiter(streams.client).ask("ada")).allowed
    assert not (await RateLimiter(streams.client, open_when_away=False).ask("ada")).allowed
    await asyncio.to_thread(redis.start)


@given(per_minute=st.integers(600, 30_000), burst=st.integers(1, 30), pauses=st.lists(st.integers(0, 20), max_size=40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_more_than_the_burst_and_what_filled_up(
    redis: Redis, per_minute: int, burst: int, pauses: list[int]
) -> None:
    async def run() -> tuple[int, float]:
        client: Any = Client.from_url(redis.url)
        limiter = RateLimiter(client, per_minute=per_minute, burst=burst)
        await client.flushall()
        loop = asyncio.get_running_loop()
        began, allowed = loop.time(), 0
        for pause in pauses:
            allowed += (await limiter.ask("ada")).allowed
            await asyncio.sleep(pause / 1000)
        allowed += (await limiter.ask("ada")).allowed
        took = loop.time() - began
        await client.aclose()
        return allowed, took

    allowed, took = asyncio.run(run())
    assert min(burst, len(pauses) + 1) <= allowed <= burst + took * per_minute / 60 + 1


def test_limits_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RateLimiter(Client(), burst=0)
