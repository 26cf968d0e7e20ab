from __future__ import annotations

import pytest
from paypalserversdk.models.capture_request import CaptureRequest
from paypalserversdk.models.money import Money
from paypalserversdk.models.reauthorize_request import ReauthorizeRequest
from paypalserversdk.models.refund_request import RefundRequest

from tests.harness.gateways.paypal.sdk import WHOLE, Shop

DAY = 86400


def part(value: str, currency: str = "USD", **members: object) -> CaptureRequest:
    return CaptureRequest(amount=Money(currency, value), **members)


def back(value: str, currency: str = "USD", **members: object) -> RefundRequest:
    return RefundRequest(amount=Money(currency, value), **members)


def test_an_authorization_is_captured_in_parts_until_the_final_one(shop: Shop) -> None:
    held = shop.authorized("100.00", custom_id="order-1")
    assert shop.payments.get_authorized_payment({"authorization_id": held}).body.status == "CREATED"
    first = shop.payments.capture_authorized_payment({"authorization_id": held, "body": part("30.00"), "prefer": WHOLE})
    assert (first.status_code, first.body.amount.value, first.body.final_capture) == (201, "30.00", False)
    assert shop.payments.get_authorized_payment({"authorization_id": held}).body.status == "PARTIALLY_CAPTURED"
    shop.payments.capture_authorized_payment({"authorization_id": held, "body": part("20.00", final_capture=True)})
    assert shop.payments.get_authorized_payment({"authorization_id": held}).body.status == "CAPTURED"
    again = {"authorization_id": held, "body": part("1.00")}
    expected = (422, "AUTHORIZATION_ALREADY_CAPTURED")
    assert shop.issue(lambda: shop.payments.capture_authorized_payment(again)) == expected
    assert shop.issue(lambda: shop.payments.void_payment({"authorization_id": held})) == (422, "PREVIOUSLY_CAPTURED")
    assert shop.control.totals() == {"authorization": {"USD": 10000}, "capture": {"USD": 5000}}
    assert {entry["reference"] for entry in shop.control.ledger()} == {"order-1"}


def test_a_capture_without_a_body_takes_what_is_left(shop: Shop) -> None:
    held = shop.authorized("100.00")
    shop.payments.capture_authorized_payment({"authorization_id": held, "body": part("30.00")})
    rest = shop.payments.capture_authorized_payment({"authorization_id": held, "prefer": WHOLE}).body
    assert rest.amount.value == "70.00"
    assert rest.supplementary_data.related_ids.authorization_id == held


def test_captures_may_reach_115_percent_of_the_authorization(shop: Shop) -> None:
    held = shop.authorized("100.00")
    shop.payments.capture_authorized_payment({"authorization_id": held, "body": part("90.00")})
    too_much = {"authorization_id": held, "body": part("25.01")}
    expected = (422, "MAX_CAPTURE_AMOUNT_EXCEEDED")
    assert shop.issue(lambda: shop.payments.capture_authorized_payment(too_much)) == expected
    shop.payments.capture_authorized_payment({"authorization_id": held, "body": part("25.00")})
    assert shop.control.totals()["capture"] == {"USD": 11500}


def test_a_capture_has_the_currency_of_its_authorization(shop: Shop) -> None:
    asked = {"authorization_id": shop.authorized(), "body": part("1.00", "EUR")}
    expected = (422, "AUTH_CAPTURE_CURRENCY_MISMATCH")
    assert shop.issue(lambda: shop.payments.capture_authorized_payment(asked)) == expected


def test_a_voided_authorization_is_over_and_its_order_with_it(shop: Shop) -> None:
    held = shop.authorized("100.00")
    related = shop.payments.get_authorized_payment({"authorization_id": held}).body.supplementary_data.related_ids
    quiet = shop.payments.void_payment({"authorization_id": held})
    assert (quiet.status_code, quiet.body) == (204, None)
    assert shop.orders.get_order({"id": related.order_id}).body.status == "VOIDED"
    capture = {"authorization_id": held}
    assert shop.issue(lambda: shop.payments.capture_authorized_payment(capture)) == (422, "AUTHORIZATION_VOIDED")
    assert shop.issue(lambda: shop.payments.void_payment({"authorization_id": held})) == (422, "PREVIOUSLY_VOIDED")
    [voided] = shop.control.ledger("void")
    assert (voided["amount"], voided["data"]) == (10000, {"authorization": held})
    [authorized] = shop.control.ledger("authorization")
    assert authorized["status"] == "voided"
    other = shop.payments.void_payment({"authorization_id": shop.authorized(), "prefer": WHOLE})
    assert (other.status_code, other.body.status) == (200, "VOIDED")


