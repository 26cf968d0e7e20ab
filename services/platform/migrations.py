"""Migrations at start: one folder of alembic revisions per service, its version table in the service's schema.

All pending revisions run in one transaction under an advisory lock: of several replicas that start together one
migrates, the others wait and find nothing to do. A revision that fails leaves the schema as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from services.platform.database import Database, quoted

LOG = logging.getLogger(__name__)
VERSION_TABLE = "schema_version"


class MigrationError(Exception):
    """The folder and the database do not fit: the database is at a revision that the folder does not have."""


async def migrate(database: Database, folder: Path, *, lock_timeout: float = 60.0) -> tuple[str, ...]:
    """Create the schema and bring it to the newest revision; returns the revisions that were applied, in order.

    `lock_timeout` is how many seconds to wait for another replica that migrates.
    """
    async with database.transaction() as connection:
        await connection.execute(text("SELECT set_config('lock_timeout', :ms, true)"), {"ms": f"{lock_timeout:.3f}s"})
        await connection.execute(text("SELECT set_config('statement_timeout', '0', true)"))
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"migrate {database.schema}"}
        )
        await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quoted(database.schema)}"))
        applied = await connection.run_sync(_upgrade, database.schema, folder)
    for revision in applied:
        LOG.info("schema %s: migrated to %s", database.schema, revision)
    return applied


def _upgrade(connection: Connection, schema: str, folder: Path) -> tuple[str, ...]:
    script = ScriptDirectory(str(folder), version_locations=[str(folder)])
    applied: list[str] = []

    def steps(current: Any, _: MigrationContext) -> Sequence[Any]:
        known = {revision.revision for revision in script.walk_revisions()}
        foreign = [each for each in current if each not in known]
        if foreign:
            raise MigrationError(f"schema {schema} is at revision {', '.join(foreign)}, which {folder.name} lacks")
        found = script._upgrade_revs("head", current)
        applied.extend(str(step.revision.revision) for step in found)
        return found

    context = MigrationContext.configure(
        connection,
        opts={"version_table": VERSION_TABLE, "version_table_schema": schema, "fn": steps},
    )
    with Operations.context(context):
        context.run_migrations()
    return tuple(applied)
