from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from paypalserversdk.models.money import Money
from paypalserversdk.models.refund_request import RefundRequest

from tests.harness.gateways.paypal.raw import Raw
from tests.harness.gateways.paypal.sdk import WHOLE, Shop
from tests.harness.gateways.paypal.validator import Rejected, Validator
from tests.harness.gateways.receiver import Received, Receiver, receiver

WEBHOOKS = "/v1/notifications/webhooks"
VERIFY = "/v1/notifications/verify-webhook-signature"
CAPTURED = "PAYMENT.CAPTURE.COMPLETED"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def webhook_id(raw: Raw, hook: Receiver) -> str:
    return subscribed(raw, hook.url, "*")


@pytest.fixture
def validator(shop: Shop, webhook_id: str) -> Validator:
    pem = shop.control.action("webhook_authority")["pem"]
    return Validator(urlsplit(shop.url).netloc, x509.load_pem_x509_certificate(pem.encode()), webhook_id)


def subscribed(raw: Raw, url: str, *events: str) -> str:
    answer = raw.call("POST", WEBHOOKS, {"url": url, "event_types": [{"name": name} for name in events]})
    assert answer.status_code == 201
    return str(answer.json()["id"])


def judged(raw: Raw, message: Received, for_webhook: str, **changes: Any) -> str:
    """What PayPal's own endpoint says of a delivery."""
    headers = message.headers
    request = {
        "auth_algo": headers["paypal-auth-algo"],
        "cert_url": headers["paypal-cert-url"],
        "transmission_id": headers["paypal-transmission-id"],
        "transmission_sig": headers["paypal-transmission-sig"],
        "transmission_time": headers["paypal-transmission-time"],
        "webhook_id": for_webhook,
        "webhook_event": json.loads(message.body),
        **changes,
    }
    answer = raw.call("POST", VERIFY, request)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["verification_status"])


def test_a_good_delivery_is_believed(
    shop: Shop, raw: Raw, hook: Receiver, webhook_id: str, validator: Validator
) -> None:
    shop.captured("10.00", custom_id="Tüte")
    for message in hook.wait(3):
        validator.check(message.headers, message.body, shop.control.now())
        assert judged(raw, message, webhook_id) == "SUCCESS"


@pytest.mark.parametrize(
    ("fault", "reason", "verdict"),
    [
        ("bad_signature", "signature", "FAILURE"),
        ("stale", "age", "SUCCESS"),
        ("rotated_secret", None, "SUCCESS"),
        ("duplicate", None, "SUCCESS"),
    ],
)
def test_every_kind_of_delivery_is_judged_rightly(
    shop: Shop,
    raw: Raw,
    hook: Receiver,
    webhook_id: str,
    validator: Validator,
    fault: str,
    reason: str | None,
    verdict: str,
) -> None:
    shop.control.webhook_fault(fault, CAPTURED)
    shop.captured()
    assert shop.control.settle()
    messages = [each for each in hook.received if json.loads(each.body)["event_type"] == CAPTURED]
    assert len(messages) == (2 if fault == "duplicate" else 1)
    for message in messages:
        assert judged(raw, message, webhook_id) == verdict
        if reason is None:
            validator.check(message.headers, message.body, shop.control.now())
        else:
            with pytest.raises(Rejected, match=reason):
                validator.check(message.headers, message.body, shop.control.now())


def test_a_rotated_certificate_is_another_one_of_the_same_authority(
    shop: Shop, hook: Receiver, webhook_id: str
) -> None:
    shop.control.webhook_fault("rotated_secret", CAPTURED)
    shop.captured()
    urls = {json.loads(each.body)["event_type"]: each.headers["paypal-cert-url"] for each in hook.wait(3)}
    assert urls[CAPTURED] != urls["CHECKOUT.ORDER.APPROVED"]


