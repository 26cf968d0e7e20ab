"""The tables of the warehouse service, as `migrations/` makes them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()

LEVELS = Table(
    "stock_levels",
    METADATA,
    Column("product_id", Text, primary_key=True),
    Column("warehouse_id", Text, primary_key=True),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)
MOVEMENTS = Table(
    "stock_movements",
    METADATA,
    Column("product_id", Text, primary_key=True),
    Column("warehouse_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text),
    Column("order_id", Text),
    Column("recorded_at", DateTime(timezone=True)),
)
ORDERS = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("shortages", Integer, nullable=False),
)
RESERVATIONS = Table(
    "reservations",
    METADATA,
    Column("reservation_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
SHARES = Table(
    "reservation_shares",
    METADATA,
    Column("reservation_id", Text, primary_key=True),
    Column("product_id", Text, primary_key=True),
    Column("warehouse_id", Text, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
)
