"""Starts the gateway: `python -m services.gateway.app`. Stops on SIGTERM, after the requests
under way.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import replace

from shop.analytics.v1.analytics_grpc import AnalyticsServiceClient
from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.loyalty.v1.loyalty_grpc import LoyaltyServiceClient
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.grpc_client import ClientOptions
from shop.runtime.http_host import HttpServer
from shop.runtime.process import serve
from shop.shipping.v1.shipping_grpc import ShippingServiceClient
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

from services.gateway.adapters.authentication import Callers, WaitingKeySet, keys_of
from services.gateway.api import FRONT, http_app
from services.gateway.config import Config
from services.gateway.ownership import OwnFront
from services.platform import logs
from services.platform.health import Health, redis_check
from services.platform.process import BrokerPart
from services.platform.rate_limit import RateLimiter
from services.platform.redis_streams import RedisStreams
from services.platform.scraping import with_metrics
from services.platform.security import TokenVerifier
from services.platform.telemetry import Telemetry


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    telemetry = Telemetry("gateway", endpoint=config.otlp_endpoint or None)
    options = ClientOptions(timeout=config.peer_timeout, breaker=telemetry.metrics.breaker)
    try:
        async with AsyncExitStack() as clients:
            authentication = await clients.enter_async_context(
                AuthenticationServiceClient(config.customer_address, options=options)
            )
            front = await make_front(config, options, authentication, clients)
            await _serve(config, front, authentication, telemetry)
    finally:
        await telemetry.close()


async def _serve(
    config: Config, front: OwnFront, authentication: AuthenticationServiceClient, telemetry: Telemetry
) -> None:
    redis = RedisStreams(config.redis_url)
    limiter = RateLimiter(redis.client, per_minute=config.requests_per_minute, burst=config.burst)
    verifier = TokenVerifier(
        WaitingKeySet(keys_of(authentication), spacing=2.0), issuer=config.token_issuer, audience=config.token_audience
    )
    # Without Redis requests are let in uncounted, so that it need not be there.
    health = Health((replace(redis_check(redis.client), critical=False),))
    app = http_app(front, callers=Callers(verifier), limits=limiter, telemetry=telemetry, timeout=config.timeout)
    await serve(
        BrokerPart(redis, wait=config.start_timeout),
        health,
        HttpServer(app, config.http_address, ready=health.ready),
        with_metrics(health, telemetry.metrics, config.health_address),
        grace=config.drain,
    )


async def make_front(
    config: Config, options: ClientOptions, authentication: AuthenticationServiceClient, clients: AsyncExitStack
) -> OwnFront:
    """The front with a client for each service behind it, closed with `clients`."""
    held = clients.enter_async_context
    return OwnFront(
        authentication_service=authentication,
        customer_service=await held(CustomerServiceClient(config.customer_address, options=options)),
        loyalty_service=await held(LoyaltyServiceClient(config.loyalty_address, options=options)),
        catalog_service=await held(CatalogServiceClient(config.catalog_address, options=options)),
        warehouse_service=await held(WarehouseServiceClient(config.warehouse_address, options=options)),
        cart_service=await held(CartServiceClient(config.checkout_address, options=options)),
        checkout_service=await held(CheckoutServiceClient(config.checkout_address, options=options)),
        order_service=await held(OrderServiceClient(config.order_address, options=options)),
        payment_service=await held(PaymentServiceClient(config.payment_address, options=options)),
        shipping_service=await held(ShippingServiceClient(config.shipping_address, options=options)),
        analytics_service=await held(AnalyticsServiceClient(config.analytics_address, options=options)),
        options=FRONT,
    )


def main() -> None:
    """The process."""
    logs.configure("gateway")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
