from __future__ import annotations

from typing import Any

import httpx
import pytest
from paypalserversdk.models.amount_breakdown import AmountBreakdown
from paypalserversdk.models.amount_with_breakdown import AmountWithBreakdown
from paypalserversdk.models.card_request import CardRequest
from paypalserversdk.models.item_request import ItemRequest
from paypalserversdk.models.money import Money
from paypalserversdk.models.order_capture_request import OrderCaptureRequest
from paypalserversdk.models.order_capture_request_payment_source import OrderCaptureRequestPaymentSource
from paypalserversdk.models.order_request import OrderRequest
from paypalserversdk.models.patch import Patch
from paypalserversdk.models.payment_source import PaymentSource
from paypalserversdk.models.paypal_wallet import PaypalWallet
from paypalserversdk.models.paypal_wallet_experience_context import PaypalWalletExperienceContext

from tests.harness.gateways.paypal.raw import Raw
from tests.harness.gateways.paypal.sdk import WHOLE, Shop, card_source, order_body, unit


def test_an_order_goes_from_created_over_approved_to_completed(shop: Shop) -> None:
    created = shop.orders.create_order({"body": order_body(custom_id="order-1"), "prefer": WHOLE})
    order = created.body
    assert (created.status_code, order.status, order.intent) == (201, "CREATED", "CAPTURE")
    assert {link.rel for link in order.links} == {"self", "approve", "update", "capture"}
    assert all(link.href.startswith(shop.url) for link in order.links)
    assert shop.issue(lambda: shop.orders.capture_order({"id": order.id})) == (422, "ORDER_NOT_APPROVED")
    assert shop.control.action("approve_order", order_id=order.id) == {"id": order.id, "status": "APPROVED"}
    assert shop.orders.get_order({"id": order.id}).body.payer.payer_id
    captured = shop.orders.capture_order({"id": order.id, "prefer": WHOLE})
    assert (captured.status_code, captured.body.status) == (201, "COMPLETED")
    capture = captured.body.purchase_units[0].payments.captures[0]
    assert (capture.status, capture.amount.value, capture.custom_id) == ("COMPLETED", "10.00", "order-1")
    assert capture.seller_receivable_breakdown.paypal_fee.value == "0.84"
    assert capture.seller_receivable_breakdown.net_amount.value == "9.16"
    [entry] = shop.control.ledger("capture")
    assert (entry["id"], entry["amount"], entry["currency"], entry["reference"], entry["status"]) == (
        capture.id,
        1000,
        "USD",
        "order-1",
        "succeeded",
    )


def test_a_second_capture_of_an_order_is_refused(shop: Shop) -> None:
    order_id = shop.approved()
    shop.orders.capture_order({"id": order_id})
    assert shop.issue(lambda: shop.orders.capture_order({"id": order_id})) == (422, "ORDER_ALREADY_CAPTURED")
    assert shop.control.totals() == {"capture": {"USD": 1000}}


def test_a_new_order_is_shown_minimally_unless_the_caller_prefers_all_of_it(shop: Shop, raw: Raw) -> None:
    body = {"intent": "CAPTURE", "purchase_units": [{"amount": {"currency_code": "USD", "value": "1.00"}}]}
    assert raw.call("POST", "/v2/checkout/orders", body).json().keys() == {"id", "status", "links"}
    minimal = raw.call("POST", "/v2/checkout/orders", body, prefer="return=minimal")
    assert minimal.json().keys() == {"id", "status", "links"}
    whole = raw.call("POST", "/v2/checkout/orders", body, prefer="return=representation").json()
    assert whole["purchase_units"][0]["reference_id"] == "default"
    assert whole.keys() == {"id", "status", "links", "intent", "purchase_units", "create_time", "update_time"}


def test_the_capture_of_an_order_names_its_captures_even_minimally(shop: Shop) -> None:
    order = shop.orders.capture_order({"id": shop.approved(), "prefer": "return=minimal"}).body
    assert order.purchase_units[0].payments.captures[0].status == "COMPLETED"
    assert not hasattr(order.purchase_units[0], "amount") and not hasattr(order, "intent")


