"""Carts, their lines, checkouts; keys of commands; the inbox of events."""

from __future__ import annotations

from alembic import op

from services.platform.tables import create_idempotency_keys, create_inbox

revision = "0001"
down_revision = None

CARTS = """
CREATE TABLE carts (
    cart_id text PRIMARY KEY,
    customer_id text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version bigint NOT NULL CHECK (version > 0),
    checkout_id text,
    idempotency_key text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (customer_id, idempotency_key)
)
"""
CART_LINES = """
CREATE TABLE cart_lines (
    cart_id text NOT NULL REFERENCES carts ON DELETE CASCADE,
    position integer NOT NULL,
    product_id text NOT NULL,
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    PRIMARY KEY (cart_id, position),
    UNIQUE (cart_id, product_id)
)
"""
CHECKOUTS = """
CREATE TABLE checkouts (
    checkout_id text PRIMARY KEY,
    cart_id text NOT NULL REFERENCES carts,
    customer_id text NOT NULL,
    session_id text NOT NULL,
    status text NOT NULL
        CHECK (status IN ('STARTED', 'PREVIEWED', 'CONFIRMED', 'COMPLETED', 'FAILED')),
    preview jsonb,
    preview_expires_at timestamptz,
    payment_method_id text,
    order_id text UNIQUE,
    failure_code text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((preview IS NULL) = (preview_expires_at IS NULL)),
    CHECK (status NOT IN ('CONFIRMED', 'COMPLETED') OR order_id IS NOT NULL)
)
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (CARTS, CART_LINES, CHECKOUTS):
        op.execute(statement)
    op.execute("CREATE INDEX checkouts_by_cart ON checkouts (cart_id, session_id)")
    op.execute(
        "CREATE INDEX checkouts_by_product ON checkouts USING gin ((preview -> 'lines') jsonb_path_ops) "
        "WHERE status = 'PREVIEWED'"
    )
    create_idempotency_keys(op.get_bind())
    create_inbox(op.get_bind())
