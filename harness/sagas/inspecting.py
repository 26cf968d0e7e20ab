"""What services and gateways hold, read past the fault proxies: the truth while faults are in force."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from harness.environment.running import Environment
from harness.sagas.recording import Event, Recording, Stock
from harness.sagas.shopper import Shopper
from harness.sagas.watching import unsettled

CONNECT_TIMEOUT = 10
QUIET = 1.0
"""Seconds without anything unsettled before a run counts as over."""


class NotSettledError(AssertionError):
    """Something is still under way after the time that was given."""


def stock(environment: Environment) -> dict[str, Stock]:
    """Products of the warehouse, summed over its houses."""
    rows = _query(
        environment,
        "SELECT product_id, sum(on_hand)::bigint, sum(reserved)::bigint "
        "FROM warehouse.stock_levels GROUP BY product_id",
    )
    return {row[0]: Stock(product_id=row[0], on_hand=row[1], reserved=row[2]) for row in rows}


def outboxes(environment: Environment) -> dict[str, int]:
    """Service -> messages that wait to be published."""
    schemas = [row[0] for row in _query(environment, "SELECT schemaname FROM pg_tables WHERE tablename = 'outbox'")]
    found = {}
    with psycopg.connect(environment.backends.postgres.direct_url, connect_timeout=CONNECT_TIMEOUT) as connection:
        for schema in schemas:
            counted = connection.execute(sql.SQL("SELECT count(*) FROM {}.outbox").format(sql.Identifier(schema)))
            row = counted.fetchone()
            found[schema] = int(row[0]) if row else 0
    return found


def settle(environment: Environment, timeout: float) -> None:
    """Wait until nothing is under way; `NotSettledError` says what is after `timeout` seconds."""
    limit = time.monotonic() + timeout
    quiet_since: float | None = None
    while True:
        left = {
            name: count
            for name, count in {**outboxes(environment), **unsettled(environment.backends.redis.direct_url)}.items()
            if count
        }
        now = time.monotonic()
        quiet_since = None if left else (quiet_since or now)
        if quiet_since is not None and now - quiet_since >= QUIET:
            return
        if now > limit:
            raise NotSettledError(f"still under way after {timeout:g} s: {left}")
        time.sleep(0.1)


def recorded(
    environment: Environment,
    shopper: Shopper,
    order_id: str,
    *,
    events: Sequence[Event],
    ordered: Mapping[str, int],
    before: Mapping[str, Stock],
) -> Recording:
    """Everything that the invariants need to know of one order."""
    order = shopper.order(order_id)
    return Recording(
        order_id=order_id,
        status=str(order["status"]),
        status_reason=str(order.get("status_reason", "")),
        total=int(order["total"]["minor_units"]),
        calls=tuple(shopper.calls),
        events=tuple(events),
        ledger=_of_order(environment.mocks.stripe.control.ledger(), order_id),
        mails=tuple(
            {"template": _template(entry), **entry}
            for entry in _of_order(environment.mocks.sendgrid.control.ledger("mail"), order_id)
        ),
        stock_before=before,
        stock_after=stock(environment),
        ordered=ordered,
        outboxes=outboxes(environment),
        pending=unsettled(environment.backends.redis.direct_url),
    )


def _of_order(entries: Sequence[Mapping[str, Any]], order_id: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(entry for entry in entries if entry["reference"] == order_id or order_id in json.dumps(entry["data"]))


def _template(entry: Mapping[str, Any]) -> str:
    arguments = entry["data"].get("custom_args") or {}
    return str(
        arguments.get("template") or arguments.get("template_id") or arguments.get("idempotency_key") or entry["id"]
    )


def _query(environment: Environment, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(environment.backends.postgres.direct_url, connect_timeout=CONNECT_TIMEOUT) as connection:
        return connection.execute(statement).fetchall()
