"""Starts the warehouse service: `python -m services.warehouse.app`. Stops on SIGTERM,
after the calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import Consumers, serve

from services.platform.database import Database
from services.platform.migrations import migrate
from services.platform.outbox import Outbox
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay
from services.warehouse import api, consumers, seeds
from services.warehouse.config import Config
from services.warehouse.expiry import Expiry
from services.warehouse.handlers import WarehouseEventsHandlers, WarehouseHandlers
from services.warehouse.stockroom import Stockroom

MIGRATIONS = Path(__file__).parent / "migrations"


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    database = Database(config.database_url, "warehouse", pool_size=20)
    try:
        await database.wait(config.start_timeout)
        await migrate(database, MIGRATIONS)
        await _serve(config, database)
    finally:
        await database.close()


async def _serve(config: Config, database: Database) -> None:
    outbox = Outbox(database)
    stockroom = Stockroom(outbox, hold=timedelta(seconds=config.reservation_hold))
    if config.seed_demo:
        await seeds.seed(database, stockroom)
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, WarehouseHandlers(database, stockroom))
    transport = RedisStreams(config.redis_url, mode=config.transport_mode)
    events = Consumers(transport, partial(consumers.start, handlers=WarehouseEventsHandlers(database, stockroom)))
    relay = Relay(database, outbox, RedisStreams(config.redis_url, mode=config.transport_mode))
    expiry = Expiry(database, stockroom, every=config.expiry_interval)
    await serve(relay, expiry, events, grpc, grace=config.drain)


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