def test_what_was_not_captured_can_be_voided(shop: Shop) -> None:
    held = shop.authorized("100.00")
    shop.payments.capture_authorized_payment({"authorization_id": held, "body": part("30.00")})
    shop.payments.void_payment({"authorization_id": held})
    assert [entry["amount"] for entry in shop.control.ledger("void")] == [7000]


def test_an_authorization_expires_after_29_days(shop: Shop) -> None:
    held = shop.authorized()
    shop.control.advance(28 * DAY)
    fresh = Shop(shop.url, shop.control)
    fresh.payments.capture_authorized_payment({"authorization_id": held, "body": part("1.00")})
    shop.control.advance(DAY)
    late = {"authorization_id": held}
    again = Shop(shop.url, shop.control)
    assert shop.issue(lambda: again.payments.capture_authorized_payment(late)) == (422, "AUTHORIZATION_EXPIRED")


def test_an_authorization_is_renewed_once_after_three_days(shop: Shop) -> None:
    held = shop.authorized("100.00")
    renew = {"authorization_id": held, "body": ReauthorizeRequest(amount=Money("USD", "110.00")), "prefer": WHOLE}
    assert shop.issue(lambda: shop.payments.reauthorize_payment(renew)) == (422, "REAUTHORIZATION_TOO_SOON")
    shop.control.advance(3 * DAY)
    late = Shop(shop.url, shop.control)
    renewed = late.payments.reauthorize_payment(renew)
    assert (renewed.status_code, renewed.body.status, renewed.body.amount.value) == (201, "CREATED", "110.00")
    expected = (422, "REAUTHORIZATION_NOT_SUPPORTED")
    assert late.issue(lambda: late.payments.reauthorize_payment(renew)) == expected
    assert late.issue(lambda: late.payments.void_payment({"authorization_id": renewed.body.id})) == (
        422,
        "CANNOT_BE_VOIDED",
    )
    late.payments.capture_authorized_payment({"authorization_id": renewed.body.id})
    original = {"authorization_id": held}
    assert late.issue(lambda: late.payments.capture_authorized_payment(original)) == (
        422,
        "AUTHORIZATION_ALREADY_CAPTURED",
    )
    assert shop.control.totals() == {"authorization": {"USD": 11000}, "capture": {"USD": 11000}}


@pytest.mark.parametrize(
    ("value", "currency", "issue"),
    [("115.01", "USD", "AUTHORIZATION_AMOUNT_EXCEEDED"), ("100.00", "EUR", "AUTH_CURRENCY_MISMATCH")],
)
def test_a_renewed_authorization_is_of_the_same_size(shop: Shop, value: str, currency: str, issue: str) -> None:
    held = shop.authorized("100.00")
    shop.control.advance(3 * DAY)
    late = Shop(shop.url, shop.control)
    renew = {"authorization_id": held, "body": ReauthorizeRequest(amount=Money(currency, value))}
    assert late.issue(lambda: late.payments.reauthorize_payment(renew)) == (422, issue)


def test_a_capture_is_refunded_in_parts_until_nothing_is_left(shop: Shop) -> None:
    capture = shop.captured("100.00", custom_id="order-1")
    first = shop.payments.refund_captured_payment({"capture_id": capture, "body": back("30.00"), "prefer": WHOLE})
    assert (first.status_code, first.body.status, first.body.amount.value) == (201, "COMPLETED", "30.00")
    assert shop.payments.get_captured_payment({"capture_id": capture}).body.status == "PARTIALLY_REFUNDED"
    too_much = {"capture_id": capture, "body": back("70.01")}
    assert shop.issue(lambda: shop.payments.refund_captured_payment(too_much)) == (422, "REFUND_AMOUNT_EXCEEDED")
    rest = shop.payments.refund_captured_payment({"capture_id": capture, "prefer": WHOLE}).body
    assert (rest.amount.value, rest.seller_payable_breakdown.total_refunded_amount.value) == ("70.00", "100.00")
    assert shop.payments.get_captured_payment({"capture_id": capture}).body.status == "REFUNDED"
    more = {"capture_id": capture, "body": back("0.01")}
    assert shop.issue(lambda: shop.payments.refund_captured_payment(more)) == (422, "CAPTURE_FULLY_REFUNDED")
    assert shop.payments.get_refund({"refund_id": rest.id}).body.amount.value == "70.00"
    assert shop.control.totals() == {"capture": {"USD": 10000}, "refund": {"USD": 10000}}
    assert [entry["reference"] for entry in shop.control.ledger("refund")] == ["order-1", "order-1"]


