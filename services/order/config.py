"""The environment of the order service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.platform.redis_streams import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    grpc_address: str = "127.0.0.1:50054"
    health_address: str = "127.0.0.1:0"
    database_url: str = field(default="postgresql://postgres@127.0.0.1:5432/shop", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    transport_mode: Mode = Mode.DURABLE
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
        """Every setting from `ORDER_` and its name in capitals; loopback where it is not set."""
        default = cls()
        return cls(
            grpc_address=environment.get("ORDER_GRPC_ADDRESS", default.grpc_address),
            health_address=environment.get("ORDER_HEALTH_ADDRESS", default.health_address),
            database_url=environment.get("ORDER_DATABASE_URL", default.database_url),
            redis_url=environment.get("ORDER_REDIS_URL", default.redis_url),
            transport_mode=Mode(environment.get("ORDER_TRANSPORT_MODE", default.transport_mode.value)),
            processing_timeout=float(environment.get("ORDER_PROCESSING_TIMEOUT", default.processing_timeout)),
            otlp_endpoint=environment.get("ORDER_OTLP_ENDPOINT", default.otlp_endpoint),
            start_timeout=float(environment.get("ORDER_START_TIMEOUT", default.start_timeout)),
            drain=float(environment.get("ORDER_DRAIN", default.drain)),
        )
