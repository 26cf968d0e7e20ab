"""Redis clients that send each command once: what an error means is decided by whoever sent it.

redis-py repeats commands by itself when a reply is lost, also an XADD, which then is stored twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

FAILURES = (RedisError, OSError)
"""What a command raises when Redis is away, or refuses it."""


Command: TypeAlias = Callable[..., Awaitable[Any]]
"""Sends a command, given in parts, and returns its answer."""


def connect(url: str, *, command_timeout: float, connections: int) -> Redis:
    """A client with its own pool; more commands at a time than `connections` wait for one. Times in seconds."""
    pool: Any = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=command_timeout,
        socket_timeout=command_timeout,
        socket_connect_timeout=command_timeout,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        protocol=2,
        decode_responses=False,
    )
    return Redis.from_pool(pool)


def connect_reader(url: str, *, command_timeout: float, block: float) -> Redis:
    """A client with one connection, for reads that wait up to `block` seconds."""
    return connect(url, command_timeout=command_timeout + block, connections=1)


def command_of(client: Redis) -> Command:
    """What sends commands of the client; bytes stay bytes in answers."""
    found: Command = client.execute_command
    return found