def test_a_payer_who_follows_the_approve_link_comes_back_to_the_shop(shop: Shop) -> None:
    context = PaypalWalletExperienceContext(
        return_url="https://shop.example/back?cart=7", cancel_url="https://shop.example/cart"
    )
    body = order_body()
    body.payment_source = PaymentSource(paypal=PaypalWallet(experience_context=context))
    order = shop.orders.create_order({"body": body, "paypal_request_id": "k"}).body
    assert order.status == "PAYER_ACTION_REQUIRED"
    page = next(link.href for link in order.links if link.rel == "payer-action")
    away = httpx.get(f"{page}&cancel=true", trust_env=False)
    assert away.headers["location"] == f"https://shop.example/cart?token={order.id}"
    assert shop.orders.get_order({"id": order.id}).body.status == "PAYER_ACTION_REQUIRED"
    back = httpx.get(page, trust_env=False)
    assert back.status_code == 302
    assert back.headers["location"].startswith(f"https://shop.example/back?cart=7&token={order.id}&PayerID=")
    assert shop.orders.capture_order({"id": order.id}).body.status == "COMPLETED"


def test_a_vaulted_card_pays_at_once_and_leaves_no_card_data(shop: Shop) -> None:
    number = "4111111111111111"
    card = CardRequest(number=number, expiry="2032-08", security_code="737", name="Ada Lovelace")
    body = order_body(custom_id="order-2")
    body.payment_source = PaymentSource(card=card)
    made = shop.orders.create_order({"body": body, "paypal_request_id": "k-1", "prefer": WHOLE})
    assert made.body.status == "COMPLETED"
    assert made.body.payment_source.card.last_digits == "1111"
    kept = shop.orders.get_order({"id": made.body.id}).text + str(shop.control.ledger()) + str(shop.control.requests())
    assert number not in kept and "737" not in made.text and "Lovelace" not in made.text
    body.payment_source = card_source()
    vaulted = shop.orders.create_order({"body": body, "paypal_request_id": "k-2"}).body
    assert vaulted.purchase_units[0].payments.captures[0].amount.value == "10.00"
    assert shop.control.totals() == {"capture": {"USD": 2000}}


def test_a_card_with_the_intent_to_authorize_is_authorized_at_once(shop: Shop) -> None:
    body = order_body(intent="AUTHORIZE")
    body.payment_source = card_source()
    order = shop.orders.create_order({"body": body, "paypal_request_id": "k"}).body
    assert order.purchase_units[0].payments.authorizations[0].status == "CREATED"
    assert shop.issue(lambda: shop.orders.authorize_order({"id": order.id})) == (422, "ORDER_ALREADY_AUTHORIZED")


def test_a_payment_source_needs_a_request_id(shop: Shop) -> None:
    body = order_body()
    body.payment_source = card_source()
    assert shop.issue(lambda: shop.orders.create_order({"body": body})) == (400, "PAYPAL_REQUEST_ID_REQUIRED")


def test_a_card_in_the_capture_needs_no_approval(shop: Shop) -> None:
    source = OrderCaptureRequestPaymentSource(card=CardRequest(vault_id="8kk845"))
    answer = shop.orders.capture_order({"id": shop.created(), "body": OrderCaptureRequest(payment_source=source)})
    assert answer.body.status == "COMPLETED"


def test_an_order_that_completes_on_approval_is_captured_by_the_payer(shop: Shop) -> None:
    body = order_body()
    body.processing_instruction = "ORDER_COMPLETE_ON_PAYMENT_APPROVAL"
    order_id = shop.orders.create_order({"body": body}).body.id
    assert shop.control.action("approve_order", order_id=order_id)["status"] == "COMPLETED"
    assert shop.control.totals() == {"capture": {"USD": 1000}}