def test_what_was_tampered_with_is_not_believed(
    shop: Shop, raw: Raw, hook: Receiver, webhook_id: str, validator: Validator
) -> None:
    shop.approved()
    [message] = hook.wait(1)
    now, event = shop.control.now(), json.loads(message.body)
    with pytest.raises(Rejected, match="signature"):
        validator.check(message.headers, message.body + b" ", now)
    with pytest.raises(Rejected, match="host"):
        validator.check({**message.headers, "paypal-cert-url": "https://evil.example/cert"}, message.body, now)
    failures: list[dict[str, Any]] = [
        {"webhook_event": {**event, "resource": {**event["resource"], "status": "COMPLETED"}}},
        {"transmission_time": "2026-01-01T00:00:00Z"},
        {"transmission_id": "69cd13f0-d67a-11e5-baa3-778b53f4ae55"},
        {"transmission_sig": "AAAA"},
        {"transmission_sig": "no base64!"},
        {"auth_algo": "SHA1withRSA"},
        {"cert_url": "https://evil.example/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"},
        {"webhook_id": subscribed(raw, "http://127.0.0.1:9/other", "*")},
        {"webhook_id": "unknown"},
    ]
    for changes in failures:
        assert judged(raw, message, webhook_id, **changes) == "FAILURE", changes
    assert judged(raw, message, webhook_id) == "SUCCESS"


def test_the_events_of_a_payment_come_in_order_and_say_what_happened(
    shop: Shop, hook: Receiver, webhook_id: str
) -> None:
    order_id = shop.approved("10.00", custom_id="order-1")
    assert shop.control.settle()
    units = shop.orders.capture_order({"id": order_id}).body.purchase_units
    capture = units[0].payments.captures[0].id
    assert shop.control.settle()
    refund = {"capture_id": capture, "body": RefundRequest(amount=Money("USD", "4.00"))}
    shop.payments.refund_captured_payment(refund)
    events = [json.loads(message.body) for message in hook.wait(4)]
    assert [event["event_type"] for event in events] == [
        "CHECKOUT.ORDER.APPROVED",
        CAPTURED,
        "CHECKOUT.ORDER.COMPLETED",
        "PAYMENT.CAPTURE.REFUNDED",
    ]
    assert [event["resource_type"] for event in events] == ["checkout-order", "capture", "checkout-order", "refund"]
    assert [event["resource"]["status"] for event in events] == ["APPROVED", "COMPLETED", "COMPLETED", "COMPLETED"]
    assert (events[1]["resource"]["id"], events[1]["resource"]["custom_id"]) == (capture, "order-1")
    assert all(event["id"].startswith("WH-") and event["event_version"] == "1.0" for event in events)


def test_authorizations_have_events_of_their_own(shop: Shop, hook: Receiver, webhook_id: str) -> None:
    held = shop.authorized()
    assert shop.control.settle()
    shop.payments.void_payment({"authorization_id": held, "prefer": WHOLE})
    names = [json.loads(message.body)["event_type"] for message in hook.wait(4)]
    assert set(names[:2]) == {"CHECKOUT.ORDER.APPROVED", "PAYMENT.AUTHORIZATION.CREATED"}
    assert names[2:] == ["PAYMENT.AUTHORIZATION.VOIDED", "CHECKOUT.ORDER.VOIDED"]


def test_a_capture_that_is_denied_says_so(shop: Shop, hook: Receiver, webhook_id: str) -> None:
    shop.control.script({"decline": "ECHECK"}, operation="captureOrder")
    capture = shop.captured()
    assert shop.control.settle()
    shop.control.action("settle_capture", capture_id=capture, status="DECLINED")
    names = [json.loads(message.body)["event_type"] for message in hook.wait(3)]
    assert set(names[:2]) == {"CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.PENDING"}
    assert names[2] == "PAYMENT.CAPTURE.DENIED"


def test_a_webhook_gets_the_events_it_has_subscribed_to(shop: Shop, raw: Raw, hook: Receiver) -> None:
    subscribed(raw, hook.url, CAPTURED)
    shop.captured()
    assert shop.control.settle()
    assert [json.loads(message.body)["event_type"] for message in hook.received] == [CAPTURED]


def test_a_replay_sends_no_second_event(shop: Shop, raw: Raw, hook: Receiver) -> None:
    subscribed(raw, hook.url, CAPTURED)
    request = {"id": shop.approved(), "paypal_request_id": "k"}
    for _ in range(3):
        shop.orders.capture_order(request)
    assert shop.control.settle() and len(hook.received) == 1


