"""The environment of the gateway service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    http_address: str = "127.0.0.1:8000"
    authentication_service_target: str = "127.0.0.1:50051"
    customer_service_target: str = "127.0.0.1:50051"
    loyalty_service_target: str = "127.0.0.1:50051"
    catalog_service_target: str = "127.0.0.1:50051"
    warehouse_service_target: str = "127.0.0.1:50051"
    cart_service_target: str = "127.0.0.1:50051"
    checkout_service_target: str = "127.0.0.1:50051"
    order_service_target: str = "127.0.0.1:50051"
    payment_service_target: str = "127.0.0.1:50051"
    shipping_service_target: str = "127.0.0.1:50051"
    analytics_service_target: str = "127.0.0.1:50051"
    drain: float = 10.0
    """How long calls and messages under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `GATEWAY_` and its name in capitals; loopback where it is not set."""
        default = cls()
        return cls(
            http_address=environment.get("GATEWAY_HTTP_ADDRESS", default.http_address),
            authentication_service_target=environment.get(
                "GATEWAY_AUTHENTICATION_SERVICE_TARGET", default.authentication_service_target
            ),
            customer_service_target=environment.get(
                "GATEWAY_CUSTOMER_SERVICE_TARGET", default.customer_service_target
            ),
            loyalty_service_target=environment.get(
                "GATEWAY_LOYALTY_SERVICE_TARGET", default.loyalty_service_target
            ),
            catalog_service_target=environment.get(
                "GATEWAY_CATALOG_SERVICE_TARGET", default.catalog_service_target
            ),
            warehouse_service_target=environment.get(
                "GATEWAY_WAREHOUSE_SERVICE_TARGET", default.warehouse_service_target
            ),
            cart_service_target=environment.get(
                "GATEWAY_CART_SERVICE_TARGET", default.cart_service_target
            ),
            checkout_service_target=environment.get(
                "GATEWAY_CHECKOUT_SERVICE_TARGET", default.checkout_service_target
            ),
            order_service_target=environment.get(
                "GATEWAY_ORDER_SERVICE_TARGET", default.order_service_target
            ),
            payment_service_target=environment.get(
                "GATEWAY_PAYMENT_SERVICE_TARGET", default.payment_service_target
            ),
            shipping_service_target=environment.get(
                "GATEWAY_SHIPPING_SERVICE_TARGET", default.shipping_service_target
            ),
            analytics_service_target=environment.get(
                "GATEWAY_ANALYTICS_SERVICE_TARGET", default.analytics_service_target
            ),
            drain=float(environment.get("GATEWAY_DRAIN", default.drain)),
        )
