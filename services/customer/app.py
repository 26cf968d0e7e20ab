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
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.customer import api, consumers
from services.customer.adapters.orders import Orders
from services.customer.adapters.passwords import Passwords
from services.customer.adapters.signing import AccessTokens, new_key, read_keys
from services.customer.adapters.stripe import NoCards, StripeCards
from services.customer.authentication import Authentication
from services.customer.authentication_handlers import AuthenticationHandlers
from services.customer.config import Config
from services.customer.customers import Customers
from services.customer.handlers import Cards, CustomerEventsHandlers, CustomerHandlers
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.health import Health, database_check, redis_check
from services.platform.idempotency import IdempotencyKeys
from services.platform.inbox import forget
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc, health_server
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay
from services.platform.repeated import Repeated

LOG = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).parent / "migrations"
HOUSEKEEPING = 300.0
INBOX_KEPT = timedelta(days=30)
LOOKUP = Policy(attempts=3, first_wait=0.2, timeout=5.0, deadline=10.0)
"""Of a card: somebody waits for the answer."""


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    database = Database(config.database_url, config.schema)
    streams = RedisStreams(config.redis_url, mode=config.transport_mode)
    outbox = Outbox(database)
    passwords = Passwords()
    health = Health([database_check(database), redis_check(streams.client)])
    authentication = Authentication(database, passwords, _tokens(config))
    async with AsyncExitStack() as peers:
        orders = Orders(await peers.enter_async_context(OrderServiceClient(config.order_address)))
        cards = await _cards(config, peers)
        customers = Customers(database, outbox, orders)
        server = GrpcServer(config.grpc_address)
        handlers = CustomerHandlers(customers, database, passwords, cards)
        api.bind(server, handlers, AuthenticationHandlers(authentication))
        await serve(
            DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
            BrokerPart(streams, wait=config.start_timeout),
            Relay(database, outbox, streams),
            health,
            Subscribed(partial(consumers.start, streams, CustomerEventsHandlers(customers, database))),
            Repeated("housekeeping", partial(_tidy, database, authentication), interval=HOUSEKEEPING),
            server,
            HealthOverGrpc(health, server),
            health_server(health, config.health_address),
            grace=config.drain,
        )


def _tokens(config: Config) -> AccessTokens:
    if config.signing_keys:
        return AccessTokens(read_keys(config.signing_keys))
    LOG.warning("no CUSTOMER_SIGNING_KEYS: access tokens are signed with a key that ends with this process")
    return AccessTokens([new_key()])


async def _cards(config: Config, peers: AsyncExitStack) -> Cards:
    if config.stripe_secret_key:
        stripe = StripeCards(config.stripe_secret_key, base_url=config.stripe_url, policy=LOOKUP)
        return await peers.enter_async_context(stripe)
    LOG.warning("no CUSTOMER_STRIPE_SECRET_KEY: no card can be stored")
    return NoCards()


async def _tidy(database: Database, authentication: Authentication) -> None:
    await authentication.forget_expired()
    await IdempotencyKeys(database).forget()
    async with database.transaction() as connection:
        await forget(connection, older_than=INBOX_KEPT)


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
