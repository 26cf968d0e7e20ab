"""Databases that have a service's tables, to make copies of."""

from __future__ import annotations

import asyncio
from pathlib import Path

from harness.backends.postgres import Postgres
from services.platform.database import Database
from services.platform.migrations import migrate


def migrated(postgres: Postgres, schema: str, migrations: Path) -> str:
    """A template in which the migrations of a service have run; returns its name."""

    async def prepare(dsn: str) -> None:
        database = Database(dsn, schema)
        await migrate(database, migrations)
        await database.close()

    return postgres.create_template(f"{schema}_tables", lambda dsn: asyncio.run(prepare(dsn)))
