"""Finding the payments whose outcome is not known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index."""
    op.create_index("open_payments", "payments", ["attempted_until"], postgresql_where=sa.text("state = 'PENDING'"))
