"""The event log: versions without gaps, optimistic concurrency, reading that skips nothing."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.database import Database
from services.platform.event_log import START, EventLog, LoggedEvent, NewEvent, Position, WrongVersion


@pytest.fixture
def log(database: Database) -> EventLog:
    return EventLog(database)


def events(*names: str) -> list[NewEvent]:
    return [NewEvent(type=name, data={"name": name, "big": 12345678901234567890}) for name in names]


async def append(database: Database, log: EventLog, stream: str, expected: int, *names: str) -> int:
    async with database.transaction() as connection:
        return await log.append(connection, stream, events(*names), expected_version=expected)


async def read(database: Database, log: EventLog, after: Position = START, limit: int = 500) -> list[LoggedEvent]:
    async with database.transaction() as connection:
        return await log.read(connection, after, limit=limit)


async def test_a_stream_is_loaded_as_it_was_written(database: Database, log: EventLog) -> None:
    assert await append(database, log, "o1", 0, "created", "paid") == 2
    assert await append(database, log, "o1", 2, "shipped") == 3
    assert await append(database, log, "o2", 0, "created") == 1
    async with database.transaction() as connection:
        found = await log.load(connection, "o1")
        early = await log.load(connection, "o1", until_version=2)
        nothing = await log.load(connection, "o3")
    assert [(each.type, each.version) for each in found] == [("created", 1), ("paid", 2), ("shipped", 3)]
    assert found[0].data == {"name": "created", "big": 12345678901234567890}
    assert found[0].recorded_at >= found[0].time
    assert (early, nothing) == (found[:2], [])


async def test_a_writer_with_another_version_is_refused(database: Database, log: EventLog) -> None:
    await append(database, log, "o1", 0, "created")
    for expected in (0, 2):
        with pytest.raises(WrongVersion, match=f"o1 is at version 1, not {expected}"):
            await append(database, log, "o1", expected, "again")
    assert await append(database, log, "o1", 1) == 1


async def test_of_writers_with_one_version_at_a_time_one_wins(database: Database, log: EventLog) -> None:
    results = await asyncio.gather(
        *(append(database, log, "o1", 0, str(number)) for number in range(8)), return_exceptions=True
    )
    assert [result for result in results if not isinstance(result, WrongVersion)] == [1]


async def test_writers_that_read_again_all_get_their_turn(database: Database, log: EventLog) -> None:
    async def add(number: int) -> None:
        async def work(connection: AsyncConnection) -> int:
            version = len(await log.load(connection, "o1"))
            return await log.append(connection, "o1", events(str(number)), expected_version=version)

        await database.run(work, attempts=50)

    await asyncio.gather(*(add(number) for number in range(10)))
    async with database.transaction() as connection:
        found = await log.load(connection, "o1")
    assert [each.version for each in found] == list(range(1, 11))
    assert {each.type for each in found} == {str(number) for number in range(10)}


async def test_an_event_that_commits_late_is_not_skipped(database: Database, log: EventLog) -> None:
    async with database.transaction() as slow:
        await log.append(slow, "slow", events("slow"), expected_version=0)
        await append(database, log, "fast", 0, "fast")
        assert await read(database, log) == []
    assert [each.type for each in await read(database, log)] == ["slow", "fast"]


async def test_a_transaction_that_began_before_the_streams_last_writer_must_begin_anew(
    database: Database, log: EventLog
) -> None:
    """Its id is lower: its event would come before the one it follows."""
    async with database.transaction() as early:
        await early.execute(text("INSERT INTO inbox (consumer, source, id) VALUES ('c', 's', '1')"))
        await append(database, log, "o1", 0, "created")
        with pytest.raises(WrongVersion, match="began after"):
            await log.append(early, "o1", events("paid"), expected_version=1)


async def test_readers_that_go_on_from_their_position_see_every_event_once_and_streams_in_order(
    database: Database, log: EventLog
) -> None:
    pauses = itertools.cycle([0.001, 0.009, 0.004, 0, 0.007, 0.002, 0.006])
    writing = True
    seen: list[LoggedEvent] = []

    async def write(stream: str) -> None:
        for version in range(15):

            async def work(connection: AsyncConnection, version: int = version) -> None:
                await connection.execute(text("SELECT pg_current_xact_id()"))
                await asyncio.sleep(next(pauses))
                await log.append(connection, stream, events(f"{stream}{version}"), expected_version=version)
                await asyncio.sleep(next(pauses))

            await database.run(work, attempts=20)

    async def follow() -> None:
        after = START
        while True:
            last = not writing
            found = await read(database, log, after, limit=7)
            seen.extend(found)
            if found:
                after = found[-1].position
            elif last:
                return

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(stream) for stream in "abcde"))
    writing = False
    await asyncio.wait_for(following, 20)
    assert len({each.id for each in seen}) == len(seen) == 75
    assert [each.position for each in seen] == sorted(each.position for each in seen)
    for stream in "abcde":
        assert [each.version for each in seen if each.stream == stream] == list(range(1, 16))


async def test_followers_get_history_and_what_is_added(database: Database, log: EventLog) -> None:
    await append(database, log, "o1", 0, "old")
    following = log.follow(poll=5.0)
    assert (await anext(following)).type == "old"
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.05)
    await append(database, log, "o1", 1, "new")
    assert (await asyncio.wait_for(waiting, 2)).type == "new"
    await following.aclose()


@pytest.mark.parametrize(
    "statement", ["UPDATE event_log SET data = '1'", "DELETE FROM event_log", "TRUNCATE event_log"]
)
async def test_the_log_can_only_be_added_to(database: Database, log: EventLog, statement: str) -> None:
    await append(database, log, "o1", 0, "created")

    async def change() -> None:
        async with database.transaction() as connection:
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="append-only"):
        await change()


async def test_an_event_id_is_used_once(database: Database, log: EventLog) -> None:
    event = events("created")[0]

    async def add(stream: str) -> None:
        async with database.transaction() as connection:
            await log.append(connection, stream, [event], expected_version=0)

    await add("o1")
    with pytest.raises(DBAPIError, match="duplicate key"):
        await add("o2")


def test_positions_have_the_order_of_the_log() -> None:
    positions = [Position(3, 9), Position(4, 1), Position(4, 2)]
    assert sorted({positions[2], positions[0], positions[1]}) == positions
    assert positions[0] > START