def test_the_call_must_fit_the_intent_of_the_order(shop: Shop) -> None:
    to_capture, to_authorize = shop.approved(), shop.approved(intent="AUTHORIZE")
    expected = (422, "ACTION_DOES_NOT_MATCH_INTENT")
    assert shop.issue(lambda: shop.orders.authorize_order({"id": to_capture})) == expected
    assert shop.issue(lambda: shop.orders.capture_order({"id": to_authorize})) == expected


def usd(value: str) -> Money:
    return Money("USD", value)


def an_item(**members: Any) -> ItemRequest:
    return ItemRequest(**{"name": "Tea", "unit_amount": usd("4.50"), "quantity": "2", **members})


@pytest.mark.parametrize(
    ("value", "breakdown", "items", "issue"),
    [
        ("12.00", AmountBreakdown(item_total=usd("9.00"), shipping=usd("3.00")), [an_item()], None),
        ("11.00", AmountBreakdown(item_total=usd("12.00"), discount=usd("1.00")), [], None),
        ("12.01", AmountBreakdown(item_total=usd("9.00"), shipping=usd("3.00")), [an_item()], "AMOUNT_MISMATCH"),
        ("10.00", AmountBreakdown(item_total=usd("10.00")), [an_item()], "ITEM_TOTAL_MISMATCH"),
        ("9.00", AmountBreakdown(shipping=usd("9.00")), [an_item()], "ITEM_TOTAL_REQUIRED"),
        ("9.00", AmountBreakdown(item_total=usd("9.00")), [an_item(tax=usd("0.10"))], "TAX_TOTAL_REQUIRED"),
        (
            "9.50",
            AmountBreakdown(item_total=usd("9.00"), tax_total=usd("0.50")),
            [an_item(tax=usd("0.10"))],
            "TAX_TOTAL_MISMATCH",
        ),
        ("9.00", AmountBreakdown(item_total=Money("EUR", "9.00")), [], "MULTI_CURRENCY_ORDER"),
    ],
)  # fmt: skip
def test_the_sums_of_an_order_are_checked(
    shop: Shop, value: str, breakdown: AmountBreakdown, items: list[ItemRequest], issue: str | None
) -> None:
    one = unit()
    one.amount = AmountWithBreakdown("USD", value, breakdown)
    if items:
        one.items = items
    body = {"body": OrderRequest(intent="CAPTURE", purchase_units=[one])}
    if issue is None:
        assert shop.orders.create_order(body).status_code == 201
    else:
        assert shop.issue(lambda: shop.orders.create_order(body)) == (422, issue)


def test_several_purchase_units_are_captured_together(shop: Shop) -> None:
    units = [unit("10.00", reference_id="a", custom_id="o-a"), unit("5.50", reference_id="b", custom_id="o-b")]
    order_id = shop.orders.create_order({"body": OrderRequest(intent="CAPTURE", purchase_units=units)}).body.id
    shop.control.action("approve_order", order_id=order_id)
    order = shop.orders.capture_order({"id": order_id}).body
    assert [one.payments.captures[0].amount.value for one in order.purchase_units] == ["10.00", "5.50"]
    assert {entry["reference"]: entry["amount"] for entry in shop.control.ledger()} == {"o-a": 1000, "o-b": 550}


@pytest.mark.parametrize(
    ("intent", "references", "issue"),
    [
        ("CAPTURE", ["a", "a"], "DUPLICATE_REFERENCE_ID"),
        ("CAPTURE", ["a", None], "REFERENCE_ID_REQUIRED"),
        ("AUTHORIZE", ["a", "b"], "UNSUPPORTED_INTENT"),
    ],
)
def test_several_purchase_units_must_be_told_apart(
    shop: Shop, intent: str, references: list[str | None], issue: str
) -> None:
    units = [unit(**({"reference_id": each} if each else {})) for each in references]
    body = OrderRequest(intent=intent, purchase_units=units)
    assert shop.issue(lambda: shop.orders.create_order({"body": body})) == (422, issue)


UNIT = "/purchase_units/@reference_id=='default'"


