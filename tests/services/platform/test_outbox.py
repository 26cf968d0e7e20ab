"""What a transaction publishes leaves once it is committed, in order, whatever happens to relays and brokers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop.customer.v1.events.models import CustomerDeletedData
from shop.customer.v1.events.publishers import CustomerEventsPublisher
from shop.runtime.errors import TransportError
from shop.runtime.in_process import InProcessTransport
from shop.runtime.transport import PublishedMessage, utc_now
from sqlalchemy import text

from harness.backends.session import Running
from services.platform.database import Database
from services.platform.outbox import Outbox
from services.platform.relay import Relay, RelaySettings
from tests.services.platform.conftest import SCHEMA
from tests.services.platform.reading import message, until

QUICK = RelaySettings(poll=0.05, standby=0.05, longest_pause=0.2)


class Broker(InProcessTransport):
    """Refuses what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[bytes] = set()
        self.down = False

    async def publish(self, address: str, message: PublishedMessage) -> str:
        await asyncio.sleep(0)
        if self.down or message.body in self.refused:
            raise TransportError("refused")
        return await super().publish(address, message)

    def bodies(self, address: str = "a") -> list[str]:
        return [each.body.decode() for each in self.messages(address)]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


@asynccontextmanager
async def relaying(
    database: Database, outbox: Outbox, broker: Broker, settings: RelaySettings = QUICK
) -> AsyncIterator[Relay]:
    relay = Relay(database, outbox, broker, settings)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop(5)


async def put(database: Database, outbox: Outbox, *texts: str, key: str | None = None) -> None:
    async with database.transaction() as connection:
        for each in texts:
            await outbox.put(connection, "a", message(each, key))


async def test_what_is_committed_is_published_in_order_and_removed(
    database: Database, outbox: Outbox, broker: Broker
) -> None:
    async with relaying(database, outbox, broker) as relay:
        for number in range(20):
            await put(database, outbox, f"{number}a", f"{number}b", key="k")
        await until(lambda: len(broker.bodies()) == 40)
        assert broker.bodies() == [f"{number}{half}" for number in range(20) for half in "ab"]
        await until(lambda: _empty(outbox))
        assert (relay.published, await relay.lag()) == (40, 0.0)


async def _empty(outbox: Outbox) -> bool:
    return await outbox.size() == 0


async def test_what_is_rolled_back_is_never_published(database: Database, outbox: Outbox, broker: Broker) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await outbox.put(connection, "a", message("no"))
            raise KeyError

    async with relaying(database, outbox, broker):
        with pytest.raises(KeyError):
            await fail()
        await put(database, outbox, "yes")
        await until(broker.bodies)
    assert broker.bodies() == ["yes"]


async def test_a_generated_publisher_stores_its_event_with_its_key(
    database: Database, outbox: Outbox, broker: Broker
) -> None:
    data = CustomerDeletedData(customer_id="cus_1", deleted_at=utc_now())
    async with database.transaction() as connection:
        publisher = CustomerEventsPublisher(outbox.within(connection))
        event = await publisher.publish_customer_deleted(
            data, subject="cus_1", correlationid="cus_1", aggregateversion=2
        )
    async with relaying(database, outbox, broker):
        await until(lambda: broker.messages("customer-deleted"))
    [sent] = broker.messages("customer-deleted")
    assert sent.body == event.to_json()
    assert (sent.content_type, sent.ordering_key) == ("application/cloudevents+json", "cus_1")


async def test_bytes_and_headers_leave_as_they_were_stored(database: Database, outbox: Outbox, broker: Broker) -> None:
    stored = PublishedMessage(body=b"\x00\xff", content_type="text/x", headers={"h": "\u2603"}, ordering_key="k")
    async with database.transaction() as connection:
        await outbox.within(connection).publish("a", stored)
    async with relaying(database, outbox, broker):
        await until(lambda: broker.messages("a"))
    assert broker.messages("a") == (stored,)


async def test_a_transaction_that_commits_late_is_not_skipped(
    database: Database, outbox: Outbox, broker: Broker
) -> None:
    """Positions are given at insertion: the first one becomes visible after the second."""
    async with relaying(database, outbox, broker):
        async with database.transaction() as slow:
            await outbox.put(slow, "a", message("slow"))
            await put(database, outbox, "fast")
            await asyncio.sleep(0.2)
            assert broker.bodies() == []
        await until(lambda: len(broker.bodies()) == 2)
    assert broker.bodies() == ["slow", "fast"]


async def test_messages_behind_one_that_cannot_be_published_wait_and_other_keys_go_on(
    database: Database, outbox: Outbox, broker: Broker
) -> None:
    broker.refused.add(b"x1")
    async with relaying(database, outbox, broker):
        await put(database, outbox, "x1", "x2", key="x")
        await put(database, outbox, "y1", "y2", key="y")
        await until(lambda: len(broker.bodies()) == 2)
        await asyncio.sleep(0.1)
        assert broker.bodies() == ["y1", "y2"]
        broker.refused.clear()
        await until(lambda: len(broker.bodies()) == 4)
    assert broker.bodies() == ["y1", "y2", "x1", "x2"]


