"""A running mock, and the official SDK pointed at it."""

from collections.abc import Iterator
from typing import Any

import pytest
from twilio.rest import Client

from harness.gateways.inprocess import RunningMock, running
from harness.gateways.twilio.gateway import ACCOUNT_SID, AUTH_TOKEN


@pytest.fixture(scope="package")
def served() -> Iterator[RunningMock]:
    with running("twilio") as mocks:
        yield mocks.twilio


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


@pytest.fixture
def client(mock: RunningMock) -> Any:
    return connected(mock, ACCOUNT_SID, AUTH_TOKEN)


def connected(mock: RunningMock, *credentials: str) -> Any:
    """A client of the SDK with other credentials."""
    found: Any = Client(*credentials)
    found.api.base_url = mock.url
    return found
