"""Starts the order service: `python -m services.order.app`. Stops on SIGTERM, after the calls and
messages under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
from pathlib import Path

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import Consumers, serve

from services.order import api
from services.order.adapters.orders import Orders
from services.order.config import Config
from services.order.handlers import OrderHandlers
from services.order.reactions import OrderEventsHandlers
from services.order.watching import Watch
from services.platform.database import Database
from services.platform.migrations import migrate
from services.platform.outbox import Outbox
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = "order"


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    database = Database(config.database_url, SCHEMA)
    try:
        await database.wait(config.wait)
        await migrate(database, MIGRATIONS)
        await _serve(config, database)
    finally:
        await database.close()


async def _serve(config: Config, database: Database) -> None:
    outbox = Outbox(database)
    orders = Orders(database, outbox)
    # The relay publishes what the last messages caused, after the consumers have closed their transport.
    publishing = RedisStreams(config.redis_url, mode=config.transport_mode)
    consuming = RedisStreams(config.redis_url, mode=config.transport_mode)
    relay = Relay(database, outbox, publishing)
    events = Consumers(consuming, partial(api.subscribe, handlers=OrderEventsHandlers(orders)))
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, OrderHandlers(orders, Watch(orders)))
    try:
        await serve(relay, events, grpc, grace=config.drain)
    finally:
        await publishing.close()


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
