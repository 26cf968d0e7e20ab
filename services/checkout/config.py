"""The environment of the checkout service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from services.platform.redis_streams import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds.

    `executor_id` must be the same after a restart, and different in each replica: workflows are gone on with by the
    executor that began them. `workflow_version` changes when workflows under way could not be gone on with.
    """

    database_url: str = field(default="postgresql://treaty@127.0.0.1:5432/treaty", repr=False)
    redis_url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    grpc_address: str = "127.0.0.1:50053"
    health_address: str = "127.0.0.1:0"
    catalog_address: str = "127.0.0.1:50052"
    order_address: str = "127.0.0.1:50054"
    payment_address: str = "127.0.0.1:50055"
    warehouse_address: str = "127.0.0.1:50056"
    transport_mode: Mode = Mode.DURABLE
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
    processing_timeout: float = 60.0
    """When events and queues of a reader that died are taken over by another one."""
    otlp_endpoint: str = ""
    """Where spans are sent, `http://127.0.0.1:4318/v1/traces`; empty: nowhere."""
    start_timeout: float = 30.0
    """How long to wait for PostgreSQL and Redis at start."""
    drain: float = 10.0
    """How long calls, messages and steps under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `CHECKOUT_` and its name in capitals; loopback where it is not set."""
        read: Mapping[str, Callable[[str], Any]] = {"transport_mode": Mode, "flat_rate": int} | dict.fromkeys(
            _SECONDS, float
        )
        given = {
            each.name: read.get(each.name, str)(environment[variable])
            for each in fields(cls)
            if (variable := f"CHECKOUT_{each.name.upper()}") in environment
        }
        return cls(**given)


_SECONDS = (
    "workflow_wait",
    "charge_patience",
    "peer_timeout",
    "preview_lifetime",
    "checkout_lifetime",
    "processing_timeout",
    "start_timeout",
    "drain",
)
