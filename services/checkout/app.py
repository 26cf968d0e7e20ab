"""Starts the checkout service: `python -m services.checkout.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import timedelta
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.http_host import HttpServer
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
from services.platform.database import Database
from services.platform.health import Health, database_check, redis_check
from services.platform.idempotency import IdempotencyKeys
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams

SCHEMA = "checkout"
WORKFLOW_SCHEMA = "checkout_workflows"
MIGRATIONS = Path(__file__).parent / "migrations"


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    options = ClientOptions(timeout=config.peer_timeout)
    async with (
        CatalogServiceClient(config.catalog_address, options=options) as catalog,
        WarehouseServiceClient(config.warehouse_address, options=options) as warehouse,
        OrderServiceClient(config.order_address, options=options) as order,
        PaymentServiceClient(config.payment_address, options=options) as payment,
    ):
        database = Database(config.database_url, SCHEMA)
        streams = RedisStreams(config.redis_url, mode=config.transport_mode)
        orders = Orders(order)
        workflows = OrderWorkflows(
            _workflow_settings(config), Steps(orders, Payments(payment), Patience(charge=config.charge_patience))
        )
        health = Health((database_check(database), redis_check(streams.client)))
        subscribe = consumers.subscribing(CheckoutEventsHandlers(database, workflows))
        await serve(
            DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
            BrokerPart(streams, wait=config.start_timeout),
            health,
            HttpServer(FastAPI(title="checkout health"), config.health_address, ready=health.ready),
            workflows,
            Subscribed(partial(subscribe, streams)),
            _grpc(config, database, Catalog(catalog), Stock(warehouse), orders),
            grace=config.drain,
        )


def _grpc(config: Config, database: Database, catalog: Catalog, stock: Stock, orders: Orders) -> GrpcServer:
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
        once=Once(database, IdempotencyKeys(database)),
        terms=terms,
    )
    server = GrpcServer(config.grpc_address)
    api.bind(server, CartHandlers(database, catalog), checkouts)
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
