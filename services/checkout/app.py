"""Starts the checkout service: `python -m services.checkout.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

from services.checkout import api, consumers
from services.checkout.adapters.catalog import Catalog, Stock
from services.checkout.adapters.orders import Orders
from services.checkout.adapters.payments import Payments
from services.checkout.adapters.steps import Patience, Steps
from services.checkout.adapters.workflows import OrderWorkflows, WorkflowSettings
from services.checkout.config import Config
from services.checkout.domain.pricing import Tariff
from services.checkout.handlers.carts import CartHandlers
from services.checkout.handlers.checkouts import CheckoutHandlers, Terms
from services.checkout.handlers.confirming import Confirming
from services.checkout.handlers.events import CheckoutEventsHandlers
from services.checkout.handlers.once import Once
from services.platform import logs
from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.idempotency import IdempotencyKeys
from services.platform.probes import HealthOverGrpc
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.scraping import with_metrics
from services.platform.telemetry import Telemetry, TracedTransport
from services.platform.unreachable import without_database

SCHEMA = "checkout"
WORKFLOW_SCHEMA = "checkout_workflows"
MIGRATIONS = Path(__file__).parent / "migrations"


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry("checkout", endpoint=config.otlp_endpoint or None)
    options = ClientOptions(timeout=config.peer_timeout, breaker=telemetry.metrics.breaker)
    async with (
        CatalogServiceClient(config.catalog_address, options=options) as catalog,
        WarehouseServiceClient(config.warehouse_address, options=options) as warehouse,
        OrderServiceClient(config.order_address, options=options) as order,
        PaymentServiceClient(config.payment_address, options=options) as payment,
    ):
        database = Database(config.database_url, SCHEMA)
        orders = Orders(order)
        patience = Patience(charge=config.charge_patience)
        workflows = OrderWorkflows(_workflow_settings(config), Steps(orders, Payments(payment), patience), telemetry)
        grpc = _grpc(config, database, Catalog(catalog), Stock(warehouse), orders, telemetry)
        try:
            await _serve(config, database, workflows, grpc, telemetry)
        finally:
            await telemetry.close()


async def _serve(
    config: Config, database: Database, workflows: OrderWorkflows, grpc: GrpcServer, telemetry: Telemetry
) -> None:
    timeout = config.processing_timeout
    settings = StreamSettings(processing_timeout=timeout, redeliver_interval=min(15.0, timeout / 4))
    streams = RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)
    telemetry.metrics.show_counts(streams.counts)
    health = Health((database_check(database), redis_check(streams.client)))
    subscribe = consumers.subscribing(CheckoutEventsHandlers(database, workflows))
    await serve(
        DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
        BrokerPart(streams, wait=config.start_timeout),
        health,
        workflows,
        Subscribed(partial(subscribe, TracedTransport(streams, telemetry))),
        grpc,
        HealthOverGrpc(health, grpc),
        with_metrics(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


def _grpc(
    config: Config, database: Database, catalog: Catalog, stock: Stock, orders: Orders, telemetry: Telemetry
) -> GrpcServer:
    terms = Terms(
        checkout=timedelta(seconds=config.checkout_lifetime),
        preview=timedelta(seconds=config.preview_lifetime),
        tariff=Tariff(flat_rate=config.flat_rate),
    )
    confirming = Confirming(
        database=database, catalog=catalog, orders=orders, tariff=terms.tariff, lifetime=terms.checkout
    )
    checkouts = CheckoutHandlers(
        database=database,
        catalog=catalog,
        stock=stock,
        confirming=confirming,
        # Short: what is done under a key here is harmless to do again, so that a crash need not hold the key for long.
        once=Once(database, IdempotencyKeys(database, lease=timedelta(seconds=3))),
        terms=terms,
    )
    server = GrpcServer(config.grpc_address)
    around = (telemetry.grpc_interceptor(), without_database)
    api.bind(server, CartHandlers(database, catalog), checkouts, around)
    return server


def _workflow_settings(config: Config) -> WorkflowSettings:
    return WorkflowSettings(
        url=config.database_url,
        schema=WORKFLOW_SCHEMA,
        executor=config.executor_id,
        version=config.workflow_version,
        wait=config.workflow_wait,
    )


def main() -> None:
    """The process."""
    logs.configure("checkout")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
