"""The migrations of the catalog service."""

from __future__ import annotations

from pathlib import Path

from services.platform import migrations
from services.platform.database import Database

FOLDER = Path(__file__).parent / "migrations"


async def migrate(database: Database) -> tuple[str, ...]:
    """Bring the schema to the newest revision; returns the revisions that were applied."""
    return await migrations.migrate(database, FOLDER)
