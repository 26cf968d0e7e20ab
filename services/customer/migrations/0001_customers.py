"""Customers, their addresses and payment methods, and their sessions."""

from alembic import op

from services.platform import tables

revision = "0001"
down_revision = None

CUSTOMERS = """
CREATE TABLE customers (
    customer_id text PRIMARY KEY,
    email text,
    email_key text CONSTRAINT customers_email UNIQUE,
    password_hash text,
    registration_key text,
    profile jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'suspended', 'deleted')),
    version bigint NOT NULL CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT erased CHECK (
        (status = 'deleted' AND email IS NULL AND email_key IS NULL AND password_hash IS NULL AND profile = '{}')
        OR (status <> 'deleted' AND email IS NOT NULL AND email_key IS NOT NULL AND password_hash IS NOT NULL)
    )
)
"""
ADDRESSES = """
CREATE TABLE addresses (
    address_id text PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers,
    address jsonb NOT NULL,
    is_default boolean NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL
)
"""
PAYMENT_METHODS = """
CREATE TABLE payment_methods (
    payment_method_id text PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers,
    type text NOT NULL CHECK (type IN ('card', 'paypal')),
    provider_token text NOT NULL,
    details jsonb NOT NULL,
    is_default boolean NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL,
    refused_at timestamptz,
    refusal text
)
"""
SESSIONS = """
CREATE TABLE sessions (
    session_id text PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text
)
"""
REFRESH_TOKENS = """
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id text NOT NULL REFERENCES sessions ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
)
"""
ATTEMPTS = """
CREATE TABLE login_attempts (
    email_hash bytea PRIMARY KEY,
    failures integer NOT NULL,
    since timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Create them."""
    tables.create_outbox(op.get_bind())
    tables.create_inbox(op.get_bind())
    tables.create_idempotency_keys(op.get_bind())
    for statement in (CUSTOMERS, ADDRESSES, PAYMENT_METHODS, SESSIONS, REFRESH_TOKENS, ATTEMPTS):
        op.execute(statement)
    for table in ("addresses", "payment_methods"):
        op.execute(f"CREATE INDEX {table}_customer ON {table} (customer_id)")
        op.execute(f"CREATE UNIQUE INDEX {table}_default ON {table} (customer_id) WHERE is_default")
    op.execute("CREATE INDEX sessions_customer ON sessions (customer_id)")
    op.execute("CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id)")
    op.execute("CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at)")
