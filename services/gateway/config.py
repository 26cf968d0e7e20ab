"""The environment of the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    http_address: str = "127.0.0.1:8080"
    health_address: str = "127.0.0.1:0"
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    customer_address: str = "127.0.0.1:50051"
    catalog_address: str = "127.0.0.1:50052"
    checkout_address: str = "127.0.0.1:50053"
    order_address: str = "127.0.0.1:50054"
    payment_address: str = "127.0.0.1:50055"
    warehouse_address: str = "127.0.0.1:50056"
    shipping_address: str = "127.0.0.1:50058"
    loyalty_address: str = "127.0.0.1:50059"
    analytics_address: str = "127.0.0.1:50060"
    token_issuer: str = "auth-service"
    token_audience: str = "api-gateway"
    requests_per_minute: int = 100
    burst: int = 20
    timeout: float = 30.0
    """How long an answer may take."""
    peer_timeout: float = 10.0
    otlp_endpoint: str = ""
    """Where spans are sent, `http://127.0.0.1:4318/v1/traces`; empty: nowhere."""
    start_timeout: float = 30.0
    """How long to wait for Redis at start."""
    drain: float = 10.0
    """How long requests under way may take when the gateway stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `GATEWAY_` and its name in capitals; loopback where it is not set."""
        read: Mapping[str, Callable[[str], Any]] = {
            **dict.fromkeys(("requests_per_minute", "burst"), int),
            **dict.fromkeys(("timeout", "peer_timeout", "start_timeout", "drain"), float),
        }
        given = {
            each.name: read.get(each.name, str)(environment[variable])
            for each in fields(cls)
            if (variable := f"GATEWAY_{each.name.upper()}") in environment
        }
        return cls(**given)
