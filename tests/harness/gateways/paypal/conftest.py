from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture
def raw(shop: Shop) -> Iterator[Raw]:
    with Raw(shop.url) as found:
        yield found
