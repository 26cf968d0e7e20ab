"""Publishing with the change it tells of: messages are stored in the transaction, and a relay publishes them after it.

    async with database.transaction() as connection:
        ...                                                     # the change
        publisher = OrderEventsPublisher(outbox.within(connection))
        await publisher.publish_order_created(...)              # stored, not sent

Every message is published at least once, with the bytes that were stored: repeated, it has the same CloudEvents id.
Messages leave in the order of their positions, and a row is only removed when it was published, so none is skipped,
however late its transaction commits. A row is taken once every transaction that began to write before its own has
ended (`pg_current_snapshot`); a long transaction therefore holds up the relay, and `Relay.lag` shows it.
Messages of one ordering key stay in order when the transactions that write them exclude each other, by a row that
they lock or by the expected version of `event_log`.
"""

from __future__ import annotations

from dataclasses import dataclass

from shop.runtime.transport import Handler, PublishedMessage, SubscribeOptions, Subscription, Transport
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.database import Database, after_commit
from services.platform.tables import OUTBOX
from services.platform.waking import Waker


class Outbox:
    """The messages of one service that are not published yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.waker = Waker(database, channel=f"outbox {database.schema}")

    def within(self, connection: AsyncConnection) -> Transport:
        """A transport whose `publish` stores the message in the transaction of `connection`."""
        return _Storing(self, connection)

    async def put(self, connection: AsyncConnection, address: str, message: PublishedMessage) -> str:
        """Store a message; returns its position. The relay is woken when the transaction commits."""
        stored = await connection.execute(
            insert(OUTBOX)
            .values(
                address=address,
                ordering_key=message.ordering_key,
                content_type=message.content_type,
                headers=dict(message.headers),
                body=message.body,
            )
            .returning(OUTBOX.c.position)
        )
        after_commit(connection, self.waker.wake)
        return str(stored.scalar_one())

    async def close(self) -> None:
        """Let a notification that is under way end."""
        await self.waker.close()

    async def size(self) -> int:
        """How many messages are not published yet."""
        async with self._database.transaction() as connection:
            found = await connection.execute(select(func.count()).select_from(OUTBOX))
            return int(found.scalar_one())


@dataclass(frozen=True, slots=True)
class _Storing:
    outbox: Outbox
    connection: AsyncConnection

    async def publish(self, address: str, message: PublishedMessage) -> str:
        return await self.outbox.put(self.connection, address, message)

    async def subscribe(
        self, address: str, group: str, handler: Handler, options: SubscribeOptions | None = None
    ) -> Subscription:
        raise NotImplementedError("an outbox is written to; subscribe to the broker")

    async def close(self) -> None:
        """The transaction belongs to whoever began it."""
