"""Fixtures for pytest: gateway mocks in the test process, as at the start in each test.

`gateways` has all of them (`gateways.stripe.url`), `stripe_mock`, `paypal_mock`, `fedex_mock`, `ups_mock`,
`sendgrid_mock`, `twilio_mock` and `analytics_mock` one. The ini option `treaty_gateways` names those to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.gateways.inprocess import RunningMock, RunningMocks


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option."""
    parser.addini("treaty_gateways", "gateway mocks that the fixture `gateways` starts (default: all)", type="args")


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


def _one(mocks: RunningMocks, name: str) -> RunningMock:
    mock: RunningMock = getattr(mocks, name)
    mock.control.reset()
    return mock


@pytest.fixture
def stripe_mock(running_gateways: RunningMocks) -> RunningMock:
    """Stripe, as at the start."""
    return _one(running_gateways, "stripe")


@pytest.fixture
def paypal_mock(running_gateways: RunningMocks) -> RunningMock:
    """PayPal, as at the start."""
    return _one(running_gateways, "paypal")


@pytest.fixture
def fedex_mock(running_gateways: RunningMocks) -> RunningMock:
    """FedEx, as at the start."""
    return _one(running_gateways, "fedex")


@pytest.fixture
def ups_mock(running_gateways: RunningMocks) -> RunningMock:
    """UPS, as at the start."""
    return _one(running_gateways, "ups")


@pytest.fixture
def sendgrid_mock(running_gateways: RunningMocks) -> RunningMock:
    """SendGrid, as at the start."""
    return _one(running_gateways, "sendgrid")


@pytest.fixture
def twilio_mock(running_gateways: RunningMocks) -> RunningMock:
    """Twilio, as at the start."""
    return _one(running_gateways, "twilio")


@pytest.fixture
def analytics_mock(running_gateways: RunningMocks) -> RunningMock:
    """Google Analytics, as at the start."""
    return _one(running_gateways, "analytics")
