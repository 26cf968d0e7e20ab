"""Starts the catalog service: `python -m services.catalog.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from functools import partial

from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.catalog import api, consumers
from services.catalog.catalog import Catalog
from services.catalog.config import Config
from services.catalog.handlers import CatalogEventsHandlers, CatalogHandlers
from services.catalog.migrating import FOLDER
from services.catalog.seed import Seeds
from services.platform import logs
from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.idempotency import IdempotencyKeys
from services.platform.inbox import forget
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.relay import Relay
from services.platform.repeated import Repeated
from services.platform.scraping import with_metrics
from services.platform.telemetry import Telemetry, TracedTransport

SERVICE = "catalog"
HOUSEKEEPING = 300.0
INBOX_KEPT = timedelta(days=30)


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry(SERVICE, endpoint=config.otlp_endpoint or None)
    try:
        await _serve(config, telemetry)
    finally:
        await telemetry.close()


async def _serve(config: Config, telemetry: Telemetry) -> None:
    database = Database(config.database_url, config.schema)
    timeout = config.processing_timeout
    settings = StreamSettings(processing_timeout=timeout, redeliver_interval=min(15.0, timeout / 4))
    streams = RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)
    telemetry.metrics.show_counts(streams.counts)
    events = TracedTransport(streams, telemetry)
    outbox = Outbox(database)
    catalog = Catalog(database, outbox, currency=config.currency)
    health = Health([database_check(database), redis_check(streams.client)])
    server = GrpcServer(config.grpc_address)
    api.bind(server, CatalogHandlers(catalog, database), [telemetry.grpc_interceptor()])
    await serve(
        DatabasePart(database, FOLDER, wait=config.start_timeout),
        BrokerPart(streams, wait=config.start_timeout),
        *([Seeds(database, catalog)] if config.seed_demo else []),
        Relay(database, outbox, events),
        health,
        Subscribed(partial(consumers.start, events, CatalogEventsHandlers(catalog, database))),
        Repeated("search index", partial(database.run, catalog.refresh_index), interval=config.index_interval),
        Repeated("housekeeping", partial(_tidy, database), interval=HOUSEKEEPING),
        server,
        HealthOverGrpc(health, server),
        with_metrics(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


async def _tidy(database: Database) -> None:
    await IdempotencyKeys(database).forget()
    async with database.transaction() as connection:
        await forget(connection, older_than=INBOX_KEPT)


def main() -> None:
    """The process."""
    logs.configure(SERVICE)
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
