"""The tables of the checkout service. Migrations create them; a later change is a migration of its own."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

CARTS = Table(
    "carts",
    METADATA,
    Column("cart_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("checkout_id", Text),
    Column("idempotency_key", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
CART_LINES = Table(
    "cart_lines",
    METADATA,
    Column("cart_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
)
CHECKOUTS = Table(
    "checkouts",
    METADATA,
    Column("checkout_id", Text, primary_key=True),
    Column("cart_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("preview", JSONB(none_as_null=True)),
    Column("preview_expires_at", DateTime(timezone=True)),
    Column("payment_method_id", Text),
    Column("order_id", Text),
    Column("failure_code", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
