from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from harness.gateways.inprocess import RunningMock, running
from tests.harness.gateways.paypal.raw import Raw
from tests.harness.gateways.paypal.sdk import Shop


@pytest.fixture(scope="package")
def mock() -> Iterator[RunningMock]:
    with running("paypal", seed=1) as mocks:
        yield mocks.paypal


@pytest.fixture
def shop(mock: RunningMock) -> Shop:
    mock.control.reset()
    mock.control.action("set_processing_time", seconds=0)
    return Shop(mock.url, mock.control)


@pytest.fixture(scope="package")
def http(mock: RunningMock) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mock.url, trust_env=False) as found:
        yield found


@pytest.fixture
def raw(shop: Shop, http: httpx.Client) -> Raw:
    http.cookies.clear()
    return Raw(http)
