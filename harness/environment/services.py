"""The services of the platform as data: what each is given, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. `peers` are the services it calls; `port` its own when nothing else is said.

    `gateways` are the mocks it calls, by the prefix of the variables that say where each is.
    """

    name: str
    port: int
    peers: tuple[str, ...] = ()
    database: bool = True
    gateways: tuple[str, ...] = ()
    serves: str = "grpc"

    @property
    def module(self) -> str:
        """What starts it."""
        return f"services.{self.name}.app"

    @property
    def prefix(self) -> str:
        """Before its environment variables."""
        return f"{self.name.upper()}_"


SLICE: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(name="customer", port=50051, peers=("order",), gateways=("stripe",)),
        Service(name="catalog", port=50052),
        Service(name="order", port=50054),
        Service(name="payment", port=50055, peers=("customer",), gateways=("stripe",)),
        Service(name="warehouse", port=50056),
        Service(name="notification", port=50057, gateways=("sendgrid",)),
        Service(name="checkout", port=50053, peers=("catalog", "order", "payment", "warehouse", "customer")),
        Service(
            name="gateway",
            port=8080,
            peers=("customer", "catalog", "checkout", "order", "payment", "warehouse"),
            database=False,
            serves="http",
        ),
    )
}
"""From log-in to a confirmed order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything is: `host:port` of services and of their health, URLs of engines and mocks."""

    services: Mapping[str, str]
    health: Mapping[str, str]
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    gateways: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    """Variables with keys for the mocks, by full name."""


def environment(service: Service, places: Places) -> dict[str, str]:
    """The variables of a service, without those of the machine."""
    prefix = service.prefix
    given = {
        f"{prefix}{service.serves.upper()}_ADDRESS": places.services[service.name],
        f"{prefix}HEALTH_ADDRESS": places.health[service.name],
        f"{prefix}REDIS_URL": places.redis_url,
    }
    if service.database:
        given[f"{prefix}DATABASE_URL"] = places.database_url
    for peer in service.peers:
        if peer in places.services:
            given[f"{prefix}{peer.upper()}_ADDRESS"] = places.services[peer]
    for gateway in service.gateways:
        given[f"{prefix}{gateway.upper()}_URL"] = places.gateways[gateway]
    given |= {name: value for name, value in places.secrets.items() if name.startswith(prefix)}
    return given
