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
from shop.runtime.process import serve

from services.order import api
from services.order.adapters.orders import Orders
from services.order.config import Config
from services.order.handlers import OrderHandlers
from services.order.reactions import OrderEventsHandlers
from services.order.watching import Watch
from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc, health_server
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = "order"


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    database = Database(config.database_url, SCHEMA)
    streams = RedisStreams(config.redis_url, mode=config.transport_mode)
    outbox = Outbox(database)
    orders = Orders(database, outbox)
    health = Health([database_check(database), redis_check(streams.client)])
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, OrderHandlers(orders, Watch(orders)))
    await serve(
        DatabasePart(database, MIGRATIONS, wait=config.wait),
        BrokerPart(streams, wait=config.wait),
        Relay(database, outbox, streams),
        health,
        Subscribed(partial(api.subscribe, streams, OrderEventsHandlers(orders))),
        grpc,
        HealthOverGrpc(health, grpc),
        health_server(health, config.health_address),
        grace=config.drain,
    )


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
