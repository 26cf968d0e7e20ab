"""The tables of the notification service, as `migrations/` makes them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("customer_id", Text, primary_key=True),
    Column("sealed", LargeBinary),
    Column("version", Integer, nullable=False),
    Column("erased", Boolean, nullable=False),
)
NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("notification_id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("template_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("variables", JSONB, nullable=False),
    Column("locale", Text, nullable=False),
    Column("recipient", LargeBinary),
    Column("correlation_id", Text, nullable=False),
    Column("send_after", DateTime(timezone=True)),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempt", Text, nullable=False),
    Column("busy_until", DateTime(timezone=True)),
    Column("doubt_since", DateTime(timezone=True)),
    Column("doubt_until", DateTime(timezone=True)),
    Column("provider_message_id", Text, nullable=False),
    Column("failure", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