def test_an_event_can_come_before_the_answer(shop: Shop, raw: Raw, hook: Receiver) -> None:
    subscribed(raw, hook.url, CAPTURED)
    order_id = shop.approved()
    shop.control.script({"webhooks_first": True}, operation="captureOrder")
    shop.orders.capture_order({"id": order_id})
    assert len(hook.received) == 1


def test_webhooks_are_listed_shown_and_deleted(shop: Shop, raw: Raw, hook: Receiver) -> None:
    webhook_id = subscribed(raw, hook.url, CAPTURED, "CHECKOUT.ORDER.APPROVED")
    shown = raw.call("GET", f"{WEBHOOKS}/{webhook_id}").json()
    assert shown["url"] == hook.url and shown["event_types"][0]["name"] == CAPTURED
    assert raw.call("GET", WEBHOOKS).json()["webhooks"] == [shown]
    gone = raw.call("DELETE", f"{WEBHOOKS}/{webhook_id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert raw.call("GET", WEBHOOKS).json()["webhooks"] == []
    shop.captured()
    assert shop.control.settle() and hook.received == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"url": "no url", "event_types": [{"name": "*"}]}, "VALIDATION_ERROR"),
        ({"url": "ftp://127.0.0.1/", "event_types": [{"name": "*"}]}, "VALIDATION_ERROR"),
        ({"url": "http://127.0.0.1:9/", "event_types": [{"name": "NO_SUCH.EVENT"}]}, "VALIDATION_ERROR"),
        ({"url": "http://127.0.0.1:9/", "event_types": []}, "VALIDATION_ERROR"),
        ({"url": "http://127.0.0.1:9/"}, "VALIDATION_ERROR"),
        ({"url": "http://127.0.0.1:9/taken", "event_types": [{"name": "*"}]}, "WEBHOOK_URL_ALREADY_EXISTS"),
    ],
)
def test_a_subscription_that_is_wrong_is_refused(raw: Raw, body: dict[str, Any], name: str) -> None:
    subscribed(raw, "http://127.0.0.1:9/taken", "*")
    answer = raw.call("POST", WEBHOOKS, body)
    assert (answer.status_code, answer.json()["name"]) == (400, name)


def test_there_are_at_most_ten_webhooks(raw: Raw) -> None:
    for number in range(10):
        subscribed(raw, f"http://127.0.0.1:9/{number}", "*")
    answer = raw.call("POST", WEBHOOKS, {"url": "http://127.0.0.1:9/more", "event_types": [{"name": "*"}]})
    assert (answer.status_code, answer.json()["name"]) == (400, "WEBHOOK_NUMBER_LIMIT_EXCEEDED")


def test_a_sample_can_be_sent_to_a_webhook_or_a_url(
    shop: Shop, raw: Raw, hook: Receiver, webhook_id: str, validator: Validator
) -> None:
    simulate = "/v1/notifications/simulate-event"
    answer = raw.call("POST", simulate, {"event_type": CAPTURED, "webhook_id": webhook_id})
    assert (answer.status_code, answer.json()["event_type"]) == (202, CAPTURED)
    assert shop.control.settle()
    raw.call("POST", simulate, {"event_type": CAPTURED, "url": hook.url})
    to_webhook, to_url = hook.wait(2)
    validator.check(to_webhook.headers, to_webhook.body, shop.control.now())
    assert (judged(raw, to_webhook, webhook_id), judged(raw, to_url, webhook_id)) == ("SUCCESS", "FAILURE")
    for wrong in ({"event_type": CAPTURED}, {"event_type": "nonsense", "url": hook.url}, {}):
        assert raw.call("POST", simulate, wrong).status_code == 400


def test_an_event_is_shown_and_sent_again(shop: Shop, raw: Raw, hook: Receiver, webhook_id: str) -> None:
    shop.approved()
    event = json.loads(hook.wait(1)[0].body)
    links = {link["rel"]: link["href"] for link in event["links"]}
    assert raw.call("GET", links["self"]).json() == event
    assert raw.call("POST", links["resend"]).status_code == 202
    assert json.loads(hook.wait(2)[1].body) == event
    assert raw.call("POST", links["resend"], {"webhook_ids": ["unknown"]}).status_code == 404
