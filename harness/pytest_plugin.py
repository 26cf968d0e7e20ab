"""Fixtures for pytest: real Postgres and Redis, and gateway mocks in the test process, as at the start in each test.

`backends` has the engines, started once: `backends.redis.kill9()`; see `harness.backends`. `postgres` is a database of
the test's own, `postgres_of_module` one of its module's; both are copies of what `postgres_template` names, which a
project overrides to have its migrations in it. `redis` is emptied before each test. A header line says what runs.

`gateways` has all of them (`gateways.stripe.url`), `stripe_mock`, `paypal_mock`, `fedex_mock`, `ups_mock`,
`sendgrid_mock`, `twilio_mock` and `analytics_mock` one. The ini option `treaty_gateways` names those to start.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.backends.postgres import Database
    from harness.backends.redis import Redis
    from harness.backends.session import Running
    from harness.environment.running import Environment
    from harness.gateways.inprocess import RunningMock, RunningMocks
    from harness.sagas.shopper import Shopper


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option."""
    parser.addini("treaty_gateways", "gateway mocks that the fixture `gateways` starts (default: all)", type="args")


def pytest_report_header() -> str:
    """What the fixture `backends` would run, and why; it is not started for this."""
    from harness.backends.choose import choose
    from harness.backends.errors import BackendError

    try:
        return f"backends: {choose().header}"
    except BackendError as problem:
        return f"backends: none: {problem}"


@pytest.fixture(scope="session")
def running_backends() -> Iterator[Running]:
    """The engines, started once; tests use `backends`, which mends them for each."""
    from harness.backends.session import backends

    with backends() as running:
        yield running


@pytest.fixture
def backends(running_backends: Running) -> Running:
    """Postgres and Redis, running and without faults, whatever the test before did."""
    running_backends.restore()
    return running_backends


@pytest.fixture(scope="session")
def postgres_template() -> str | None:
    """The database that `postgres` copies: none, so that it is empty. Override it with `create_template`'s name."""
    return None


@pytest.fixture
def postgres(backends: Running, postgres_template: str | None) -> Iterator[Database]:
    """A database of this test's own: `postgres.dsn`."""
    with backends.postgres.database(template=postgres_template) as database:
        yield database


@pytest.fixture(scope="module")
def postgres_of_module(running_backends: Running, postgres_template: str | None) -> Iterator[Database]:
    """A database of this module's own."""
    running_backends.restore()
    with running_backends.postgres.database(template=postgres_template) as database:
        yield database


@pytest.fixture
def redis(backends: Running) -> Redis:
    """Redis, empty: `redis.url`."""
    backends.redis.flush()
    return backends.redis


@pytest.fixture(scope="session")
def running_gateways(request: pytest.FixtureRequest) -> Iterator[RunningMocks]:
    """The mocks, started once; tests use `gateways`, which begins anew in each."""
    from harness.gateways.inprocess import running

    with running(*request.config.getini("treaty_gateways")) as mocks:
        yield mocks


@pytest.fixture
def gateways(running_gateways: RunningMocks) -> RunningMocks:
    """All mocks, as at the start."""
    running_gateways.reset()
    return running_gateways


def _fixture_of(name: str) -> Any:
    def mock(running_gateways: RunningMocks) -> RunningMock:
        found: RunningMock = getattr(running_gateways, name)
        found.control.reset()
        return found

    mock.__doc__ = f"The mock of {name}, as at the start."
    return pytest.fixture(name=f"{name}_mock")(mock)


stripe_mock = _fixture_of("stripe")
paypal_mock = _fixture_of("paypal")
fedex_mock = _fixture_of("fedex")
ups_mock = _fixture_of("ups")
sendgrid_mock = _fixture_of("sendgrid")
twilio_mock = _fixture_of("twilio")
analytics_mock = _fixture_of("analytics")


@pytest.fixture(scope="session")
def running_platform() -> Iterator[Environment]:
    """Engines, mocks and services, started once; tests use `platform`, which is whole again in each."""
    from harness.environment.running import environment

    with environment() as running:
        yield running


@pytest.fixture
def platform(running_platform: Environment) -> Environment:
    """The services of the slice on engines and mocks of their own: `platform.gateway_url`, `platform.mocks.stripe`."""
    running_platform.restore()
    return running_platform


@pytest.fixture
def shopper(platform: Environment) -> Iterator[Shopper]:
    """A customer who has registered and logged in at the gateway."""
    from harness.sagas.shopper import Shopper

    with Shopper(platform.gateway_url, f"test-{secrets.token_hex(6)}") as found:
        found.register()
        found.log_in()
        yield found
