"""The official SDK, unmodified, pointed at the mock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from harness.gateways.inprocess import RunningMock, running


@pytest.fixture(scope="session")
def served() -> Iterator[RunningMock]:
    """One mock for all tests of this folder."""
    stripe.enable_telemetry = False
    with running("stripe") as mocks:
        yield mocks.stripe


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    """The mock, as at the start."""
    served.control.reset()
    return served


@pytest.fixture
def client(mock: RunningMock) -> stripe.StripeClient:
    """A client that does not repeat requests by itself."""
    return connect(mock, retries=0)


def connect(mock: RunningMock, *, retries: int, key: str = "sk_test_123") -> stripe.StripeClient:
    """A client of the mock; times out after two seconds."""
    transport = stripe.RequestsClient(timeout=2)
    return stripe.StripeClient(
        key, base_addresses={"api": mock.url}, max_network_retries=retries, http_client=transport
    )
