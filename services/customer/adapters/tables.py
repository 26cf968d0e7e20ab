"""The tables of the customer service; migrations/ creates them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()


def _moment(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


CUSTOMERS = Table(
    "customers",
    METADATA,
    Column("customer_id", Text, primary_key=True),
    Column("email", Text),
    Column("email_key", Text),
    Column("password_hash", Text),
    Column("registration_key", Text),
    Column("profile", JSONB),
    Column("status", Text),
    Column("version", BigInteger),
    _moment("created_at"),
    _moment("updated_at"),
)
ADDRESSES = Table(
    "addresses",
    METADATA,
    Column("address_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("address", JSONB),
    Column("is_default", Boolean),
    Column("position", BigInteger),
    _moment("created_at"),
)
PAYMENT_METHODS = Table(
    "payment_methods",
    METADATA,
    Column("payment_method_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("type", Text),
    Column("provider_token", Text),
    Column("details", JSONB),
    Column("is_default", Boolean),
    Column("position", BigInteger),
    _moment("created_at"),
    _moment("refused_at"),
    Column("refusal", Text),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("session_id", Text, primary_key=True),
    Column("customer_id", Text),
    _moment("created_at"),
    _moment("ended_at"),
    Column("end_reason", Text),
)
REFRESH_TOKENS = Table(
    "refresh_tokens",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("session_id", Text),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("used_at"),
)
LOGIN_ATTEMPTS = Table(
    "login_attempts",
    METADATA,
    Column("email_hash", LargeBinary, primary_key=True),
    Column("failures", Integer),
    _moment("since"),
)
