"""Calls that cannot be served because the database is away: UNAVAILABLE, which callers may repeat."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shop.runtime.errors import Unavailable
from shop.runtime.grpc_server import Call
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from services.platform.refusals import refusal

LOG = logging.getLogger(__name__)
RETRY_AFTER = 1.0


@asynccontextmanager
async def without_database(call: Call) -> AsyncIterator[None]:
    """An interceptor of `GrpcServer`."""
    try:
        yield
    except (OperationalError, InterfaceError, TimeoutError) as error:
        LOG.warning("%s: no database: %s", call.method.path, type(error).__name__)
        text = "the database is not available"
        raise refusal(Unavailable, "DATABASE_UNAVAILABLE", text, retry_after=RETRY_AFTER) from error
