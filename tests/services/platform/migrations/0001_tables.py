"""All tables that the platform offers."""

from alembic import op

from services.platform import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    tables.create_outbox(op.get_bind())
    tables.create_inbox(op.get_bind())
    tables.create_idempotency_keys(op.get_bind())
    tables.create_event_log(op.get_bind())
