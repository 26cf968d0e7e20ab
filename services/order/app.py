"""Starts the order service: `python -m services.order.app`. Stops on SIGTERM, after the calls and
messages under way.
"""

from __future__ import annotations

import asyncio
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
from services.platform import logs
from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.relay import Relay
from services.platform.scraping import with_metrics
from services.platform.telemetry import Telemetry, TracedTransport

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = "order"


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry(SCHEMA, endpoint=config.otlp_endpoint or None)
    database = Database(config.database_url, SCHEMA)
    timeout = config.processing_timeout
    settings = StreamSettings(processing_timeout=timeout, redeliver_interval=min(15.0, timeout / 4))
    streams = RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)
    telemetry.metrics.show_counts(streams.counts)
    events = TracedTransport(streams, telemetry)
    outbox = Outbox(database)
    orders = Orders(database, outbox)
    health = Health([database_check(database), redis_check(streams.client)])
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, OrderHandlers(orders, Watch(orders)), telemetry.grpc_interceptor())
    try:
        await serve(
            DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
            BrokerPart(streams, wait=config.start_timeout),
            Relay(database, outbox, events),
            health,
            Subscribed(partial(api.subscribe, events, OrderEventsHandlers(orders))),
            grpc,
            HealthOverGrpc(health, grpc),
            with_metrics(health, telemetry.metrics, config.health_address),
            grace=config.drain,
        )
    finally:
        await telemetry.close()


def main() -> None:
    """The process."""
    logs.configure(SCHEMA)
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
