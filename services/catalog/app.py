"""Starts the catalog service: `python -m services.catalog.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import timedelta

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import Consumers, serve

from services.catalog import api, consumers
from services.catalog.catalog import Catalog
from services.catalog.config import Config
from services.catalog.handlers import CatalogEventsHandlers, CatalogHandlers
from services.catalog.migrating import migrate
from services.catalog.seed import seed
from services.platform.database import Database
from services.platform.idempotency import IdempotencyKeys
from services.platform.inbox import forget
from services.platform.outbox import Outbox
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay
from services.platform.starting import Repeated, wait_for_redis

HOUSEKEEPING = 300.0
INBOX_KEPT = timedelta(days=30)


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    database = Database(config.database_url, config.schema)
    publishing = RedisStreams(config.redis_url)
    receiving = RedisStreams(config.redis_url, mode=config.transport_mode)
    try:
        await database.wait(config.start_timeout)
        await migrate(database)
        await wait_for_redis(publishing, config.start_timeout)
        outbox = Outbox(database)
        catalog = Catalog(database, outbox, currency=config.currency)
        if config.seed:
            await seed(database, catalog)
        events = CatalogEventsHandlers(catalog, database)
        grpc = GrpcServer(config.grpc_address)
        api.bind(grpc, CatalogHandlers(catalog, database))
        await serve(
            Relay(database, outbox, publishing),
            Consumers(receiving, lambda transport: consumers.start(transport, events)),
            Repeated("search index", lambda: database.run(catalog.refresh_index), interval=config.index_interval),
            Repeated("housekeeping", lambda: _tidy(database), interval=HOUSEKEEPING),
            grpc,
            grace=config.drain,
        )
    finally:
        await receiving.close()
        await publishing.close()
        await database.close()


async def _tidy(database: Database) -> None:
    await IdempotencyKeys(database).forget()
    async with database.transaction() as connection:
        await forget(connection, older_than=INBOX_KEPT)


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
