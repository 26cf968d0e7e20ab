"""Webhooks as the official validator accepts them, and as tests want them spoilt."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import stripe

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.receiver import Received, Receiver, receiver
from tests.harness.gateways.stripe.test_payments import pay

SECRET = "whsec_of_this_test"


@pytest.fixture
def hook(mock: RunningMock) -> Iterator[Receiver]:
    with receiver() as found:
        mock.control.action(
            "add_webhook_endpoint",
            url=found.url,
            secret=SECRET,
            events=["payment_intent.succeeded", "charge.succeeded", "charge.refunded"],
        )
        yield found


def verified(message: Received, secret: str = SECRET) -> stripe.Event:
    event: stripe.Event = stripe.Webhook.construct_event(message.body, message.headers["stripe-signature"], secret)
    return event


def types(messages: list[Received]) -> list[str]:
    return [json.loads(message.body)["type"] for message in messages]


def test_a_payment_is_told_to_the_endpoint_in_order_and_signed(
    client: stripe.StripeClient, mock: RunningMock, hook: Receiver
) -> None:
    intent = pay(client)
    messages = hook.wait(2)
    events = [verified(message) for message in messages]
    assert [event.type for event in events] == ["charge.succeeded", "payment_intent.succeeded"]
    assert events[1].data.object["id"] == intent.id
    assert events[1].request is not None
    assert intent.last_response is not None
    assert events[1].request.id == intent.last_response.request_id
    assert client.v1.events.retrieve(events[1].id).type == "payment_intent.succeeded"


def test_the_secret_of_an_endpoint_is_told_once(client: stripe.StripeClient) -> None:
    made = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]})
    assert str(made.secret).startswith("whsec_")
    assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id).to_dict()
    assert client.v1.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
    assert client.v1.webhook_endpoints.delete(made.id).deleted is True


def test_a_webhook_is_repeated_until_it_is_accepted(
    client: stripe.StripeClient, mock: RunningMock, hook: Receiver
) -> None:
    hook.answers += [200, 500, 503]
    mock.control.freeze()
    pay(client)
    hook.wait(2)
    mock.control.settle()
    mock.control.advance(2)
    hook.wait(3)
    mock.control.settle()
    mock.control.advance(10)
    assert types(hook.wait(4)) == ["charge.succeeded", *["payment_intent.succeeded"] * 3]
    mock.control.settle()
    (delivery,) = [each for each in mock.control.deliveries() if each["event"] == "payment_intent.succeeded"]
    assert (delivery["state"], delivery["statuses"]) == ("delivered", [500, 503, 200])


def test_a_receiver_that_is_down_gets_it_later(client: stripe.StripeClient, mock: RunningMock) -> None:
    mock.control.freeze()
    with receiver() as found:
        url = found.url
    mock.control.action("add_webhook_endpoint", url=url, secret=SECRET, events=["payment_intent.succeeded"])
    pay(client)
    mock.control.settle()
    assert mock.control.deliveries()[0]["statuses"] == [0]


def test_a_webhook_can_come_twice(client: stripe.StripeClient, mock: RunningMock, hook: Receiver) -> None:
    mock.control.webhook_fault("duplicate", "payment_intent.succeeded")
    pay(client)
    messages = [json.loads(message.body) for message in hook.wait(3)]
    assert len({message["id"] for message in messages if message["type"] == "payment_intent.succeeded"}) == 1


def test_webhooks_can_come_in_another_order(client: stripe.StripeClient, mock: RunningMock, hook: Receiver) -> None:
    mock.control.webhook_fault("reorder", "charge.succeeded")
    pay(client)
    assert types(hook.wait(2)) == ["payment_intent.succeeded", "charge.succeeded"]


def test_a_webhook_can_be_late_or_never_come(client: stripe.StripeClient, mock: RunningMock, hook: Receiver) -> None:
    mock.control.freeze()
    mock.control.webhook_fault("drop", "charge.succeeded")
    mock.control.webhook_fault("delay", "payment_intent.succeeded", seconds=60)
    pay(client)
    mock.control.settle()
    assert hook.received == []
    mock.control.advance(61)
    assert types(hook.wait(1)) == ["payment_intent.succeeded"]


def test_a_bad_and_a_stale_signature_are_refused_by_the_validator(
    client: stripe.StripeClient, mock: RunningMock, hook: Receiver
) -> None:
    mock.control.webhook_fault("bad_signature", "charge.succeeded")
    mock.control.webhook_fault("stale", "payment_intent.succeeded")
    pay(client)
    bad, stale = hook.wait(2)
    with pytest.raises(stripe.SignatureVerificationError, match="No signatures found"):
        verified(bad)
    with pytest.raises(stripe.SignatureVerificationError, match="outside the tolerance"):
        verified(stale)


def test_while_a_secret_is_rotated_both_secrets_verify(
    client: stripe.StripeClient, mock: RunningMock, hook: Receiver
) -> None:
    endpoint = client.v1.webhook_endpoints.list().data[0].id
    new = mock.control.action("rotate_webhook_secret", webhook_endpoint=endpoint)["secret"]
    pay(client)
    message = hook.wait(1)[0]
    assert verified(message).id == verified(message, new).id


def test_a_webhook_can_arrive_before_the_answer(client: stripe.StripeClient, mock: RunningMock, hook: Receiver) -> None:
    mock.control.webhook_fault("before_answer", "payment_intent.succeeded")
    mock.control.script({"webhooks_first": True, "answer_delay": 0.2}, operation="createRefund")
    intent = pay(client)
    assert types(hook.received)[0] == "payment_intent.succeeded"
    client.v1.refunds.create({"payment_intent": intent.id})
    assert "charge.refunded" in types(hook.received)


def test_an_event_can_be_sent_again(client: stripe.StripeClient, mock: RunningMock, hook: Receiver) -> None:
    pay(client)
    first = json.loads(hook.wait(2)[1].body)
    assert mock.control.resend(first["id"]) == 1
    assert json.loads(hook.wait(3)[2].body)["id"] == first["id"]


def test_nothing_is_sent_to_another_machine(client: stripe.StripeClient, mock: RunningMock) -> None:
    client.v1.webhook_endpoints.create({"url": "https://shop.example/hook", "enabled_events": ["*"]})
    pay(client)
    states = {each["state"] for each in mock.control.deliveries()}
    assert states == {"refused: only receivers on this machine are sent to"}
