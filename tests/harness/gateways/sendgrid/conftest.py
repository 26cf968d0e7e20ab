"""A running mock, and the official SDK pointed at it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Content, CustomArg, Mail

from harness.gateways.inprocess import RunningMock, running
from harness.gateways.sendgrid.gateway import API_KEY


@pytest.fixture(scope="package")
def served() -> Iterator[RunningMock]:
    with running("sendgrid") as mocks:
        yield mocks.sendgrid


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


@pytest.fixture
def client(mock: RunningMock) -> Any:
    return SendGridAPIClient(API_KEY, host=mock.url)


@pytest.fixture
def mail() -> Callable[..., Any]:
    """Makes a mail: `mail("ada@example.com", order_id="o1")`."""

    def made(*to: str, **arguments: str) -> Any:
        found = Mail(
            from_email="shop@example.com",
            to_emails=list(to) or ["ada@example.com"],
            subject="Your order",
            plain_text_content=Content("text/plain", "Thank you"),
            html_content=Content("text/html", "<p>Thank you</p>"),
        )
        for name, value in arguments.items():
            found.custom_arg = CustomArg(name, value)
        return found

    return made