async def test_of_two_relays_one_publishes_and_the_other_takes_over(dsn: str, broker: Broker) -> None:
    databases = [Database(dsn, SCHEMA) for _ in range(2)]
    outboxes = [Outbox(database) for database in databases]
    relays = [Relay(database, outbox, broker, QUICK) for database, outbox in zip(databases, outboxes, strict=True)]
    for relay in relays:
        await relay.start()
    await until(lambda: sum(relay.active for relay in relays) == 1)
    await put(databases[0], outboxes[0], "1")
    await until(lambda: broker.bodies() == ["1"])
    first = next(relay for relay in relays if relay.active)
    await first.stop(5)
    await until(lambda: sum(relay.active for relay in relays) == 1)
    await put(databases[0], outboxes[0], "2")
    await until(lambda: broker.bodies() == ["1", "2"])
    for relay in relays:
        await relay.stop(5)
    for database in databases:
        await database.close()


async def test_a_relay_in_another_process_is_woken_by_a_notification(dsn: str, broker: Broker) -> None:
    writing, relaying_side = Database(dsn, SCHEMA), Database(dsn, SCHEMA)
    patient = RelaySettings(poll=30.0, standby=0.05)
    async with relaying(relaying_side, Outbox(relaying_side), broker, patient) as relay:
        await until(lambda: relay.active)
        await asyncio.sleep(0.1)
        outbox = Outbox(writing)
        await put(writing, outbox, "1")
        await until(broker.bodies, within=3)
        await outbox.waker.close()
    await writing.close()
    await relaying_side.close()


async def test_a_stop_publishes_what_is_committed(database: Database, outbox: Outbox, broker: Broker) -> None:
    relay = Relay(database, outbox, broker, RelaySettings(poll=30.0, batch=2))
    await relay.start()
    await until(lambda: relay.active)
    await put(database, outbox, *"12345")
    await relay.stop(5)
    assert broker.bodies() == list("12345")
    await relay.stop(5)


async def test_a_relay_goes_on_after_the_broker_and_the_database_were_away(
    backends: Running, database: Database, outbox: Outbox, broker: Broker
) -> None:
    async with relaying(database, outbox, broker) as relay:
        broker.down = True
        await put(database, outbox, "1", key="k")
        await asyncio.sleep(0.2)
        assert await relay.lag() > 0.1
        broker.down = False
        await until(lambda: broker.bodies() == ["1"])
        await until(lambda: _empty(outbox))
        await asyncio.to_thread(backends.postgres.kill9)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(backends.postgres.start)
        await database.wait(20)
        await put(database, outbox, "2", key="k")
        await until(lambda: broker.bodies() == ["1", "2"])
        await until(lambda: _empty(outbox))


class Interrupted(Broker):
    """Breaks the connection that holds the relay's lock when it was given some messages."""

    def __init__(self, database: Database, after: int) -> None:
        super().__init__()
        self._database = database
        self._left = after

    async def publish(self, address: str, message: PublishedMessage) -> str:
        id_ = await super().publish(address, message)
        self._left -= 1
        if self._left == 0:
            async with self._database.transaction() as connection:
                await connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                )
        return id_


async def test_a_relay_that_lost_its_lock_takes_it_again_and_repeats_with_the_same_bytes(
    database: Database, outbox: Outbox
) -> None:
    broker = Interrupted(database, after=3)
    async with relaying(database, outbox, broker):
        await put(database, outbox, *"123456", key="k")
        await until(lambda: _empty(outbox))
    assert list(dict.fromkeys(broker.bodies())) == list("123456")


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_commits_when_everything_committed_is_published_and_keys_stay_in_order(
    dsn: str, data: st.DataObject
) -> None:
    """The law of the relay: writers of one key exclude each other, those of others overlap as they like."""
    plans = data.draw(
        st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 3), st.booleans(), st.integers(0, 3)), max_size=10)
    )

    async def run() -> tuple[list[str], list[str]]:
        database = Database(dsn, SCHEMA)
        outbox, broker = Outbox(database), Broker()
        locks = {key: asyncio.Lock() for key in "xyz"}
        committed: list[str] = []

        async def write(number: int, key: str, count: int, commits: bool, pause: int) -> None:
            async with locks[key]:
                async with database.transaction() as connection:
                    texts = [f"{key}:{number}.{each}" for each in range(count)]
                    for each in texts:
                        await outbox.put(connection, "a", message(each, key))
                        await asyncio.sleep(pause / 1000)
                    if not commits:
                        await connection.rollback()
                if commits:
                    committed.extend(texts)

        async with relaying(database, outbox, broker, RelaySettings(batch=3, poll=0.01, standby=0.01)):
            await asyncio.gather(*(write(number, *plan) for number, plan in enumerate(plans)))
            await until(lambda: _empty(outbox))
        await database.close()
        return committed, broker.bodies()

    committed, published = asyncio.run(run())
    assert sorted(published) == sorted(committed)
    for key in "xyz":
        assert [each for each in published if each[0] == key] == [each for each in committed if each[0] == key]
