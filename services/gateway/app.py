"""Starts the gateway service: `python -m services.gateway.app`. Stops on SIGTERM, after
the calls under way.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack

from shop.analytics.v1.analytics_grpc import AnalyticsServiceClient
from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.gateway.v1.http.front import Front
from shop.loyalty.v1.loyalty_grpc import LoyaltyServiceClient
from shop.order.v1.order_grpc import OrderServiceClient
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.runtime.http_host import HttpServer
from shop.runtime.process import serve
from shop.shipping.v1.shipping_grpc import ShippingServiceClient
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient

from services.gateway import api
from services.gateway.config import Config


async def run(config: Config) -> None:
    """Serve until the process is told to stop."""
    async with AsyncExitStack() as clients:
        front = Front(
            authentication_service=await clients.enter_async_context(
                AuthenticationServiceClient(config.authentication_service_target)
            ),
            customer_service=await clients.enter_async_context(
                CustomerServiceClient(config.customer_service_target)
            ),
            loyalty_service=await clients.enter_async_context(
                LoyaltyServiceClient(config.loyalty_service_target)
            ),
            catalog_service=await clients.enter_async_context(
                CatalogServiceClient(config.catalog_service_target)
            ),
            warehouse_service=await clients.enter_async_context(
                WarehouseServiceClient(config.warehouse_service_target)
            ),
            cart_service=await clients.enter_async_context(
                CartServiceClient(config.cart_service_target)
            ),
            checkout_service=await clients.enter_async_context(
                CheckoutServiceClient(config.checkout_service_target)
            ),
            order_service=await clients.enter_async_context(
                OrderServiceClient(config.order_service_target)
            ),
            payment_service=await clients.enter_async_context(
                PaymentServiceClient(config.payment_service_target)
            ),
            shipping_service=await clients.enter_async_context(
                ShippingServiceClient(config.shipping_service_target)
            ),
            analytics_service=await clients.enter_async_context(
                AnalyticsServiceClient(config.analytics_service_target)
            ),
        )
        http = HttpServer(api.http_app(front), config.http_address)
        await serve(http, grace=config.drain)


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(run(Config.from_environment(os.environ)))


if __name__ == "__main__":
    main()
