"""The environment of the catalog service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.platform.redis_streams import Mode

PREFIX = "CATALOG_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    grpc_address: str = "127.0.0.1:50052"
    health_address: str = "127.0.0.1:0"
    """Where `/livez`, `/readyz` and `/metrics` are answered."""
    database_url: str = field(default="postgresql://treaty@127.0.0.1:5432/treaty", repr=False)
    schema: str = "catalog"
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    transport_mode: Mode = Mode.DURABLE
    currency: str = "EUR"
    """The default currency of the shop."""
    seed_demo: bool = False
    """Whether the first products are stored at start."""
    index_interval: float = 5.0
    """Between looks for prices that came into force."""
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
        """Every setting from `CATALOG_` and its name in capitals; loopback where it is not set."""
        default = cls()

        def text(name: str) -> str:
            return environment.get(PREFIX + name.upper(), str(getattr(default, name)))

        return cls(
            grpc_address=text("grpc_address"),
            health_address=text("health_address"),
            database_url=text("database_url"),
            redis_url=text("redis_url"),
            transport_mode=Mode(environment.get(f"{PREFIX}TRANSPORT_MODE", default.transport_mode.value)),
            currency=text("currency"),
            seed_demo=text("seed_demo").lower() in ("1", "true", "yes"),
            index_interval=float(text("index_interval")),
            otlp_endpoint=text("otlp_endpoint"),
            processing_timeout=float(text("processing_timeout")),
            start_timeout=float(text("start_timeout")),
            drain=float(text("drain")),
        )
