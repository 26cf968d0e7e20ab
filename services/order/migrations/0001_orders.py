"""Orders: their events, what they are found by, and what must be forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from services.platform.tables import create_event_log, create_inbox, create_outbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    create_event_log(op.get_bind())
    create_outbox(op.get_bind())
    create_inbox(op.get_bind())
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("checkout_id", sa.Text, nullable=False, unique=True),
        sa.Column("idempotency_key", sa.Text, nullable=False, unique=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("orders_of_customer", "orders", ["customer_id", "created_at", "order_id"])
    op.create_table(
        "personal_data",
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("shipping_address", JSONB, nullable=False),
        sa.Column("billing_address", JSONB),
        sa.Column("cancellation_words", sa.Text),
    )
