"""Starts the warehouse service: `python -m services.warehouse.app`. Stops on SIGTERM,
after the calls under way.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.logs import configure
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc, health_server
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.relay import Relay
from services.platform.telemetry import Telemetry, TracedTransport
from services.warehouse import api, consumers
from services.warehouse.config import Config
from services.warehouse.expiry import Expiry
from services.warehouse.handlers import WarehouseEventsHandlers, WarehouseHandlers
from services.warehouse.seeds import Seeds
from services.warehouse.stockroom import Stockroom

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECTIONS = 20
"""To PostgreSQL: as many bookings as may be under way."""


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry("warehouse", endpoint=config.otlp_endpoint or None)
    try:
        await _serve(config, telemetry)
    finally:
        await telemetry.close()


async def _serve(config: Config, telemetry: Telemetry) -> None:
    database = Database(config.database_url, "warehouse", pool_size=CONNECTIONS)
    settings = StreamSettings(
        processing_timeout=config.processing_timeout, redeliver_interval=config.redeliver_interval
    )
    streams = RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)
    outbox = Outbox(database)
    telemetry.metrics.show_counts(streams.counts)
    traced = TracedTransport(streams, telemetry)
    stockroom = Stockroom(outbox, hold=timedelta(seconds=config.reservation_hold))
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, WarehouseHandlers(database, stockroom), telemetry.grpc_interceptor())
    events = WarehouseEventsHandlers(database, stockroom)
    health = Health([database_check(database), redis_check(streams.client)])
    await serve(
        DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
        BrokerPart(streams, wait=config.start_timeout),
        *([Seeds(database, stockroom)] if config.seed_demo else []),
        Relay(database, outbox, traced),
        Expiry(database, stockroom, every=config.expiry_interval),
        health,
        Subscribed(partial(consumers.start, traced, events)),
        grpc,
        HealthOverGrpc(health, grpc),
        health_server(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


def main() -> None:
    """The process."""
    configure("warehouse")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
