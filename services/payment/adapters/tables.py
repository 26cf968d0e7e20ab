"""Tables of the payment service, besides those of the platform. Amounts in the smallest unit of the currency."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

PAYMENTS = Table(
    "payments",
    METADATA,
    Column("payment_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("provider_reference", Text, nullable=False),
    Column("failure", JSONB(none_as_null=True)),
    Column("next_action_url", Text),
    Column("metadata", JSONB, nullable=False),
    Column("attempted_until", DateTime(timezone=True)),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
REFUNDS = Table(
    "refunds",
    METADATA,
    Column("refund_id", Text, primary_key=True),
    Column("payment_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("whole", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("provider_reference", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("webhook_id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("provider_event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("provider_reference", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("digested_at", DateTime(timezone=True)),
)
