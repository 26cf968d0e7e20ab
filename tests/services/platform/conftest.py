"""Real engines for what services share: a database and an empty Redis of its own for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.backends.postgres import Postgres
from harness.backends.redis import Redis
from services.platform.database import Database
from services.platform.migrations import migrate
from services.platform.redis_streams import RedisStreams, StreamSettings

TABLES = Path(__file__).parent / "migrations"
TEMPLATE = "platform_tables"
SCHEMA = "order"


@pytest.fixture(scope="session")
def _templates() -> dict[int, str]:
    return {}


@pytest.fixture
def dsn(postgres: Postgres, _templates: dict[int, str]) -> Iterator[str]:
    """A database that has the platform's tables in the schema `order`."""
    if id(postgres) not in _templates:

        async def prepare(dsn: str) -> None:
            database = Database(dsn, SCHEMA)
            await migrate(database, TABLES)
            await database.close()

        _templates[id(postgres)] = postgres.create_template(TEMPLATE, lambda dsn: asyncio.run(prepare(dsn)))
    made = postgres.create_database(template=TEMPLATE)
    yield made.dsn
    postgres.restore()
    made.drop()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The same as a service sees it."""
    found = Database(dsn, SCHEMA)
    yield found
    await found.close()


QUICK = StreamSettings(
    processing_timeout=0.6, redeliver_interval=0.1, block=0.5, command_timeout=2.0, longest_pause=0.2
)
"""Tests do not wait a minute."""


@pytest.fixture
async def streams(redis: Redis) -> AsyncIterator[RedisStreams]:
    """The transport in mode `durable`, with an empty Redis."""
    redis.flush()
    found = RedisStreams(redis.url, settings=QUICK)
    yield found
    await found.close()
