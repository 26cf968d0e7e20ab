"""Starts the payment service: `python -m services.payment.app`. Stops on SIGTERM, after the calls and
messages under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.payment import api
from services.payment.adapters.locks import Locks
from services.payment.adapters.methods import CustomerMethods
from services.payment.adapters.paypal import PaypalGateway
from services.payment.adapters.stripe import StripeGateway
from services.payment.charging import Charging, ChargingSettings
from services.payment.config import Config
from services.payment.domain import PaymentGateway
from services.payment.handlers import PaymentHandlers, PaymentWork
from services.payment.lifecycle import Provider
from services.payment.refunding import Refunding
from services.payment.webhooks import Webhooks
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.health import Health, database_check, redis_check
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc, health_server
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams
from services.platform.relay import Relay

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = "payment"
CHARGES = 32
"""Attempts to charge that may be under way at the same time in one process."""


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    async with AsyncExitStack() as stack:
        customers = await stack.enter_async_context(CustomerServiceClient(config.customer_address))
        gateways = await _gateways(config, stack)
        database = Database(config.database_url, SCHEMA)
        locking = Database(config.database_url, SCHEMA, pool_size=CHARGES, application="payment locks")
        streams = RedisStreams(config.redis_url, mode=config.transport_mode)
        outbox = Outbox(database)
        settings = ChargingSettings(
            deadline=config.gateway_deadline, settle=config.settle, return_url=config.return_url
        )
        charging = Charging(database, outbox, Locks(locking), CustomerMethods(customers), gateways, settings)
        refunding = Refunding(database, outbox, charging)
        webhooks = Webhooks(database, outbox, charging, refunding, signing_secrets=config.stripe_webhook_secrets)
        health = Health([database_check(database), redis_check(streams.client)])
        grpc = GrpcServer(config.grpc_address)
        api.bind(grpc, PaymentHandlers(database, charging, refunding, webhooks))
        await serve(
            DatabasePart(database, MIGRATIONS, wait=config.wait),
            DatabasePart(locking, None, wait=config.wait),
            BrokerPart(streams, wait=config.wait),
            Relay(database, outbox, streams),
            health,
            Subscribed(partial(api.subscribe, streams, PaymentWork(refunding, webhooks))),
            grpc,
            HealthOverGrpc(health, grpc),
            health_server(health, config.health_address),
            grace=config.drain,
        )


async def _gateways(config: Config, stack: AsyncExitStack) -> dict[Provider, PaymentGateway]:
    """Those that there are credentials for."""
    policy = Policy(timeout=config.gateway_timeout, deadline=config.gateway_deadline)
    found: dict[Provider, PaymentGateway] = {}
    if config.stripe_secret_key:
        stripe = StripeGateway(config.stripe_secret_key, base_url=config.stripe_url, policy=policy)
        found[Provider.STRIPE] = await stack.enter_async_context(stripe)
    if config.paypal_client_id:
        paypal = PaypalGateway(
            config.paypal_client_id, config.paypal_client_secret, base_url=config.paypal_url, policy=policy
        )
        found[Provider.PAYPAL] = await stack.enter_async_context(paypal)
    return found


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
