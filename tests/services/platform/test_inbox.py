"""An event that is delivered twice has one effect."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.platform.database import Database
from services.platform.inbox import first_time, forget


async def handle(database: Database, id_: str, *, consumer: str = "order", source: str = "payment") -> bool:
    async with database.transaction() as connection:
        return await first_time(connection, consumer=consumer, source=source, id=id_)


async def test_the_same_event_is_new_once_per_consumer_and_source(database: Database) -> None:
    assert await handle(database, "1")
    assert not await handle(database, "1")
    assert await handle(database, "1", consumer="mail")
    assert await handle(database, "1", source="warehouse")
    assert await handle(database, "2")


async def test_an_effect_that_was_rolled_back_happens_with_the_next_delivery(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            assert await first_time(connection, consumer="order", source="payment", id="1")
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await handle(database, "1")


async def test_of_twenty_deliveries_at_a_time_one_has_the_effect(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE effects (n int)"))

    async def deliver(number: int) -> bool:
        async with database.transaction() as connection:
            if not await first_time(connection, consumer="order", source="payment", id="1"):
                return False
            await connection.execute(text("INSERT INTO effects VALUES (1)"))
            await asyncio.sleep(0.02)
            if number % 2:
                return True
            await connection.rollback()
            return False

    results = await asyncio.gather(*(deliver(number) for number in range(8)), return_exceptions=True)
    assert results.count(True) == 1
    async with database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM effects"))).scalar_one() == 1


async def test_old_entries_are_forgotten_and_young_ones_stay(database: Database) -> None:
    for number in range(5):
        await handle(database, str(number))
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE inbox SET created_at = now() - interval '8 days' WHERE id < '3'"))
        assert await forget(connection, older_than=timedelta(days=7), limit=2) == 2
        assert await forget(connection, older_than=timedelta(days=7)) == 1
        assert await forget(connection, older_than=timedelta(days=7)) == 0
    assert not await handle(database, "4")
