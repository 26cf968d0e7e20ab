"""Starts the payment service: `python -m services.payment.app`. Stops on SIGTERM, after the calls and
messages under way.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.grpc_server import GrpcServer
from shop.runtime.process import serve

from services.payment import api
from services.payment.adapters.locks import Locks
from services.payment.adapters.methods import CustomerMethods, Methods
from services.payment.adapters.paypal import PaypalGateway
from services.payment.adapters.stripe import StripeGateway
from services.payment.adapters.traced import traced
from services.payment.charging import Charging, ChargingSettings
from services.payment.config import Config
from services.payment.domain import PaymentGateway
from services.payment.handlers import PaymentHandlers, PaymentWork
from services.payment.lifecycle import Provider, State
from services.payment.refunding import Refunding
from services.payment.settling import Settler
from services.payment.webhooks import Webhooks
from services.platform import logs
from services.platform.database import Database
from services.platform.gateways.calling import Policy
from services.platform.health import Health, database_check, redis_check
from services.platform.outbox import Outbox
from services.platform.probes import HealthOverGrpc
from services.platform.process import BrokerPart, DatabasePart, Subscribed
from services.platform.redis_streams import RedisStreams, StreamSettings
from services.platform.relay import Relay
from services.platform.scraping import with_metrics
from services.platform.telemetry import Telemetry, TracedTransport

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA = "payment"
CHARGES = 32
"""Attempts to charge that may be under way at the same time in one process."""


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry(SCHEMA, endpoint=config.otlp_endpoint or None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(telemetry.close)
        options = ClientOptions(breaker=telemetry.metrics.breaker)
        customers = await stack.enter_async_context(CustomerServiceClient(config.customer_address, options=options))
        gateways = await _gateways(config, stack, telemetry)
        await _serve(config, telemetry, CustomerMethods(customers), gateways)


async def _serve(
    config: Config, telemetry: Telemetry, methods: Methods, gateways: Mapping[Provider, PaymentGateway]
) -> None:
    database = Database(config.database_url, SCHEMA)
    locking = Database(config.database_url, SCHEMA, pool_size=CHARGES, application="payment locks")
    streams = _streams(config)
    telemetry.metrics.show_counts(streams.counts)
    events = TracedTransport(streams, telemetry)
    outbox = Outbox(database)
    settings = ChargingSettings(deadline=config.gateway_deadline, settle=config.settle, return_url=config.return_url)

    def ended(state: State) -> None:
        telemetry.metrics.payments.add(hit=state is State.SUCCEEDED)

    charging = Charging(database, outbox, Locks(locking), methods, gateways, settings, on_end=ended)
    refunding = Refunding(database, outbox, charging)
    webhooks = Webhooks(database, outbox, charging, refunding, signing_secrets=config.stripe_webhook_secrets)
    health = Health([database_check(database), redis_check(streams.client)])
    grpc = GrpcServer(config.grpc_address)
    api.bind(grpc, PaymentHandlers(database, charging, refunding, webhooks), telemetry.grpc_interceptor())
    await serve(
        DatabasePart(database, MIGRATIONS, wait=config.start_timeout),
        DatabasePart(locking, None, wait=config.start_timeout),
        BrokerPart(streams, wait=config.start_timeout),
        Relay(database, outbox, events),
        Settler(database, charging, every=config.sweep, idle=config.settle, abandon=config.abandon),
        health,
        Subscribed(partial(api.subscribe, events, PaymentWork(refunding, webhooks))),
        grpc,
        HealthOverGrpc(health, grpc),
        with_metrics(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


def _streams(config: Config) -> RedisStreams:
    timeout = config.processing_timeout
    settings = StreamSettings(processing_timeout=timeout, redeliver_interval=min(15.0, timeout / 4))
    return RedisStreams(config.redis_url, mode=config.transport_mode, settings=settings)


async def _gateways(config: Config, stack: AsyncExitStack, telemetry: Telemetry) -> Mapping[Provider, PaymentGateway]:
    """Those that there are credentials for."""
    policy = Policy(timeout=config.gateway_timeout, deadline=config.gateway_deadline)
    found: dict[Provider, PaymentGateway] = {}
    if config.stripe_secret_key:
        stripe = StripeGateway(config.stripe_secret_key, base_url=config.stripe_url, policy=policy)
        found[Provider.STRIPE] = traced("stripe", await stack.enter_async_context(stripe), telemetry)
    if config.paypal_client_id:
        paypal = PaypalGateway(
            config.paypal_client_id, config.paypal_client_secret, base_url=config.paypal_url, policy=policy
        )
        found[Provider.PAYPAL] = traced("paypal", await stack.enter_async_context(paypal), telemetry)
    return found


def main() -> None:
    """The process."""
    logs.configure(SCHEMA)
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
