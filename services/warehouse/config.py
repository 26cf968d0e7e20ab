"""The environment of the warehouse service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.platform.redis_streams import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    grpc_address: str = "127.0.0.1:50056"
    health_address: str = "127.0.0.1:0"
    database_url: str = field(default="postgresql://treaty@127.0.0.1:5432/treaty", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    transport_mode: Mode = Mode.DURABLE
    reservation_hold: float = 1800.0
    """How long a reservation holds when the caller does not say."""
    expiry_interval: float = 5.0
    """Between looks for reservations past their time."""
    seed_demo: bool = False
    """Whether to book the stock of the demonstration products at the first start."""
    processing_timeout: float = 60.0
    """After which the events of a reader that is gone are taken over (`StreamSettings`)."""
    redeliver_interval: float = 15.0
    """Between looks for such events."""
    otlp_endpoint: str = ""
    """Collector of traces, such as `http://127.0.0.1:4318/v1/traces`; empty: they are not sent."""
    start_timeout: float = 30.0
    """How long to wait for PostgreSQL and for Redis."""
    drain: float = 10.0
    """How long calls and messages under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `WAREHOUSE_` and its name in capitals; loopback where it is not set."""
        default = cls()

        def given(name: str, otherwise: str) -> str:
            return environment.get(f"WAREHOUSE_{name}", otherwise)

        return cls(
            grpc_address=given("GRPC_ADDRESS", default.grpc_address),
            health_address=given("HEALTH_ADDRESS", default.health_address),
            database_url=given("DATABASE_URL", default.database_url),
            redis_url=given("REDIS_URL", default.redis_url),
            transport_mode=Mode(given("TRANSPORT_MODE", default.transport_mode.value)),
            reservation_hold=float(given("RESERVATION_HOLD", str(default.reservation_hold))),
            expiry_interval=float(given("EXPIRY_INTERVAL", str(default.expiry_interval))),
            seed_demo=given("SEED_DEMO", "false").lower() in ("1", "true", "yes"),
            processing_timeout=float(given("PROCESSING_TIMEOUT", str(default.processing_timeout))),
            redeliver_interval=float(given("REDELIVER_INTERVAL", str(default.redeliver_interval))),
            otlp_endpoint=given("OTLP_ENDPOINT", default.otlp_endpoint),
            start_timeout=float(given("START_TIMEOUT", str(default.start_timeout))),
            drain=float(given("DRAIN", str(default.drain))),
        )
