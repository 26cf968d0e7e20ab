"""The environment of the customer service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.platform.redis_streams import Mode

PREFIX = "CUSTOMER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    grpc_address: str = "127.0.0.1:50051"
    health_address: str = "127.0.0.1:0"
    """Where `/livez`, `/readyz` and `/metrics` are answered."""
    database_url: str = field(default="postgresql://treaty@127.0.0.1:5432/treaty", repr=False)
    schema: str = "customer"
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    transport_mode: Mode = Mode.DURABLE
    order_address: str = "127.0.0.1:50054"
    """The order service, which is asked before a customer is erased."""
    stripe_url: str = "https://api.stripe.com"
    stripe_secret_key: str = field(default="", repr=False)
    """Without it no card can be stored."""
    signing_keys: str = field(default="", repr=False)
    """Private keys in PEM, EC on P-256 or RSA: the first signs, tokens of the others stay valid. Without any, a key is
    made that is gone with the process, and with it all access tokens."""
    otlp_endpoint: str = ""
    """Where spans are sent by OTLP over HTTP, `http://host:4318/v1/traces`; empty: nowhere."""
    processing_timeout: float = 60.0
    """After which the events of a reader that is gone are taken over."""
    start_timeout: float = 30.0
    """How long to wait for PostgreSQL, and then for Redis, at start."""
    drain: float = 10.0
    """How long calls and messages under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `CUSTOMER_` and its name in capitals; loopback where it is not set."""
        default = cls()

        def text(name: str) -> str:
            return environment.get(PREFIX + name.upper(), str(getattr(default, name)))

        return cls(
            grpc_address=text("grpc_address"),
            health_address=text("health_address"),
            database_url=text("database_url"),
            redis_url=text("redis_url"),
            transport_mode=Mode(environment.get(f"{PREFIX}TRANSPORT_MODE", default.transport_mode.value)),
            order_address=text("order_address"),
            stripe_url=text("stripe_url"),
            stripe_secret_key=text("stripe_secret_key"),
            signing_keys=text("signing_keys"),
            otlp_endpoint=text("otlp_endpoint"),
            processing_timeout=float(text("processing_timeout")),
            start_timeout=float(text("start_timeout")),
            drain=float(text("drain")),
        )
