"""Migrations at start: once, in order, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from harness.backends.session import Running
from services.platform.database import Database
from services.platform.migrations import MigrationError, migrate

REVISION = """
from alembic import op
revision = {revision!r}
down_revision = {before!r}


def upgrade():
    op.execute({statement!r})
"""


@pytest.fixture
def empty(backends: Running) -> Iterator[str]:
    """The DSN of a database without anything."""
    with backends.postgres.database() as made:
        yield made.dsn


def write(folder: Path, number: int, statement: str) -> None:
    before = f"{number - 1:04}" if number > 1 else None
    source = REVISION.format(revision=f"{number:04}", before=before, statement=statement)
    (folder / f"{number:04}_step.py").write_text(source)


async def tables(database: Database) -> set[str]:
    async with database.transaction() as connection:
        query = text("SELECT table_name FROM information_schema.tables WHERE table_schema = :schema")
        return {row.table_name for row in await connection.execute(query, {"schema": database.schema})}


async def test_pending_revisions_run_in_order_once_and_new_ones_follow(empty: str, tmp_path: Path) -> None:
    database = Database(empty, "stock room")
    write(tmp_path, 1, "CREATE TABLE one (n int)")
    write(tmp_path, 2, "ALTER TABLE one RENAME TO two")
    assert await migrate(database, tmp_path) == ("0001", "0002")
    assert await migrate(database, tmp_path) == ()
    write(tmp_path, 3, "CREATE TABLE three (n int)")
    assert await migrate(database, tmp_path) == ("0003",)
    assert await tables(database) == {"two", "three", "schema_version"}
    await database.close()


async def test_of_replicas_that_start_together_one_migrates(empty: str, tmp_path: Path) -> None:
    write(tmp_path, 1, "CREATE TABLE one (n int)")
    write(tmp_path, 2, "CREATE TABLE two AS SELECT pg_sleep(0.2)::text AS slept")
    replicas = [Database(empty, "order") for _ in range(4)]
    applied = await asyncio.gather(*(migrate(replica, tmp_path) for replica in replicas))
    assert sorted(applied) == [(), (), (), ("0001", "0002")]
    for replica in replicas:
        await replica.close()


async def test_a_revision_that_fails_leaves_the_schema_as_it_was(empty: str, tmp_path: Path) -> None:
    database = Database(empty, "order")
    write(tmp_path, 1, "CREATE TABLE one (n int)")
    await migrate(database, tmp_path)
    write(tmp_path, 2, "CREATE TABLE two (n int)")
    write(tmp_path, 3, "SELECT 1 / 0")
    with pytest.raises(DBAPIError, match="division by zero"):
        await migrate(database, tmp_path)
    assert await tables(database) == {"one", "schema_version"}
    write(tmp_path, 3, "SELECT 1")
    assert await migrate(database, tmp_path) == ("0002", "0003")
    await database.close()


async def test_a_database_that_is_ahead_of_the_code_is_refused(empty: str, tmp_path: Path) -> None:
    database = Database(empty, "order")
    write(tmp_path, 1, "CREATE TABLE one (n int)")
    write(tmp_path, 2, "CREATE TABLE two (n int)")
    await migrate(database, tmp_path)
    (tmp_path / "0002_step.py").unlink()
    with pytest.raises(MigrationError, match=r"schema order is at revision 0002, which .* lacks"):
        await migrate(database, tmp_path)
    await database.close()


async def test_two_services_migrate_their_schemas_of_one_database_by_themselves(empty: str, tmp_path: Path) -> None:
    one, two = Database(empty, "order"), Database(empty, "payment")
    write(tmp_path, 1, "CREATE TABLE one (n int)")
    assert await migrate(one, tmp_path) == ("0001",)
    assert await migrate(two, tmp_path) == ("0001",)
    assert await tables(one) == await tables(two) == {"one", "schema_version"}
    await one.close()
    await two.close()
