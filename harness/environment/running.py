"""Everything a suite needs, started for the length of a block: `with environment() as running: running.gateway_url`."""

from __future__ import annotations

import base64
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from harness.backends.session import Running as Backends
from harness.backends.session import backends
from harness.backends.supervised import Supervisor
from harness.environment.process import ServiceError, ServiceProcess, source_path
from harness.environment.services import SLICE, Places
from harness.environment.services import environment as variables_of
from harness.gateways.inprocess import RunningMocks
from harness.gateways.inprocess import running as running_mocks

MOCKS = ("stripe", "sendgrid")
STRIPE_EVENTS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "refund.updated",
    "refund.failed",
)
SETTINGS = {"CATALOG_SEED_DEMO": "true", "WAREHOUSE_SEED_DEMO": "true"}
"""Of every platform that is started here: it has products to sell."""
OWN_PORTS = range(20_000, 32_000)
"""Of services nobody chose a port for: below those the system gives to outgoing connections (Linux: from 32768)."""
Told = Callable[[str], None]
"""Is told what is being done."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The platform while it runs."""

    backends: Backends
    mocks: RunningMocks
    services: Mapping[str, ServiceProcess]
    places: Places

    @property
    def gateway_url(self) -> str:
        """Where customers call."""
        return f"http://{self.places.services['gateway']}"

    @property
    def report(self) -> str:
        """How it runs, for people."""
        return self.backends.report

    def restore(self) -> None:
        """Whole again: engines without faults, no scripted outcomes, every service running and ready."""
        self.backends.redis.restore()
        self.backends.postgres.restore()
        for mock in self.mocks:
            mock.control.clear_scripts()
        for service in self.services.values():
            if not service.running:
                service.start()
                service.wait_ready()


def free_ports() -> Iterator[int]:
    """Ports that nobody listens on, no two alike. `ServiceError` when there are no more."""
    for port in secrets.SystemRandom().sample(OWN_PORTS, len(OWN_PORTS)):
        if _is_free(port):
            yield port
    raise ServiceError(f"no port from {OWN_PORTS.start} to {OWN_PORTS.stop - 1} is free: stop what uses them")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def environment(
    names: Iterable[str] = tuple(SLICE),
    *,
    ports: Mapping[str, int] | None = None,
    settings: Mapping[str, str] | None = None,
    seed: int = 1,
    tell: Told = lambda _: None,
) -> Iterator[Environment]:
    """Run engines, mocks and the named services; ready when the block begins, gone when it ends.

    `ports` by service; without one a free port is taken. `settings` are further variables of services, by full name.
    A `BackendError` or `ServiceError` says what could not be started.
    """
    chosen = [SLICE[name] for name in names]
    for name, port in (ports or {}).items():
        if not _is_free(port):
            raise ServiceError(f"port {port}, where {name} is to listen, is in use: stop what uses it")
    with ExitStack() as stack:
        tell("starting Postgres and Redis")
        engines = stack.enter_context(backends())
        tell("starting the gateway mocks")
        mocks = stack.enter_context(running_mocks(*MOCKS, seed=seed))
        places = _places([service.name for service in chosen], ports or {}, engines, mocks)
        supervisor = Supervisor()
        stack.callback(supervisor.end)
        path = source_path()
        processes = {
            service.name: ServiceProcess(
                service,
                supervisor,
                {**variables_of(service, places), **_own(service.prefix, {**SETTINGS, **(settings or {})})},
                places.health[service.name],
                path,
            )
            for service in chosen
        }
        _register_webhooks(mocks, places)
        tell(f"starting {len(processes)} services")
        for process in processes.values():
            process.start()
        for process in processes.values():
            stack.callback(process.stop)
        for process in processes.values():
            process.wait_ready()
            tell(f"{process.name} is ready")
        yield Environment(engines, mocks, processes, places)


def _own(prefix: str, settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name.startswith(prefix)}


def _places(names: list[str], ports: Mapping[str, int], engines: Backends, mocks: RunningMocks) -> Places:
    stripe_key = f"sk_test_{secrets.token_hex(12)}"
    free = (port for port in free_ports() if port not in ports.values())
    return Places(
        services={name: f"127.0.0.1:{ports.get(name) or next(free)}" for name in names},
        health={name: f"127.0.0.1:{next(free)}" for name in names},
        database_url=engines.postgres.url,
        redis_url=engines.redis.url,
        gateways={mock.name: mock.url for mock in mocks},
        secrets={
            "PAYMENT_STRIPE_SECRET_KEY": stripe_key,
            "PAYMENT_STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(16)}",
            "CUSTOMER_STRIPE_SECRET_KEY": stripe_key,
            "NOTIFICATION_SENDGRID_KEY": f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}",
            "NOTIFICATION_DATA_KEY": base64.b64encode(secrets.token_bytes(32)).decode("ascii"),
        },
    )


def _register_webhooks(mocks: RunningMocks, places: Places) -> None:
    if "gateway" in places.services:
        mocks.stripe.control.action(
            "add_webhook_endpoint",
            url=f"http://{places.services['gateway']}/api/v1/webhooks/stripe",
            secret=places.secrets["PAYMENT_STRIPE_WEBHOOK_SECRETS"],
            events=list(STRIPE_EVENTS),
        )
