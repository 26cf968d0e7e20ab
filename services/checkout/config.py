"""The environment of the checkout service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that differs between installations. Times in seconds."""

    grpc_address: str = "127.0.0.1:50051"
    drain: float = 10.0
    """How long calls and messages under way may take when the service stops."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Config:
        """Every setting from `CHECKOUT_` and its name in capitals; loopback where it is not set."""
        default = cls()
        return cls(
            grpc_address=environment.get("CHECKOUT_GRPC_ADDRESS", default.grpc_address),
            drain=float(environment.get("CHECKOUT_DRAIN", default.drain)),
        )
