"""What was refused leaves no trace; what happens at once, or while the mock is reset, happens once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.stripe.test_bad_input import FORM, PAYMENT, send
from tests.harness.gateways.stripe.test_payments import pay

CONFIRMED = f"{PAYMENT}&payment_method=pm_card_visa&confirm=true"


@pytest.mark.parametrize(
    "expand", ["amount", "latest_charge.amount", "customer.invoice_settings.x", "a.b.c.d.e", "data.customer"]
)
def test_a_payment_with_a_wrong_expansion_is_refused_before_it_is_charged(mock: RunningMock, expand: str) -> None:
    answer = send(mock, "POST", "/v1/payment_intents", f"{CONFIRMED}&expand[]={expand}", idempotency_key="k1")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "expand")
    assert mock.control.ledger() == []


def test_a_property_that_a_kind_does_not_have_is_not_expanded(mock: RunningMock) -> None:
    answer = send(mock, "POST", "/v1/payment_intents", f"{PAYMENT}&expand[]=invoice_settings")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("payment_intents", f"amount=700&description=new&metadata[{'k' * 41}]=x"),
        ("payment_intents", "amount=700&payment_method=pm_nothing"),
        ("payment_intents", "currency=eur&customer=cus_nothing"),
        ("payment_intents", "metadata[a]=new&payment_method_data[type]=card&payment_method_data[card][token]=no"),
        ("customers", f"name=New&metadata[{'k' * 41}]=x"),
        ("customers", "name=New&invoice_settings[default_payment_method]=pm_nothing"),
        ("payment_methods", f"billing_details[name]=New&card[exp_month]=1&metadata[a]={'x' * 501}"),
        ("charges", f"description=new&metadata[a]={'x' * 501}"),
        ("webhook_endpoints", f"disabled=true&metadata[a]={'x' * 501}"),
        ("disputes", f"evidence[uncategorized_text]=new&metadata[a]={'x' * 501}"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    client: stripe.StripeClient, mock: RunningMock, kind: str, form: str
) -> None:
    customer = client.v1.customers.create({"name": "Old"})
    pay(client, "pm_card_createDispute", customer=customer.id)
    client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.webhook_endpoints.create({"url": "https://shop.example/hook", "enabled_events": ["*"]})
    path = f"/v1/{kind}/{send(mock, 'GET', f'/v1/{kind}').json()['data'][0]['id']}"
    before = send(mock, "GET", path).json()
    assert send(mock, "POST", path, form).status_code in (400, 402)
    assert send(mock, "GET", path).json() == before


def test_a_capture_that_is_refused_keeps_the_metadata(client: stripe.StripeClient) -> None:
    held = pay(client, capture_method="manual", metadata={"a": "old"})
    for params in ({"amount_to_capture": 9999, "metadata": {"a": "new"}}, {"metadata": {"k" * 41: "new"}}):
        asked: Any = params
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.capture(held.id, asked)
    found = client.v1.payment_intents.retrieve(held.id)
    assert (found.metadata.to_dict(), found.status) == ({"a": "old"}, "requires_capture")


def test_a_customer_that_is_refused_takes_no_payment_method(client: stripe.StripeClient, mock: RunningMock) -> None:
    card: Any = {"token": "tok_visa"}
    method = client.v1.payment_methods.create({"type": "card", "card": card})
    form = f"payment_method={method.id}&invoice_settings[default_payment_method]=pm_nothing"
    assert send(mock, "POST", "/v1/customers", form).status_code == 400
    assert client.v1.payment_methods.retrieve(method.id).customer is None
    assert client.v1.events.list({"type": "payment_method.attached"}).data == []


def test_events_say_what_was_before(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Old", "metadata": {"kept": "1", "changed": "1"}})
    client.v1.customers.update(customer.id, {"name": "New", "metadata": {"changed": "2", "added": "1"}})
    intent = pay(client)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    client.v1.refunds.update(refund.id, {"metadata": {"a": "b"}})
    client.v1.charges.update(str(intent.latest_charge), {"description": "new"})
    held = pay(client, capture_method="manual")
    client.v1.payment_intents.capture(held.id)

    def before(type: str) -> Any:
        data = client.v1.events.list({"type": type}).data[0].data.to_dict()
        return data.get("previous_attributes")

    assert before("customer.created") is None
    assert before("customer.updated") == {"name": "Old", "metadata": {"changed": "1", "added": None}}
    assert before("charge.refunded") == {"amount_refunded": 0}
    assert before("refund.updated") == {"metadata": {"a": None}}
    assert before("charge.updated") == {"description": None}
    assert before("charge.captured")["captured"] is False


def test_an_old_error_does_not_change_with_its_payment_method(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    late = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as caught:
        pay(client, late.id, customer=customer.id)
    error: Any = caught.value.error
    card: Any = {"exp_year": 2040}
    client.v1.payment_methods.update(late.id, {"card": card})
    intent: Any = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.last_payment_error.payment_method.card.exp_year == error.payment_method.card.exp_year != 2040


def test_forty_payments_at_once_with_keys_of_their_own_are_forty_charges(mock: RunningMock) -> None:
    with ThreadPoolExecutor(40) as pool:
        answers = list(
            pool.map(lambda i: send(mock, "POST", "/v1/payment_intents", CONFIRMED, idempotency_key=f"k{i}"), range(40))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["latest_charge"] for answer in answers}) == 40
    assert mock.control.totals()["charge"] == {"USD": 40 * 2000}


def post_later(mock: RunningMock, answers: list[httpx.Response]) -> threading.Thread:
    """A payment that takes the mock half a second, under way when this returns."""
    mock.control.script({"work": 0.5}, key="slow")

    def post() -> None:
        answers.append(send(mock, "POST", "/v1/payment_intents", CONFIRMED, idempotency_key="slow"))

    thread = threading.Thread(target=post)
    thread.start()
    while not mock.control.requests("createPaymentIntent"):
        thread.join(0.01)
    return thread


def test_a_snapshot_does_not_keep_a_request_that_was_under_way(mock: RunningMock) -> None:
    answers: list[httpx.Response] = []
    thread = post_later(mock, answers)
    name = mock.control.snapshot()
    thread.join(5)
    mock.control.restore(name)
    again = send(mock, "POST", "/v1/payment_intents", CONFIRMED, idempotency_key="slow")
    assert (again.status_code, "idempotent-replayed" in again.headers) == (200, False)
    assert mock.control.totals()["charge"] == {"USD": 2000}


@pytest.mark.parametrize("restored", [True, False])
def test_a_request_under_way_during_a_reset_is_still_done_once(mock: RunningMock, restored: bool) -> None:
    answers: list[httpx.Response] = []
    name = mock.control.snapshot()
    thread = post_later(mock, answers)
    if restored:
        mock.control.restore(name)
    else:
        mock.control.reset()
    early = send(mock, "POST", "/v1/payment_intents", CONFIRMED, idempotency_key="slow")
    thread.join(5)
    late = send(mock, "POST", "/v1/payment_intents", CONFIRMED, idempotency_key="slow")
    assert {early.json()["id"]} == {late.json()["id"]} == {each.json()["id"] for each in answers}
    assert mock.control.totals()["charge"] == {"USD": 2000}


def test_resets_and_snapshots_under_load_disturb_no_request(mock: RunningMock) -> None:
    statuses: list[int] = []
    stop = threading.Event()

    def work(number: int) -> None:
        sent = {"authorization": "Bearer sk_test_123", "content-type": FORM}
        with httpx.Client(base_url=mock.url, headers=sent, trust_env=False) as http:
            count = 0
            while not stop.is_set():
                count += 1
                key = {"idempotency-key": f"{number}-{count}"}
                statuses.append(http.post("/v1/payment_intents", content=CONFIRMED, headers=key).status_code)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(work, number) for number in range(4)]
        for seen in range(0, 24, 4):
            while len(statuses) < seen:
                stop.wait(0.001)
            name = mock.control.snapshot()
            mock.control.reset()
            mock.control.restore(name)
        stop.set()
        for each in done:
            each.result(10)
    assert set(statuses) == {200}
    intents = {each["data"]["payment_intent"] for each in mock.control.ledger("charge")}
    assert len(mock.control.ledger("charge")) == len(intents)


@pytest.mark.parametrize("events", [[{}], [1], "*", []])
def test_a_control_call_with_events_that_are_no_names_is_refused(mock: RunningMock, events: Any) -> None:
    url = f"{mock.url}/_control/actions/add_webhook_endpoint"
    answer = httpx.post(url, json={"url": "http://127.0.0.1:9/", "events": events}, trust_env=False)
    assert answer.status_code == 400
    assert httpx.post(url, json={"url": "http://["}, trust_env=False).status_code == 400
    assert send(mock, "POST", "/v1/payment_intents", CONFIRMED).status_code == 200


def test_a_webhook_endpoint_may_ask_for_the_version_of_its_sdk(client: stripe.StripeClient, mock: RunningMock) -> None:
    made = mock.control.action("add_webhook_endpoint", url="http://127.0.0.1:9/", api_version="2026-03-25.dahlia")
    assert client.v1.webhook_endpoints.retrieve(made["webhook_endpoint"]).api_version == "2026-03-25.dahlia"


def test_a_deleted_customer_takes_no_part_in_payments(client: stripe.StripeClient, mock: RunningMock) -> None:
    customer = client.v1.customers.create({})
    usage: Any = {"amount": 500, "currency": "usd", "customer": customer.id, "setup_future_usage": "off_session"}
    intent = client.v1.payment_intents.create(usage)
    client.v1.customers.delete(customer.id)
    refused = send(mock, "POST", "/v1/payment_intents", f"{CONFIRMED}&customer={customer.id}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "resource_missing")
    paid = send(mock, "POST", f"/v1/payment_intents/{intent.id}/confirm", "payment_method=pm_card_visa").json()
    shown = send(mock, "GET", f"/v1/payment_intents/{paid['id']}?expand[]=customer&expand[]=payment_method").json()
    assert shown["customer"] == {"id": customer.id, "object": "customer", "deleted": True}
    assert shown["payment_method"]["customer"] is None


def test_what_went_back_is_counted_while_parts_are_captured(client: stripe.StripeClient) -> None:
    held = pay(client, capture_method="manual")
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 700, "final_capture": False})
    client.v1.refunds.create({"payment_intent": held.id, "amount": 100})
    charge = client.v1.charges.retrieve(str(held.latest_charge))
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (700, 100, False)
    client.v1.payment_intents.cancel(held.id)
    charge = client.v1.charges.retrieve(str(held.latest_charge))
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (700, 1400, False)
