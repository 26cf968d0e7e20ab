"""The tables of the catalog; migrations/ creates them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Integer, Interval, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

METADATA = MetaData()

PRODUCTS = Table(
    "products",
    METADATA,
    Column("product_id", Text, primary_key=True),
    Column("sku", Text),
    Column("name", Text),
    Column("description", Text),
    Column("categories", ARRAY(Text)),
    Column("attributes", JSONB),
    Column("status", Text),
    Column("image_urls", ARRAY(Text)),
    Column("weight_grams", Integer),
    Column("handling_time", Interval),
    Column("version", BigInteger),
    Column("created_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True)),
)
PRICES = Table(
    "prices",
    METADATA,
    Column("product_id", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("amount", BigInteger),
    Column("list_amount", BigInteger),
    Column("effective_from", DateTime(timezone=True)),
    Column("reason", Text),
)
SEARCH_INDEX = Table(
    "search_index",
    METADATA,
    Column("product_id", Text, primary_key=True),
    Column("product_version", BigInteger),
    Column("document", TSVECTOR),
    Column("price", BigInteger),
    Column("refreshed_at", DateTime(timezone=True)),
)
SEARCH_STOCK = Table(
    "search_stock",
    METADATA,
    Column("product_id", Text, primary_key=True),
    Column("warehouse_id", Text, primary_key=True),
    Column("available", BigInteger),
    Column("version", BigInteger),
)
