"""Reading a stream as a member of a group, on a connection of its own, which waits on the server."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from shop.runtime.transport import StartAt

from services.platform.redis_streams.connection import FAILURES, command_of, connect_reader
from services.platform.redis_streams.settings import StreamSettings

Fields: TypeAlias = list[bytes]
"""Names and values in turn."""


class Reader:
    """One consumer of a group. Creates the group when it is not there, also when it vanishes (FLUSHALL)."""

    def __init__(
        self, url: str, commands: Redis, settings: StreamSettings, *, stream: str, group: str, consumer: str
    ) -> None:
        self._command = command_of(commands)
        self._reading = connect_reader(url, command_timeout=settings.command_timeout, block=settings.block)
        self._read_command = command_of(self._reading)
        self._group = group
        self._stream = stream
        self._read = ("XREADGROUP", "GROUP", group, consumer, "COUNT")
        self._block = ("BLOCK", int(settings.block * 1000), "STREAMS", stream, ">")
        self._connection_id: int | None = None

    async def create_group(self, start: StartAt) -> None:
        """Create the group, and the stream with it, unless it exists. A new group replays history by default."""
        first = "0" if start is StartAt.BEGINNING else "$"
        try:
            await self._command("XGROUP", "CREATE", self._stream, self._group, first, "MKSTREAM")
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def read(self, count: int) -> list[tuple[bytes, Fields]]:
        """Up to `count` entries that the group has not had yet; waits for the first one. None come when it is late."""
        if self._connection_id is None:
            self._connection_id = int(await self._read_command("CLIENT", "ID"))
        try:
            found: Any = await self._read_command(*self._read, count, *self._block)
        except ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            await self.create_group(StartAt.BEGINNING)
            return []
        except FAILURES:
            self._connection_id = None
            raise
        return found[0][1] if found else []

    async def interrupt(self, reading: asyncio.Task[Any]) -> None:
        """End a read that waits, and return when the task that reads has ended; nothing that was read is lost."""
        while not reading.done():
            if self._connection_id is not None:
                with contextlib.suppress(*FAILURES):
                    await self._command("CLIENT", "UNBLOCK", self._connection_id)
            await asyncio.wait({reading}, timeout=0.05)

    async def close(self) -> None:
        """Close the connection."""
        await self._reading.aclose()
        await self._reading.connection_pool.disconnect()
