"""Clients that do nothing by themselves: no retries, short time-outs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE = 0.3
"""Seconds that a client waits for an answer that must not come."""


@contextmanager
def redis_client(url: str, timeout: float = 10.0) -> Iterator[Any]:
    client = redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def postgres_client(dsn: str) -> Iterator[psycopg.Connection]:
    """In autocommit."""
    connection = psycopg.connect(dsn, autocommit=True, connect_timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def value(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
