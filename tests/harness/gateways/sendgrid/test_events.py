"""The event webhook: what is posted, and that the official validator accepts it."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from python_http_client.exceptions import BadRequestsError
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from harness.gateways.inprocess import RunningMock
from harness.gateways.outcomes import ControlError
from tests.harness.gateways.receiver import Received, receiver

Maker = Callable[..., Any]


def settings(client: Any) -> Any:
    return client.client.user.webhooks.event.settings


def listen(client: Any, url: str, **switches: bool) -> str:
    """Switch the webhook and its signature on; returns the public key."""
    settings(client).patch(request_body={"enabled": True, "url": url, **switches})
    key: str = settings(client).signed.patch(request_body={"enabled": True}).to_dict["public_key"]
    return key


def accepted(message: Received, public_key: str) -> bool:
    signature = message.headers[EventWebhookHeader.SIGNATURE.lower()]
    timestamp = message.headers[EventWebhookHeader.TIMESTAMP.lower()]
    valid: bool = EventWebhook(public_key).verify_signature(message.body.decode(), signature, timestamp)
    return valid


def events(*messages: Received) -> list[dict[str, Any]]:
    return [event for message in messages for event in json.loads(message.body)]


def test_signed_batches_are_accepted_by_the_official_validator(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        key = listen(client, hook.url)
        answer = client.send(mail("ada@example.com", "bob@example.com", order_id="o1"))
        mock.control.advance(1)
        processed, delivered = hook.wait(2)
    assert accepted(processed, key)
    assert accepted(delivered, key)
    assert processed.body.endswith(b"]\r\n")
    assert [each["event"] for each in events(processed, delivered)] == ["processed"] * 2 + ["delivered"] * 2
    first = events(processed)[0]
    assert first["order_id"] == "o1"
    assert first["sg_message_id"].startswith(answer.headers["X-Message-Id"])
    assert len({each["sg_event_id"] for each in events(processed, delivered)}) == 4


def test_a_changed_body_is_not_accepted(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        key = listen(client, hook.url)
        client.send(mail())
        (message,) = hook.wait()
    changed = Received(message.path, message.headers, message.body.replace(b"ada@", b"eve@"), message.at)
    assert not accepted(changed, key)


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("ada@example.com", ["processed", "delivered"]),
        ("bounce@example.com", ["processed", "bounce"]),
        ("bounce+tag@example.com", ["processed", "bounce"]),
        ("block@example.com", ["processed", "bounce"]),
        ("drop@example.com", ["dropped"]),
        ("defer@example.com", ["processed", "deferred", "delivered"]),
        ("open@example.com", ["processed", "delivered", "open"]),
        ("click@example.com", ["processed", "delivered", "open", "click"]),
        ("spam@example.com", ["processed", "delivered", "spamreport"]),
    ],
)
def test_the_local_part_decides_what_becomes_of_a_mail(
    mock: RunningMock, client: Any, mail: Maker, address: str, kinds: list[str]
) -> None:
    with receiver() as hook:
        listen(client, hook.url)
        client.send(mail(address))
        mock.control.advance(10)
        found = events(*hook.wait(len(kinds)))
    assert sorted(each["event"] for each in found) == sorted(kinds)
    assert all(each["email"] == address for each in found)


def test_events_can_come_before_the_answer(mock: RunningMock, client: Any, mail: Maker) -> None:
    mock.control.script({"webhooks_first": True}, operation="sendMail")
    with receiver() as hook:
        listen(client, hook.url)
        client.send(mail())
        assert [each["event"] for each in events(*hook.received)] == ["processed"]


def test_a_bounce_tells_why_and_shows_in_the_ledger(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        listen(client, hook.url, processed=False)
        client.send(mail("bounce@example.com", order_id="o1"))
        mock.control.advance(1)
        (bounce,) = events(*hook.wait())
    assert (bounce["event"], bounce["type"], bounce["status"]) == ("bounce", "bounce", "5.1.1")
    assert bounce["reason"].startswith("550 5.1.1")
    assert mock.control.ledger(reference="o1")[0]["status"] == "bounced"


def test_a_mail_for_later_is_processed_later(mock: RunningMock, client: Any, mail: Maker) -> None:
    now = mock.control.freeze()
    with receiver() as hook:
        listen(client, hook.url)
        planned = mail()
        planned.send_at = int(now) + 3600
        client.send(planned)
        mock.control.settle()
        assert hook.received == []
        mock.control.advance(3602)
        hook.wait(2)


def test_a_control_call_lets_something_happen_to_a_mail(mock: RunningMock, client: Any, mail: Maker) -> None:
    mock.control.action("deliver", automatic=False)
    with receiver() as hook:
        key = listen(client, hook.url, processed=False)
        client.send(mail(order_id="o1"))
        mock.control.action("mail_event", event="click", custom_args={"order_id": "o1"}, url="https://shop.example/o1")
        (message,) = hook.wait()
    assert accepted(message, key)
    (click,) = events(message)
    assert (click["event"], click["url"], click["order_id"]) == ("click", "https://shop.example/o1", "o1")
    for wrong in (
        {"event": "nod", "email": "a"},
        {"event": "open"},
        {"event": "open", "email": "nobody@example.com"},
        {"event": "deferred", "email": "ada@example.com", "attempt": "many"},
        {"event": "click", "email": "ada@example.com", "url": 5},
    ):
        with pytest.raises(ControlError):
            mock.control.action("mail_event", **wrong)
    with pytest.raises(ControlError):
        mock.control.action("deliver", automatic="no")


def test_a_bad_signature_and_a_stale_one_can_be_asked_for(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        key = listen(client, hook.url)
        mock.control.webhook_fault("bad_signature", "processed")
        mock.control.webhook_fault("stale", "delivered")
        client.send(mail())
        mock.control.advance(1)
        bad, stale = hook.wait(2)
    assert not accepted(bad, key)
    assert accepted(stale, key)
    assert int(stale.headers[EventWebhookHeader.TIMESTAMP.lower()]) < mock.control.now() - 300


def test_a_rotated_key_is_the_one_that_the_settings_show(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        old = listen(client, hook.url, delivered=False)
        mock.control.webhook_fault("rotated_secret", "processed")
        client.send(mail())
        (message,) = hook.wait()
    new = settings(client).signed.get().to_dict["public_key"]
    assert not accepted(message, old)
    assert accepted(message, new)


def test_signing_off_and_on_makes_a_new_key(mock: RunningMock, client: Any) -> None:
    first = listen(client, "http://127.0.0.1:9/")
    assert settings(client).get().to_dict["public_key"] == first
    assert settings(client).signed.patch(request_body={"enabled": False}).to_dict == {"public_key": ""}
    assert settings(client).signed.patch(request_body={"enabled": True}).to_dict["public_key"] not in ("", first)


def test_settings_keep_what_is_not_sent_and_refuse_nonsense(mock: RunningMock, client: Any) -> None:
    before = settings(client).get().to_dict
    assert (before["enabled"], before["url"], before["public_key"]) == (False, "", None)
    after = settings(client).patch(request_body={"open": False, "oauth_client_secret": "s3cret"}).to_dict
    assert after == {**before, "open": False}
    for wrong in ({"enabled": True, "url": "nowhere"}, {"enabled": "yes"}):
        with pytest.raises(BadRequestsError) as caught:
            settings(client).patch(request_body=wrong)
        assert caught.value.to_dict["errors"][0]["field"] in ("url", "enabled")


def test_an_event_that_is_switched_off_is_not_posted(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        listen(client, hook.url, processed=False, bounce=False)
        client.send(mail("bounce@example.com", "ada@example.com"))
        mock.control.advance(1)
        found = events(*hook.wait())
        mock.control.settle()
        assert len(hook.received) == 1
    assert [each["event"] for each in found] == ["delivered"]


def test_without_signing_no_signature_is_sent(mock: RunningMock, client: Any, mail: Maker) -> None:
    with receiver() as hook:
        settings(client).patch(request_body={"enabled": True, "url": hook.url})
        client.send(mail())
        (message,) = hook.wait()
    assert EventWebhookHeader.SIGNATURE.lower() not in message.headers


def test_a_snapshot_brings_mails_and_keys_back(mock: RunningMock, client: Any, mail: Maker) -> None:
    key = listen(client, "http://127.0.0.1:9/")
    name = mock.control.snapshot()
    client.send(mail(order_id="o1"))
    settings(client).signed.patch(request_body={"enabled": False})
    mock.control.restore(name)
    assert mock.control.ledger() == []
    assert settings(client).signed.get().to_dict["public_key"] == key


def test_instructions_are_python_that_runs(mock: RunningMock) -> None:
    from harness.gateways.gateway import World
    from harness.gateways.sendgrid.gateway import SendgridGateway

    names: dict[str, Any] = {}
    exec(SendgridGateway(World()).instructions(mock.url), names)  # noqa: S102 it is our own text
    assert names["client"].client.user.webhooks.event.settings.get().status_code == 200
    assert httpx.get(f"{mock.url}/v3/user/webhooks/event/settings").status_code == 401
