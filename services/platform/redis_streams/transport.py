"""`RedisStreams`: the transport."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from redis.exceptions import RedisError
from shop.runtime.errors import TransportError
from shop.runtime.transport import Handler, PublishedMessage, SubscribeOptions, utc_now

from services.platform.redis_streams import wire
from services.platform.redis_streams.connection import command_of, connect
from services.platform.redis_streams.dapr_mode import DaprSubscription
from services.platform.redis_streams.settings import Mode, StreamSettings
from services.platform.redis_streams.subscription import DurableSubscription

LOG = logging.getLogger(__name__)


class RedisStreams:
    """Events over Redis Streams. `url` is `redis://:password@host:port/db`.

    `counts` are figures since the start: published, handled, retried, dead_letters, dropped, expired, claimed,
    trimmed_pending (entries removed from a stream before a group was done with them), read_errors.
    """

    def __init__(self, url: str, *, mode: Mode = Mode.DURABLE, settings: StreamSettings | None = None) -> None:
        self.mode = mode
        self.settings = settings or StreamSettings()
        self.counts: Counter[str] = Counter()
        self.client = connect(url, command_timeout=self.settings.command_timeout)
        self._slots = asyncio.Semaphore(self.settings.connections)
        self._command = command_of(self.client)
        self._url = url
        self._subscriptions: list[DurableSubscription | DaprSubscription] = []

    @property
    def place(self) -> str:
        """Where Redis is, without credentials: `127.0.0.1:6379`."""
        known = self.client.connection_pool.connection_kwargs
        return str(known.get("path") or f"{known.get('host')}:{known.get('port')}")

    async def publish(self, address: str, message: PublishedMessage) -> str:
        """Store the message; return the id of its entry. `TransportError` when it may not have been stored.

        The command is sent once: a repetition by the client would store it twice without telling.
        """
        body, metadata = wire.encode(message, utc_now())
        try:
            async with self._slots:
                id_: bytes = await self._command("XADD", address, "*", "data", body, "metadata", metadata)
        except (RedisError, OSError) as error:
            raise TransportError(f"not known to be published to {address}: {error}") from error
        self.counts["published"] += 1
        return id_.decode()

    async def subscribe(
        self, address: str, group: str, handler: Handler, options: SubscribeOptions | None = None
    ) -> DurableSubscription | DaprSubscription:
        """Join the group; `TransportError` when Redis does not answer."""
        kind = DurableSubscription if self.mode is Mode.DURABLE else DaprSubscription
        made = kind(
            self._url, self.client, address, group, handler, options or SubscribeOptions(), self.settings, self.counts
        )
        try:
            await made.start()
        except (RedisError, OSError) as error:
            raise TransportError(f"cannot subscribe to {address} for {group}: {error}") from error
        self._subscriptions.append(made)
        return made

    async def close(self) -> None:
        """Stop all subscriptions at once, running handlers are cancelled; close the connections."""
        await asyncio.gather(*(each.stop(grace=0) for each in self._subscriptions))
        self._subscriptions.clear()
        await self.client.aclose()
        await self.client.connection_pool.disconnect()
