"""The environment of the payment service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shop.external.paypal.http.client import SERVERS as PAYPAL
from shop.external.stripe.http.client import SERVERS as STRIPE

from services.platform.redis_streams import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds. A provider without credentials is not used."""

    grpc_address: str = "127.0.0.1:50055"
    health_address: str = "127.0.0.1:0"
    database_url: str = field(default="postgresql://postgres@127.0.0.1:5432/shop", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    transport_mode: Mode = Mode.DURABLE
    customer_address: str = "127.0.0.1:50051"
    stripe_url: str = STRIPE[0]
    stripe_secret_key: str = field(default="", repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Those of the webhook endpoint, separated by commas: two while one replaces the other."""
    paypal_url: str = PAYPAL[0]
    paypal_client_id: str = field(default="", repr=False)
    paypal_client_secret: str = field(default="", repr=False)
    return_url: str | None = None
    """Where customers come back to from a page of their bank."""
    gateway_timeout: float = 10.0
    """Of one request to a provider."""
    gateway_deadline: float = 30.0
    """Of all requests of one attempt, with their waits."""
    settle: float = 5.0
    """How long after an attempt has ended its effect may stay invisible at the provider."""
    sweep: float = 5.0
    """Between looks for charges that nobody asks about any more."""
    abandon: float = 60.0
    """How long after its last attempt such a charge is given up when the provider knows nothing of it."""
    processing_timeout: float = 60.0
    """A message that nobody keeps alive for so long is taken over by another reader."""
    otlp_endpoint: str = ""
    """Where traces go, `http://127.0.0.1:4318/v1/traces`; empty: nowhere."""
    start_timeout: float = 30.0
    """How long to wait for PostgreSQL and Redis at the start."""
    drain: float = 10.0
    """How long calls and messages under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `PAYMENT_` and its name in capitals; loopback where it is not set."""
        default = cls()

        def text(name: str) -> str:
            found: str = environment.get(f"PAYMENT_{name.upper()}", getattr(default, name))
            return found

        def seconds(name: str) -> float:
            return float(environment.get(f"PAYMENT_{name.upper()}", getattr(default, name)))

        secrets = environment.get("PAYMENT_STRIPE_WEBHOOK_SECRETS", "")
        return cls(
            grpc_address=text("grpc_address"),
            health_address=text("health_address"),
            database_url=text("database_url"),
            redis_url=text("redis_url"),
            transport_mode=Mode(environment.get("PAYMENT_TRANSPORT_MODE", default.transport_mode.value)),
            customer_address=text("customer_address"),
            stripe_url=text("stripe_url"),
            stripe_secret_key=text("stripe_secret_key"),
            stripe_webhook_secrets=tuple(each.strip() for each in secrets.split(",") if each.strip()),
            paypal_url=text("paypal_url"),
            paypal_client_id=text("paypal_client_id"),
            paypal_client_secret=text("paypal_client_secret"),
            return_url=environment.get("PAYMENT_RETURN_URL") or default.return_url,
            gateway_timeout=seconds("gateway_timeout"),
            gateway_deadline=seconds("gateway_deadline"),
            settle=seconds("settle"),
            sweep=seconds("sweep"),
            abandon=seconds("abandon"),
            processing_timeout=seconds("processing_timeout"),
            otlp_endpoint=text("otlp_endpoint"),
            start_timeout=seconds("start_timeout"),
            drain=seconds("drain"),
        )
