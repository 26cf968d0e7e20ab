"""Tables that every service may have, in its own schema; migrations create them: `create_outbox(op.get_bind())`.

A migration that was deployed keeps its meaning: a later change of a table here is a new function, never an edit.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

METADATA = MetaData()


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's `xid8`: a 64-bit transaction id that does not wrap around."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The name of the type."""
        return "xid8"


def _now() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def _transaction_id() -> Column[str]:
    return Column("transaction_id", TransactionId(), nullable=False, server_default=text("pg_current_xact_id()"))


OUTBOX = Table(
    "outbox",
    METADATA,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    _transaction_id(),
    Column("address", Text, nullable=False),
    Column("ordering_key", Text),
    Column("content_type", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _now(),
)
INBOX = Table(
    "inbox",
    METADATA,
    Column("consumer", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    _now(),
    PrimaryKeyConstraint("consumer", "source", "id"),
    Index("inbox_created_at", "created_at"),
)
IDEMPOTENCY = Table(
    "idempotency_keys",
    METADATA,
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("token", Text, nullable=False),
    Column("running_until", DateTime(timezone=True)),
    Column("result", LargeBinary),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _now(),
    PrimaryKeyConstraint("scope", "key"),
    Index("idempotency_keys_expires_at", "expires_at"),
)
EVENT_LOG = Table(
    "event_log",
    METADATA,
    Column("position", BigInteger, Identity(always=True), nullable=False),
    _transaction_id(),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("event_time", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    PrimaryKeyConstraint("stream", "version"),
    UniqueConstraint("event_id"),
    Index("event_log_order", "transaction_id", "position", unique=True),
)


def create_outbox(connection: Connection) -> None:
    """Messages that are to be published: written with the change they tell of, removed once they are published."""
    OUTBOX.create(connection)


def create_inbox(connection: Connection) -> None:
    """Which events a consumer has handled."""
    INBOX.create(connection)


def create_idempotency_keys(connection: Connection) -> None:
    """Results of commands by idempotency key."""
    IDEMPOTENCY.create(connection)


def create_event_log(connection: Connection) -> None:
    """Events of aggregates, which can be added and read, and nothing else: a trigger refuses the rest."""
    EVENT_LOG.create(connection)
    function = text(
        "CREATE FUNCTION event_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the event log is append-only: % refused', TG_OP; END $$"
    )
    trigger = text(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_log_is_append_only()"
    )
    connection.execute(function)
    connection.execute(trigger)
