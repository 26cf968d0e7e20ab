"""Contact data, which is sealed, and notifications."""

from alembic import op

from services.platform import tables

revision = "0001"
down_revision = None

CONTACTS = """
CREATE TABLE contacts (
    customer_id text PRIMARY KEY,
    sealed bytea,
    version integer NOT NULL,
    erased boolean NOT NULL,
    CONSTRAINT nothing_is_left_of_the_erased CHECK (NOT erased OR sealed IS NULL)
)
"""
NOTIFICATIONS = """
CREATE TABLE notifications (
    notification_id text PRIMARY KEY,
    key text NOT NULL,
    customer_id text NOT NULL,
    template_id text NOT NULL,
    order_id text NOT NULL,
    variables jsonb NOT NULL,
    locale text NOT NULL,
    recipient bytea,
    correlation_id text NOT NULL,
    send_after timestamptz,
    state text NOT NULL CHECK (state IN ('QUEUED', 'SENT', 'FAILED')),
    attempts integer NOT NULL,
    attempt text NOT NULL,
    busy_until timestamptz,
    doubt_since timestamptz,
    doubt_until timestamptz,
    provider_message_id text NOT NULL,
    failure text,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT no_address_is_kept_in_the_end CHECK (state = 'QUEUED' OR recipient IS NULL)
)
"""


def upgrade() -> None:
    """Create them, and what the platform needs."""
    tables.create_outbox(op.get_bind())
    tables.create_inbox(op.get_bind())
    tables.create_idempotency_keys(op.get_bind())
    op.execute(CONTACTS)
    op.execute(NOTIFICATIONS)
