"""The environment of the checkout service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds.

    `executor_id` must be the same after a restart, and different in each replica: workflows are gone on with by the
    executor that began them. `workflow_version` changes when workflows under way could not be gone on with.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    grpc_address: str = "127.0.0.1:50053"
    health_address: str = "127.0.0.1:0"
    catalog_address: str = "127.0.0.1:50052"
    order_address: str = "127.0.0.1:50054"
    payment_address: str = "127.0.0.1:50055"
    warehouse_address: str = "127.0.0.1:50056"
    transport_mode: str = "durable"
    executor_id: str = "checkout-0"
    workflow_version: str = "1"
    workflow_wait: float = 60.0
    """How long a workflow waits for the stock of a paid order."""
    charge_patience: float = 60.0
    """How long a charge that is not answered is repeated before it is undone."""
    peer_timeout: float = 5.0
    preview_lifetime: float = 1800.0
    checkout_lifetime: float = 86400.0
    flat_rate: int = 499
    """Shipping, in minor units."""
    start_patience: float = 30.0
    """How long to wait for PostgreSQL and Redis at start."""
    drain: float = 10.0
    """How long calls, messages and steps under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `CHECKOUT_` and its name in capitals; KeyError without the two URLs."""
        given = {
            name: environment[variable]
            for name in cls.__slots__
            if (variable := f"CHECKOUT_{name.upper()}") in environment
        }
        numbers = {name: float(given.pop(name)) for name in _SECONDS if name in given}
        if "flat_rate" in given:
            numbers["flat_rate"] = int(given.pop("flat_rate"))
        for name in ("database_url", "redis_url"):
            if name not in given:
                raise KeyError(f"CHECKOUT_{name.upper()} is not set")
        return cls(**given, **numbers)  # type: ignore[arg-type] # each by the type of its field


_SECONDS = (
    "workflow_wait",
    "charge_patience",
    "peer_timeout",
    "preview_lifetime",
    "checkout_lifetime",
    "start_patience",
    "drain",
)
