"""Handlers served on a real socket in the test's own event loop, and what they stored to be published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shop.common.v1.error_pb2 import ErrorDetail
from shop.runtime.errors import RpcError
from shop.runtime.grpc_server import GrpcServer
from sqlalchemy import select

from services.platform.database import Database
from services.platform.refusals import detail_of
from services.platform.tables import OUTBOX


@asynccontextmanager
async def serving(server: GrpcServer) -> AsyncIterator[str]:
    """The address of the server while the block runs."""
    address = await server.start()
    try:
        yield address
    finally:
        await server.stop(grace=1.0)


async def stored_events(database: Database) -> list[dict[str, Any]]:
    """CloudEvents in the outbox, oldest first."""
    async with database.transaction() as connection:
        rows = await connection.execute(select(OUTBOX.c.body).order_by(OUTBOX.c.position))
        return [json.loads(row.body) for row in rows]


def reason(error: RpcError) -> ErrorDetail:
    """What the service said about its refusal."""
    found = detail_of(error)
    assert found is not None, f"{error} has no detail"
    return found
