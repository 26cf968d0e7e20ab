"""Running mocks of those who send mails and text messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from harness.gateways.inprocess import RunningMock, RunningMocks, running


@pytest.fixture(scope="package")
def served() -> Iterator[RunningMocks]:
    with running("sendgrid", "twilio") as mocks:
        yield mocks


@pytest.fixture
def mails(served: RunningMocks) -> RunningMock:
    served.sendgrid.control.reset()
    return served.sendgrid


@pytest.fixture
def messages(served: RunningMocks) -> RunningMock:
    served.twilio.control.reset()
    return served.twilio


async def has_entries(mock: RunningMock) -> None:
    """Wait for the first effect."""
    for _ in range(500):
        if await asyncio.to_thread(mock.control.ledger):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
