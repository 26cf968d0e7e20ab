"""Real engines for what services share: a database with its tables and an empty Redis for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.backends.postgres import Database as TestDatabase
from harness.backends.redis import Redis
from harness.backends.session import Running
from services.platform.database import Database
from services.platform.migrations import migrate
from services.platform.redis_streams import RedisStreams, StreamSettings

TABLES = Path(__file__).parent / "migrations"
SCHEMA = "order"
QUICK = StreamSettings(
    processing_timeout=0.6, redeliver_interval=0.1, block=0.5, command_timeout=2.0, longest_pause=0.2
)
"""Tests do not wait a minute."""


@pytest.fixture(scope="session")
def postgres_template(running_backends: Running) -> str | None:
    """A database that has the platform's tables in the schema `order`."""

    async def prepare(dsn: str) -> None:
        database = Database(dsn, SCHEMA)
        await migrate(database, TABLES)
        await database.close()

    return running_backends.postgres.create_template("platform_tables", lambda dsn: asyncio.run(prepare(dsn)))


@pytest.fixture
def dsn(postgres: TestDatabase) -> str:
    """Where the database is."""
    return postgres.dsn


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The same as a service sees it."""
    found = Database(dsn, SCHEMA)
    yield found
    await found.close()


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    """The transport in mode `durable`, with an empty Redis."""
    found = RedisStreams(redis.url, settings=QUICK)
    yield found
    await found.close()
