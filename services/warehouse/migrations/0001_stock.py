"""Levels, the movements that made them, reservations."""

from alembic import op

from services.platform import tables

revision = "0001"
down_revision = None

LEVELS = """
CREATE TABLE stock_levels (
    product_id text NOT NULL,
    warehouse_id text NOT NULL,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (product_id, warehouse_id),
    CONSTRAINT available_is_never_negative CHECK (reserved >= 0 AND on_hand >= reserved),
    CONSTRAINT subject_of_events_fits CHECK (length(product_id) + length(warehouse_id) < 64)
)
"""
MOVEMENTS = """
CREATE TABLE stock_movements (
    product_id text NOT NULL,
    warehouse_id text NOT NULL,
    version bigint NOT NULL,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL,
    cause text NOT NULL,
    reason text,
    order_id text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (product_id, warehouse_id, version),
    FOREIGN KEY (product_id, warehouse_id) REFERENCES stock_levels
)
"""
APPEND_ONLY = """
CREATE FUNCTION movements_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'movements are append-only: % refused', TG_OP; END $$
"""
APPEND_ONLY_TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
FOR EACH STATEMENT EXECUTE FUNCTION movements_are_append_only()
"""
ORDERS = """
CREATE TABLE orders (
    order_id text PRIMARY KEY,
    version integer NOT NULL DEFAULT 0,
    shortages integer NOT NULL DEFAULT 0
)
"""
RESERVATIONS = """
CREATE TABLE reservations (
    reservation_id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    lines jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('ACTIVE', 'COMMITTED', 'RELEASED', 'EXPIRED')),
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)
"""
INDEXES = (
    "CREATE UNIQUE INDEX one_active_reservation_an_order ON reservations (order_id) WHERE status = 'ACTIVE'",
    "CREATE INDEX reservations_of_an_order ON reservations (order_id, created_at)",
    "CREATE INDEX reservations_that_lapse ON reservations (expires_at) WHERE status = 'ACTIVE'",
)
SHARES = """
CREATE TABLE reservation_shares (
    reservation_id text NOT NULL REFERENCES reservations,
    product_id text NOT NULL,
    warehouse_id text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, product_id, warehouse_id),
    FOREIGN KEY (product_id, warehouse_id) REFERENCES stock_levels
)
"""


def upgrade() -> None:
    """Create them, and what the platform needs."""
    tables.create_outbox(op.get_bind())
    tables.create_inbox(op.get_bind())
    tables.create_idempotency_keys(op.get_bind())
    for statement in (LEVELS, MOVEMENTS, APPEND_ONLY, APPEND_ONLY_TRIGGER, ORDERS, RESERVATIONS, *INDEXES, SHARES):
        op.execute(statement)
