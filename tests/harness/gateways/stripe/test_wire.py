"""Requests as other SDKs and curl write them, and what else is on the wire: headers, links to logs, parameters."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.stripe.test_bad_input import PAYMENT, send
from tests.harness.gateways.stripe.test_payments import pay

CARD = "payment_method=pm_card_visa"


@pytest.mark.parametrize(("word", "status"), [("true", "succeeded"), ("True", "succeeded"), ("False", None)])
def test_booleans_may_be_capitalised_as_sdks_for_python_before_11_do(
    mock: RunningMock, word: str, status: str | None
) -> None:
    form = f"{PAYMENT}&{CARD}&confirm={word}&automatic_payment_methods[enabled]={word}"
    intent = send(mock, "POST", "/v1/payment_intents", form).json()
    assert intent["status"] == (status or "requires_confirmation")
    assert intent["automatic_payment_methods"]["enabled"] is (word != "False")
    assert send(mock, "GET", f"/v1/events?delivery_success={word}").status_code == 200


def test_every_error_of_a_known_key_links_to_the_log_of_its_request(mock: RunningMock) -> None:
    asked = [
        ("GET", "/v1/payment_intents/pi_nothing", ""),
        ("POST", "/v1/payment_intents", "amount=ten"),
        ("POST", "/v1/payment_intents", f"{PAYMENT}&payment_method=pm_nothing"),
        ("POST", "/v1/payment_intents", f"{PAYMENT}&payment_method=pm_card_visa_chargeDeclined&confirm=true"),
    ]
    for method, path, form in asked:
        answer = send(mock, method, path, form)
        start = f"https://dashboard.stripe.com/test/logs/{answer.headers['request-id']}?t="
        assert answer.json()["error"]["request_log_url"].startswith(start)


def test_a_replayed_error_links_to_the_log_of_the_first_request(mock: RunningMock) -> None:
    form = f"{PAYMENT}&payment_method=pm_card_visa_chargeDeclined&confirm=true"
    first, second = (send(mock, "POST", "/v1/payment_intents", form, idempotency_key="k1") for _ in range(2))
    assert first.json() == second.json()
    assert first.headers["original-request"] == first.headers["request-id"]
    assert second.headers["original-request"] == first.headers["request-id"] != second.headers["request-id"]
    assert ("idempotent-replayed" in first.headers, second.headers["idempotent-replayed"]) == (False, "true")


def test_the_first_request_of_a_key_is_its_own_original(mock: RunningMock) -> None:
    answer = send(mock, "POST", "/v1/customers", "name=Ada", idempotency_key="k1")
    assert answer.headers["original-request"] == answer.headers["request-id"]
    assert "original-request" not in send(mock, "POST", "/v1/customers", "name=Ada").headers


@pytest.mark.parametrize("resource", ["payment_intents", "charges", "customers"])
def test_search_is_refused_in_so_many_words(mock: RunningMock, resource: str) -> None:
    answer = send(mock, "GET", f"/v1/{resource}/search?query=status:'succeeded'")
    assert answer.status_code == 400
    assert "Search is not offered" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("customers?foo=1", "foo"),
        ("payment_intents?expand[]=data.customer&nope[a]=1", "nope"),
        ("charges?types[]=x", "types"),
    ],
)
def test_unknown_parameters_of_a_list_are_named(mock: RunningMock, path: str, param: str) -> None:
    answer = send(mock, "GET", f"/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "parameter_unknown")
    assert answer.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("card", "code", "param"),
    [
        ("[number]=4242424242424241&card[exp_month]=12&card[exp_year]=2034", "incorrect_number", "number"),
        ("[number]=4242424242424242&card[exp_month]=13&card[exp_year]=2034", "invalid_expiry_month", "exp_month"),
        ("[number]=4242424242424242&card[exp_month]=12&card[exp_year]=1999", "invalid_expiry_year", "exp_year"),
        ("[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=1", "invalid_cvc", "cvc"),
        ("[number]=4242424242424242&card[exp_year]=2034", "parameter_missing", "card[exp_month]"),
        ("[number][x]=1", "", "card[number]"),
        ("[token]=tok_nothing", "resource_missing", "card[token]"),
    ],
)
def test_what_is_wrong_with_a_card_is_named_as_stripe_names_it(
    mock: RunningMock, card: str, code: str, param: str
) -> None:
    error = send(mock, "POST", "/v1/payment_methods", f"type=card&card{card}").json()["error"]
    assert (error.get("code", ""), error["param"]) == (code, param)


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("customers", "invoice_settings[default_payment_method][x]=1", "invoice_settings[default_payment_method]"),
        ("customers", "invoice_settings=pm_1", "invoice_settings"),
        ("customers", "tax_exempt=perhaps", "tax_exempt"),
        ("charges/{charge}", "fraud_details=1", "fraud_details"),
        ("charges/{charge}", "fraud_details[user_report][a]=1", "fraud_details[user_report]"),
        ("charges/{charge}", "fraud_details[user_report]=perhaps", "fraud_details[user_report]"),
        ("disputes/{dispute}", "evidence=text", "evidence"),
        ("disputes/{dispute}", "evidence[uncategorized_text][a]=1", "evidence[uncategorized_text]"),
        ("payment_intents", f"{PAYMENT}&transfer_data=acct_1", "transfer_data"),
        ("payment_intents", f"{PAYMENT}&payment_method_options[card]=1", "payment_method_options[card]"),
        ("payment_methods", "type=card&card[token]=tok_visa&allow_redisplay=perhaps", "allow_redisplay"),
        ("webhook_endpoints", "url=http://[&enabled_events[]=*", "url"),
        ("webhook_endpoints", "url=http://127.0.0.1:99999999/&enabled_events[]=*", "url"),
        ("webhook_endpoints", "url=http://a%20b/&enabled_events[]=*", "url"),
        ("webhook_endpoints", "url=ftp://example.com/&enabled_events[]=*", "url"),
    ],
)
def test_nested_parameters_of_a_wrong_kind_are_named(
    client: stripe.StripeClient, mock: RunningMock, path: str, form: str, param: str
) -> None:
    if "{" in path:
        charge = pay(client, "pm_card_createDispute").latest_charge
        path = path.format(charge=charge, dispute=client.v1.disputes.list().data[0].id)
    answer = send(mock, "POST", f"/v1/{path}", form)
    assert (answer.status_code, answer.json()["error"].get("param")) == (400, param)


def test_evidence_that_looks_like_a_number_is_a_text(client: stripe.StripeClient) -> None:
    pay(client, "pm_card_createDispute")
    evidence: Any = {"uncategorized_text": "123", "service_date": "NaN"}
    found = client.v1.disputes.update(client.v1.disputes.list().data[0].id, {"evidence": evidence, "submit": False})
    assert (found.evidence.uncategorized_text, found.evidence.service_date) == ("123", "NaN")


def test_both_ways_to_choose_payment_methods_may_be_given_at_once(mock: RunningMock) -> None:
    form = f"{PAYMENT}&payment_method_types[]=card&automatic_payment_methods[enabled]=true"
    assert send(mock, "POST", "/v1/payment_intents", form).json()["payment_method_types"] == ["card"]


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [("jpy", 50, None), ("jpy", 49, "amount_too_small"), ("kwd", 1000, None), ("krw", 99_999_999, None)],
)
def test_amounts_are_counted_in_the_smallest_unit_of_their_currency(
    mock: RunningMock, currency: str, amount: int, code: str | None
) -> None:
    answer = send(mock, "POST", "/v1/payment_intents", f"amount={amount}&currency={currency}").json()
    assert answer.get("error", {}).get("code") == code
    if code:
        assert answer["error"]["message"] == "Amount must be at least ¥50 jpy"


def test_options_of_a_payment_are_shown(client: stripe.StripeClient) -> None:
    options: Any = {"card": {"request_three_d_secure": "challenge"}}
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd", "payment_method_options": options})
    assert intent.payment_method_options is not None
    assert intent.payment_method_options.card is not None
    assert intent.payment_method_options.card.request_three_d_secure == "challenge"
    changes: Any = {"payment_method_types": ["card", "link"], "application_fee_amount": 12}
    intent = client.v1.payment_intents.update(intent.id, changes)
    assert (intent.payment_method_types, intent.application_fee_amount) == (["card", "link"], 12)
