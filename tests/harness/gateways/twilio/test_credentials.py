"""Both kinds of credentials, and what is refused."""

from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from harness.gateways.inprocess import RunningMock
from harness.gateways.twilio.gateway import ACCOUNT_SID, AUTH_TOKEN, TwilioGateway
from tests.harness.gateways.twilio.conftest import connected

OTHER_ACCOUNT = "AC" + "1" * 32
KEY, SECRET = "SK" + "a" * 32, "s3cret"
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"


def refused(client: Any) -> bool:
    with pytest.raises(TwilioRestException) as caught:
        client.messages.create(to="+14155552671", from_="+15005550006", body="Hello")
    return (caught.value.status, caught.value.code) == (401, 20003)


def test_an_account_is_known_by_the_first_token_it_uses(mock: RunningMock) -> None:
    assert connected(mock, OTHER_ACCOUNT, "token").messages.list() == []
    assert refused(connected(mock, OTHER_ACCOUNT, "another"))
    mock.control.reset()
    assert connected(mock, OTHER_ACCOUNT, "another").messages.list() == []


def test_an_api_key_belongs_to_one_account_and_one_secret(mock: RunningMock) -> None:
    message = connected(mock, KEY, SECRET, ACCOUNT_SID).messages.create(
        to="+14155552671", from_="+15005550006", body="Hello"
    )
    assert message.account_sid == ACCOUNT_SID
    assert refused(connected(mock, KEY, "another", ACCOUNT_SID))
    assert refused(connected(mock, KEY, SECRET, OTHER_ACCOUNT))
    assert refused(connected(mock, KEY, SECRET, "nonsense"))


@pytest.mark.parametrize(
    "credentials",
    [
        (ACCOUNT_SID, "wrong"),
        (ACCOUNT_SID, "invalid"),
        (OTHER_ACCOUNT, "expired"),
        ("AC123", "token"),
        (ACCOUNT_SID, AUTH_TOKEN, OTHER_ACCOUNT),
        ("SK123", SECRET, ACCOUNT_SID),
        ("US" + "1" * 32, SECRET, ACCOUNT_SID),
    ],
)
def test_wrong_credentials_answer_20003(mock: RunningMock, credentials: tuple[str, ...]) -> None:
    assert refused(connected(mock, *credentials))


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic", "Basic !!!", "Basic eA==", "Basic " + "eA" * 5000])
def test_missing_and_malformed_credentials_answer_20003(mock: RunningMock, header: str | None) -> None:
    headers = {"authorization": header} if header else {}
    answer = httpx.post(f"{mock.url}{PATH}", data={"To": "x"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_instructions_are_python_that_runs(mock: RunningMock) -> None:
    from harness.gateways.gateway import World

    names: dict[str, Any] = {}
    exec(TwilioGateway(World()).instructions(mock.url), names)  # noqa: S102 it is our own text
    assert names["client"].messages.list() == []
