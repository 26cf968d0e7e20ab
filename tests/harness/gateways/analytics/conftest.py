"""A running mock; there is no official SDK for servers, so httpx."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from harness.gateways.analytics.gateway import API_SECRET, MEASUREMENT_ID
from harness.gateways.inprocess import RunningMock, running

Sender = Callable[..., httpx.Response]


@pytest.fixture(scope="package")
def served() -> Iterator[RunningMock]:
    with running("analytics") as mocks:
        yield mocks.analytics


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


@pytest.fixture
def send(mock: RunningMock) -> Sender:
    """Posts a payload to `collect`, or to `debug=True`; query parameters may be replaced, None removes one."""

    def sent(payload: Any, *, debug: bool = False, **stream: str | None) -> httpx.Response:
        given = {"measurement_id": MEASUREMENT_ID, "api_secret": API_SECRET, **stream}
        query = {name: value for name, value in given.items() if value is not None}
        body = {"content": payload} if isinstance(payload, bytes) else {"json": payload}
        path = "/debug/mp/collect" if debug else "/mp/collect"
        return httpx.post(mock.url + path, params=query, **body)

    return sent