def test_an_order_is_patched_until_it_is_completed(shop: Shop) -> None:
    order_id = shop.created(custom_id="before")
    changes = [
        Patch(op="replace", path=f"{UNIT}/amount", value={"currency_code": "USD", "value": "12.50"}),
        Patch(op="replace", path=f"{UNIT}/custom_id", value="after"),
        Patch(op="add", path=f"{UNIT}/description", value="Tea"),
        Patch(op="add", path=f"{UNIT}/shipping/name", value={"full_name": "Ada"}),
    ]
    assert shop.orders.patch_order({"id": order_id, "body": changes}).status_code == 204
    one = shop.orders.get_order({"id": order_id}).body.purchase_units[0]
    assert (one.amount.value, one.custom_id, one.description, one.shipping.name.full_name) == (
        "12.50",
        "after",
        "Tea",
        "Ada",
    )
    shop.control.action("approve_order", order_id=order_id)
    shop.orders.capture_order({"id": order_id})
    assert shop.control.totals() == {"capture": {"USD": 1250}}
    late = {"id": order_id, "body": [Patch(op="replace", path=f"{UNIT}/custom_id", value="late")]}
    assert shop.issue(lambda: shop.orders.patch_order(late)) == (422, "ORDER_ALREADY_COMPLETED")


@pytest.mark.parametrize(
    ("patch", "status", "issue"),
    [
        ({"op": "replace", "path": "/status", "value": "APPROVED"}, 422, "NOT_PATCHABLE"),
        ({"op": "replace", "path": f"{UNIT}/invoice_id", "value": "7"}, 422, "INVALID_PATCH_OPERATION"),
        ({"op": "add", "path": f"{UNIT}/custom_id", "value": "again"}, 422, "INVALID_PATCH_OPERATION"),
        ({"op": "remove", "path": f"{UNIT}/amount"}, 422, "INVALID_PATCH_OPERATION"),
        ({"op": "replace", "path": f"{UNIT}/amount", "value": {"value": "1"}}, 400, "MISSING_REQUIRED_PARAMETER"),
        (
            {"op": "replace", "path": f"{UNIT}/amount", "value": {"currency_code": "JPY", "value": "1.5"}},
            422,
            "DECIMALS_NOT_SUPPORTED",
        ),
        ({"op": "replace", "path": "/purchase_units/@reference_id=='x'/amount", "value": {}}, 422,
         "REFERENCE_ID_NOT_FOUND"),
        ({"op": "replace", "path": f"{UNIT}/custom_id"}, 400, "PATCH_VALUE_REQUIRED"),
        ({"op": "replace", "value": "x"}, 400, "PATCH_PATH_REQUIRED"),
        ({"op": "replace", "path": "intent", "value": "CAPTURE"}, 400, "INVALID_JSON_POINTER_FORMAT"),
        ({"op": "replace", "path": "/intent", "value": "SALE"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"op": "explode", "path": "/intent", "value": "CAPTURE"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"op": "replace", "path": UNIT, "value": "text"}, 422, "INVALID_PATCH_OPERATION"),
        ({"op": "add", "path": f"{UNIT}/items", "value": "text"}, 400, "INVALID_PARAMETER_VALUE"),
    ],
)  # fmt: skip
def test_a_bad_patch_changes_nothing(shop: Shop, raw: Raw, patch: dict[str, Any], status: int, issue: str) -> None:
    order_id = shop.created(custom_id="before")
    answer = raw.call("PATCH", f"/v2/checkout/orders/{order_id}", [patch])
    assert (answer.status_code, answer.json()["details"][0]["issue"]) == (status, issue)
    assert shop.orders.get_order({"id": order_id}).body.purchase_units[0].custom_id == "before"


def test_an_invoice_is_paid_once(shop: Shop) -> None:
    shop.captured(invoice_id="INV-1")
    again = shop.approved(invoice_id="INV-1")
    assert shop.issue(lambda: shop.orders.capture_order({"id": again})) == (422, "DUPLICATE_INVOICE_ID")
    assert shop.orders.get_order({"id": again}).body.status == "APPROVED"