def test_a_refund_has_the_currency_of_its_capture_and_an_invoice_of_its_own(shop: Shop) -> None:
    capture = shop.captured("100.00")
    wrong = {"capture_id": capture, "body": back("1.00", "EUR")}
    assert shop.issue(lambda: shop.payments.refund_captured_payment(wrong)) == (
        422,
        "REFUND_CAPTURE_CURRENCY_MISMATCH",
    )
    good = {"capture_id": capture, "body": back("1.00", invoice_id="R-1")}
    shop.payments.refund_captured_payment(good)
    assert shop.issue(lambda: shop.payments.refund_captured_payment(good)) == (422, "DUPLICATE_INVOICE_ID")


def test_a_capture_can_be_refunded_for_180_days(shop: Shop) -> None:
    capture = shop.captured()
    shop.control.advance(181 * DAY)
    late = Shop(shop.url, shop.control)
    assert late.issue(lambda: late.payments.refund_captured_payment({"capture_id": capture})) == (
        422,
        "REFUND_TIME_LIMIT_EXCEEDED",
    )


@pytest.mark.parametrize(
    ("value", "currency", "minor", "fee"),
    [("1000", "JPY", 1000, "35"), ("1000", "HUF", 1000, "35"), ("0.50", "EUR", 50, "0.50"), (".5", "USD", 50, "0.50")],
)
def test_amounts_are_exact_in_the_units_of_their_currency(
    shop: Shop, value: str, currency: str, minor: int, fee: str
) -> None:
    capture = shop.payments.get_captured_payment({"capture_id": shop.captured(value, currency)}).body
    assert capture.seller_receivable_breakdown.paypal_fee.value == fee
    assert shop.control.totals() == {"capture": {currency: minor}}


@pytest.mark.parametrize(
    ("value", "currency", "issue"),
    [
        ("10.50", "JPY", "DECIMALS_NOT_SUPPORTED"),
        ("10.00", "TWD", "DECIMALS_NOT_SUPPORTED"),
        ("10.005", "USD", "DECIMAL_PRECISION"),
        ("0.00", "USD", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("-1.00", "USD", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("1000000000000000.00", "USD", "MAX_VALUE_EXCEEDED"),
        ("1.00", "XXQ", "INVALID_CURRENCY_CODE"),
    ],
)
def test_amounts_that_cannot_be_paid_are_refused(shop: Shop, value: str, currency: str, issue: str) -> None:
    problem = shop.refused(lambda: shop.created(value, currency))
    assert (problem.response_code, problem.name, problem.details[0].issue) == (422, "UNPROCESSABLE_ENTITY", issue)
    assert problem.details[0].field.startswith("/purchase_units/@reference_id=='default'/amount/")
    capture = {"authorization_id": shop.authorized("100.00"), "body": part(value, currency)}
    assert shop.issue(lambda: shop.payments.capture_authorized_payment(capture)) == (422, issue)
    refund = {"capture_id": shop.captured("100.00"), "body": back(value, currency)}
    assert shop.issue(lambda: shop.payments.refund_captured_payment(refund)) == (422, issue)


def test_a_pending_capture_settles_and_cannot_be_refunded_before(shop: Shop) -> None:
    shop.control.script({"decline": "ECHECK"}, operation="captureOrder")
    capture = shop.captured()
    found = shop.payments.get_captured_payment({"capture_id": capture}).body
    assert (found.status, found.status_details.reason) == ("PENDING", "ECHECK")
    refund = {"capture_id": capture}
    assert shop.issue(lambda: shop.payments.refund_captured_payment(refund)) == (422, "PENDING_CAPTURE")
    assert shop.control.totals() == {}
    shop.control.action("settle_capture", capture_id=capture)
    shop.payments.refund_captured_payment(refund)
    assert shop.control.totals() == {"capture": {"USD": 1000}, "refund": {"USD": 1000}}


def test_a_capture_that_the_processor_declines_takes_no_money(shop: Shop) -> None:
    shop.control.script({"decline": "5120"}, operation="captureOrder")
    capture = shop.captured()
    found = shop.payments.get_captured_payment({"capture_id": capture}).body
    assert (found.status, found.processor_response.response_code) == ("DECLINED", "5120")
    assert shop.control.totals() == {}
    assert shop.issue(lambda: shop.payments.refund_captured_payment({"capture_id": capture})) == (
        422,
        "REFUND_NOT_ALLOWED",
    )
