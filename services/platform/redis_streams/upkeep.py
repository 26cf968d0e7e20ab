"""What a stream is like, and trimming it without harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from services.platform.redis_streams.scripts import TRIM
from services.platform.redis_streams.wire import milliseconds


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """`lag` is how many entries the group has not read, None when Redis cannot tell; `oldest_pending` seconds."""

    name: str
    pending: int
    oldest_pending: float
    lag: int | None
    trimmed_unread: int
    """Entries that are gone and that the group never had; entries that were deleted one by one count, too."""


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """Figures of one stream, for metrics and alarms."""

    length: int
    groups: tuple[GroupFigures, ...]


async def figures(client: Redis, stream: str) -> StreamFigures:
    """Length of a stream and what its groups have before them; nothing for a stream that does not exist."""
    try:
        about: Any = await client.xinfo_stream(stream)
        groups: Any = await client.xinfo_groups(stream)
    except ResponseError as error:
        if "no such key" in str(error):
            return StreamFigures(0, ())
        raise
    removed = int(about["entries-added"]) - int(about["length"])
    found = []
    for group in groups:
        name = group["name"].decode() if isinstance(group["name"], bytes) else group["name"]
        read = group["entries-read"]
        found.append(
            GroupFigures(
                name,
                int(group["pending"]),
                await _oldest(client, stream, name) if group["pending"] else 0.0,
                group["lag"],
                max(0, removed - int(read)) if read is not None else 0,
            )
        )
    return StreamFigures(int(about["length"]), tuple(found))


async def _oldest(client: Redis, stream: str, group: str) -> float:
    summary: Any = await client.xpending(stream, group)
    if not summary["min"]:
        return 0.0
    return max(0.0, datetime.now(UTC).timestamp() - milliseconds(summary["min"]) / 1000)


async def trim(client: Redis, stream: str, *, keep: int, most: int = 1000) -> int:
    """Remove the oldest entries beyond the newest `keep`, at most `most`; none that some group still needs.

    Returns how many. Nothing is removed while no group reads the stream.
    """
    return int(await client.register_script(TRIM)(keys=[stream], args=[keep, most]))
