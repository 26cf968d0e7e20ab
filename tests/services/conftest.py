"""Databases as services see them: each test has its own, migrated once per session by copying a template."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from harness.backends.postgres import Postgres
from services.platform.database import Database
from services.platform.migrations import migrate

SERVICES = Path(__file__).parents[2] / "services"


@pytest.fixture(scope="session")
def _migrated() -> dict[tuple[int, str], str]:
    return {}


@pytest.fixture
def migrated_database(postgres: Postgres, _migrated: dict[tuple[int, str], str]) -> Iterator[Callable[[str], str]]:
    """`migrated_database("catalog")`: the DSN of a database of this test's own with the schema of that service."""
    with ExitStack() as made:

        def make(service: str) -> str:
            key = (id(postgres), service)
            if key not in _migrated:
                _migrated[key] = postgres.create_template(f"migrated_{service}", partial(_prepared, service))
            database = postgres.create_database(template=_migrated[key])
            made.callback(database.drop)
            return database.dsn

        yield make


def _prepared(service: str, dsn: str) -> None:
    """In a thread: the test may have an event loop of its own."""
    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, _prepare(service, dsn)).result()


async def _prepare(service: str, dsn: str) -> None:
    database = Database(dsn, service)
    try:
        await migrate(database, SERVICES / service / "migrations")
    finally:
        await database.close()
