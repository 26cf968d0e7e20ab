"""A service's tables for one test: a schema of its own, in a database that tests share, is quicker than one each."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from services.platform.database import Database
from services.platform.migrations import migrate

CONNECTIONS = 20
PATIENCE = 30.0
"""Seconds that work waits for a connection; machines that run tests are slow."""
_NUMBERS = count(1)


async def migrated(dsn: str, service: str, migrations: Path) -> Database:
    """The tables as the service sees them, empty."""
    schema = f"{service}_{next(_NUMBERS)}"
    database = Database(dsn, schema, pool_size=CONNECTIONS, connect_timeout=PATIENCE)
    await migrate(database, migrations)
    return database
