"""What a service has published, read from Redis itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from redis.asyncio import Redis as Client

from harness.backends.redis import Redis

TIMEOUT = 20.0


async def events(redis: Redis, address: str, count: int) -> list[dict[str, Any]]:
    """The events of a stream, as soon as there are `count`."""
    async with Client.from_url(redis.url) as client, asyncio.timeout(TIMEOUT):
        while True:
            entries: Any = await client.xrange(address)
            if len(entries) >= count:
                return [json.loads(fields[b"data"]) for _, fields in entries]
            await asyncio.sleep(0.05)
