"""Tables of the order service, besides those of the platform."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

ORDERS = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("checkout_id", Text, nullable=False, unique=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("orders_of_customer", "customer_id", "created_at", "order_id"),
)
"""What orders are found by. Written with the events; its rows are the locks of the orders."""

PERSONAL_DATA = Table(
    "personal_data",
    METADATA,
    Column("order_id", Text, ForeignKey("orders.order_id"), primary_key=True),
    Column("shipping_address", JSONB(none_as_null=True), nullable=False),
    Column("billing_address", JSONB(none_as_null=True)),
    Column("cancellation_words", Text),
)
"""What must be forgotten when the customer is: it is in no event."""
