"""Starts the customer service: `python -m services.customer.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

from shop.order.v1.order_grpc import OrderServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.customer import api, consumers
from services.customer.adapters.orders import Orders
from services.customer.adapters.passwords import Passwords
from services.customer.adapters.signing import AccessTokens, new_key, read_keys
from services.customer.adapters.stripe import NoCards, StripeCards, TracedCards
from services.customer.authentication import Authentication
from services.customer.authentication_handlers import AuthenticationHandlers
from services.customer.config import Config
from services.customer.customers import Customers
from services.customer.handlers import Cards, CustomerEventsHandlers, CustomerHandlers
from services.platform import logs
from services.platform.database import Database
from services.platform.gateways.calling import Policy
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

LOG = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = "customer"
HOUSEKEEPING = 300.0
INBOX_KEPT = timedelta(days=30)
PEER_TIMEOUT = 5.0
LOOKUP = Policy(attempts=3, first_wait=0.2, timeout=5.0, deadline=10.0)
"""Of a card: somebody waits for the answer."""


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry(SERVICE, endpoint=config.otlp_endpoint or None)
    options = ClientOptions(timeout=PEER_TIMEOUT, breaker=telemetry.metrics.breaker)
    try:
        async with AsyncExitStack() as peers:
            orders = Orders(await peers.enter_async_context(OrderServiceClient(config.order_address, options=options)))
            cards = await _cards(config, peers, telemetry)
            await _serve(config, orders, cards, telemetry)
    finally:
        await telemetry.close()


async def _serve(config: Config, orders: Orders, cards: Cards, telemetry: Telemetry) -> None:
    database = Database(config.database_url, config.schema)
    timeout = config.processing_timeout
    settings = StreamSettings(processing_timeout=timeout, redeliver_interval=min(15.0, timeout / 4))
    streams = RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)
    telemetry.metrics.show_counts(streams.counts)
    events = TracedTransport(streams, telemetry)
    outbox = Outbox(database)
    passwords = Passwords()
    authentication = Authentication(database, passwords, _tokens(config))
    customers = Customers(database, outbox, orders)
    health = Health([database_check(database), redis_check(streams.client)])
    server = GrpcServer(config.grpc_address)
    api.bind(
        server,
        CustomerHandlers(customers, database, passwords, cards),
        AuthenticationHandlers(authentication),
        [telemetry.grpc_interceptor()],
    )
    await serve(
        DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
        BrokerPart(streams, wait=config.start_timeout),
        Relay(database, outbox, events),
        health,
        Subscribed(partial(consumers.start, events, CustomerEventsHandlers(customers, database))),
        Repeated("housekeeping", partial(_tidy, database, authentication), interval=HOUSEKEEPING),
        server,
        HealthOverGrpc(health, server),
        with_metrics(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


def _tokens(config: Config) -> AccessTokens:
    if config.signing_keys:
        return AccessTokens(read_keys(config.signing_keys))
    LOG.warning("no CUSTOMER_SIGNING_KEYS: access tokens are signed with a key that ends with this process")
    return AccessTokens([new_key()])


async def _cards(config: Config, peers: AsyncExitStack, telemetry: Telemetry) -> Cards:
    if config.stripe_secret_key:
        stripe = StripeCards(config.stripe_secret_key, base_url=config.stripe_url, policy=LOOKUP)
        return TracedCards(await peers.enter_async_context(stripe), telemetry)
    LOG.warning("no CUSTOMER_STRIPE_SECRET_KEY: no card can be stored")
    return NoCards()


async def _tidy(database: Database, authentication: Authentication) -> None:
    await authentication.forget_expired()
    await IdempotencyKeys(database).forget()
    async with database.transaction() as connection:
        await forget(connection, older_than=INBOX_KEPT)


def main() -> None:
    """The process."""
    logs.configure(SERVICE)
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
