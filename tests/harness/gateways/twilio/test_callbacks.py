"""Status callbacks: what is posted, and that the official validator accepts it."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from harness.gateways.inprocess import RunningMock
from harness.gateways.twilio.gateway import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.gateways.receiver import Received, Receiver, receiver
from tests.harness.gateways.twilio.conftest import connected

FROM, TO = "+15005550006", "+14155552671"


def fields(message: Received) -> dict[str, str]:
    return dict(parse_qsl(message.body.decode(), keep_blank_values=True))


def accepted(hook: Receiver, message: Received, token: str = AUTH_TOKEN) -> bool:
    url = hook.url.removesuffix("/webhook") + message.path
    valid: bool = RequestValidator(token).validate(url, fields(message), message.headers["x-twilio-signature"])
    return valid


def test_every_step_is_posted_and_accepted_by_the_official_validator(mock: RunningMock, client: Any) -> None:
    with receiver() as hook:
        url = f"{hook.url}?order_id=o%201&x=%C3%A9"
        sid = client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=url).sid
        mock.control.advance(1)
        messages = hook.wait(3)
        assert all(accepted(hook, each) for each in messages)
        assert not any(accepted(hook, each, "another token") for each in messages)
    posted = [fields(each) for each in messages]
    assert sorted(each["MessageStatus"] for each in posted) == ["delivered", "sending", "sent"]
    assert all(each["SmsStatus"] == each["MessageStatus"] for each in posted)
    last = next(each for each in posted if each["MessageStatus"] == "delivered")
    assert last.pop("RawDlrDoneDate").isdigit()
    assert last == {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": FROM,
        "MessageSid": sid,
        "MessageStatus": "delivered",
        "SmsSid": sid,
        "SmsStatus": "delivered",
        "To": TO,
    }
    assert mock.control.ledger()[0]["reference"] == "o 1"


def test_a_message_of_an_api_key_is_signed_with_the_auth_token(mock: RunningMock) -> None:
    account, token = "AC" + "2" * 32, "token of the account"
    connected(mock, account, token).messages.list()
    by_key = connected(mock, "SK" + "b" * 32, "secret of the key", account)
    with receiver() as hook:
        by_key.messages.create(to=TO, from_=FROM, body="Hello", status_callback=hook.url)
        mock.control.advance(1)
        messages = hook.wait(3)
        assert all(accepted(hook, each, token) for each in messages)
        assert not any(accepted(hook, each, "secret of the key") for each in messages)


@pytest.mark.parametrize(
    ("code", "status"), [(30003, "undelivered"), (30007, "undelivered"), (30001, "failed"), (30008, "undelivered")]
)
def test_numbers_of_our_own_are_not_delivered(mock: RunningMock, client: Any, code: int, status: str) -> None:
    with receiver() as hook:
        sid = client.messages.create(to=f"+150055{code}", from_=FROM, body="Hello", status_callback=hook.url).sid
        mock.control.advance(1)
        posted = [fields(each) for each in hook.wait(1 if status == "failed" else 3)]
    last = next(each for each in posted if each["MessageStatus"] == status)
    assert last["ErrorCode"] == str(code)
    message = client.messages(sid).fetch()
    assert (message.status, message.error_code) == (status, code)
    assert (message.price is None) == (status == "failed")
    assert mock.control.ledger()[0]["status"] == status


def test_bad_stale_and_rotated_signatures_can_be_asked_for(mock: RunningMock, client: Any) -> None:
    mock.control.webhook_fault("bad_signature", "sending")
    mock.control.webhook_fault("rotated_secret", "sent")
    with receiver() as hook:
        client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=hook.url)
        mock.control.advance(1)
        found = {fields(each)["MessageStatus"]: each for each in hook.wait(3)}
        assert not accepted(hook, found["sending"])
        assert not accepted(hook, found["sent"])
        assert accepted(hook, found["sent"], AUTH_TOKEN[::-1])
        assert accepted(hook, found["delivered"])


def test_callbacks_can_come_before_the_answer(mock: RunningMock, client: Any) -> None:
    mock.control.script({"webhooks_first": True})
    with receiver() as hook:
        message = client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=hook.url)
        assert [fields(each)["MessageStatus"] for each in hook.received] == ["sending", "sent", "delivered"]
        assert all(accepted(hook, each) for each in hook.received)
    assert message.status == "queued"
    assert client.messages(message.sid).fetch().status == "delivered"


def test_without_a_callback_nothing_is_posted(mock: RunningMock, client: Any) -> None:
    client.messages.create(to=TO, from_=FROM, body="Hello")
    mock.control.advance(1)
    assert mock.control.deliveries() == []


def test_a_callback_that_fails_is_tried_again(mock: RunningMock, client: Any) -> None:
    mock.control.action("deliver", automatic=False)
    with receiver() as hook:
        hook.answers = [500]
        sid = client.messages.create(to=TO, from_=FROM, body="Hello", status_callback=hook.url).sid
        mock.control.action("message_status", sid=sid, status="delivered")
        hook.wait(1)
        mock.control.settle()
        mock.control.advance(60)
        first, second = hook.wait(2)
        assert accepted(hook, second)
    assert fields(first) == fields(second)
