"""The database of a service: waiting for it, its schema, transactions and their repetition."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from harness.backends.session import Running
from services.platform.database import Conflict, Database, DatabaseUnavailable, after_commit


@pytest.fixture
def nowhere() -> str:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"postgresql://user:secret@127.0.0.1:{found.getsockname()[1]}/shop"


async def test_waiting_ends_after_the_limit_and_says_where_and_why_without_the_password(
    nowhere: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(nowhere, "order")
    began = time.monotonic()
    with caplog.at_level(logging.WARNING), pytest.raises(DatabaseUnavailable, match=r"schema order after 0\.\d s"):
        await database.wait(0.6)
    assert time.monotonic() - began < 3
    assert "waiting for PostgreSQL at 127.0.0.1" in caplog.text
    assert "secret" not in caplog.text
    await database.close()


async def test_waiting_ends_when_the_database_comes(backends: Running, dsn: str) -> None:
    await asyncio.to_thread(backends.postgres.kill9)
    database = Database(dsn, "order")
    waiting = asyncio.create_task(database.wait(30))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await asyncio.to_thread(backends.postgres.start)
    await asyncio.wait_for(waiting, 30)
    await database.close()


async def test_names_without_a_schema_mean_that_of_the_service_also_when_it_is_a_word_of_sql(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        found = await connection.execute(text("SELECT current_schema(), count(*) FROM outbox"))
        assert found.one() == ("order", 0)


async def test_a_connection_that_broke_is_replaced(backends: Running, database: Database) -> None:
    await database.ping()
    await asyncio.to_thread(backends.postgres.kill9)
    await asyncio.to_thread(backends.postgres.start)
    await database.wait(10)
    await database.ping()


async def test_an_exception_rolls_back_and_nothing_that_waits_for_the_commit_is_called(database: Database) -> None:
    called: list[str] = []

    async def write(fail: bool) -> None:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO inbox (consumer, source, id) VALUES ('c', 's', '1')"))
            after_commit(connection, lambda: called.append("committed"))
            assert called == []
            if fail:
                raise KeyError

    with pytest.raises(KeyError):
        await write(True)
    assert called == []
    await write(False)
    assert called == ["committed"]


async def test_work_that_lost_to_another_transaction_is_done_again(database: Database) -> None:
    tries = 0

    async def work(connection: AsyncConnection) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Conflict("version 3, not 2")
        return tries

    assert await database.run(work) == 3
    with pytest.raises(Conflict):
        await database.run(lambda connection: _always(), attempts=2)


async def _always() -> None:
    raise Conflict("always")


async def test_a_deadlock_is_resolved_by_doing_one_of_the_two_again(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE accounts (id int PRIMARY KEY, n int)"))
        await connection.execute(text("INSERT INTO accounts VALUES (1, 0), (2, 0)"))
        await connection.execute(text(f"ALTER DATABASE \"{database.url.database}\" SET deadlock_timeout = '50ms'"))
    await database.engine.dispose()
    barrier = asyncio.Barrier(2)
    met: set[str] = set()

    def crossing(name: str, first: int, second: int) -> Any:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("UPDATE accounts SET n = n + 1 WHERE id = :id"), {"id": first})
            if name not in met:
                met.add(name)
                await barrier.wait()
            await connection.execute(text("UPDATE accounts SET n = n + 1 WHERE id = :id"), {"id": second})

        return work

    await asyncio.gather(database.run(crossing("a", 1, 2)), database.run(crossing("b", 2, 1)))
    async with database.transaction() as connection:
        found = await connection.execute(text("SELECT n FROM accounts"))
        assert [row.n for row in found] == [2, 2]


async def test_other_errors_are_not_repeated(database: Database) -> None:
    tries = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError, match="division by zero"):
        await database.run(work)
    assert tries == 1


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="no PostgreSQL URL"):
        Database("mysql://host/shop", "order")


async def test_an_error_of_a_statement_does_not_show_its_parameters(dsn: str) -> None:
    database = Database(dsn, "order")
    with pytest.raises(DBAPIError) as caught:
        async with database.engine.begin() as connection:
            await connection.execute(text("SELECT CAST(:card AS text) FROM nothing"), {"card": "4242424242424242"})
    assert "4242" not in str(caught.value)
    await database.close()


async def test_closing_waits_for_connections_that_are_about_to_be_given_back(dsn: str) -> None:
    database = Database(dsn, "order")
    busy = asyncio.Event()

    async def work() -> None:
        async with database.engine.connect() as connection:
            busy.set()
            await connection.execute(text("SELECT pg_sleep(0.3)"))

    task = asyncio.create_task(work())
    await busy.wait()
    await database.close()
    assert task.done()
    await task
