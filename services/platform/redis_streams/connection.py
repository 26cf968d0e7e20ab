"""Redis clients that send each command once: what an error means is decided by whoever sent it.

redis-py repeats commands by itself when a reply is lost, also an XADD, which then is stored twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

FAILURES = (RedisError, OSError)
"""What a command raises when Redis is away, or refuses it."""


Command: TypeAlias = Callable[..., Awaitable[Any]]
"""Sends a command, given in parts, and returns its answer."""


_MOST_CONNECTIONS = 10_000
"""Never reached: whoever sends many at a time limits them. redis-py's pool that waits costs 20 us a command."""


def connect(url: str, *, command_timeout: float) -> Redis:
    """A client with its own pool, of as many connections as there are commands at a time. Seconds."""
    pool: Any = ConnectionPool.from_url(
        url,
        max_connections=_MOST_CONNECTIONS,
        socket_timeout=command_timeout,
        socket_connect_timeout=command_timeout,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        protocol=2,
        decode_responses=False,
    )
    return Redis.from_pool(pool)


def connect_reader(url: str, *, command_timeout: float, block: float) -> Redis:
    """A client for one reader, whose reads wait up to `block` seconds. Answers of XREADGROUP stay as they come."""
    client = connect(url, command_timeout=command_timeout + block)
    client.response_callbacks.pop("XREADGROUP", None)
    return client


def command_of(client: Redis) -> Command:
    """What sends commands of the client; bytes stay bytes in answers."""
    found: Command = client.execute_command
    return found
