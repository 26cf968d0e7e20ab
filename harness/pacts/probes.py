"""Refusals that the RPCs' comments promise, each provoked on raw bytes: (RPC, request, status).

`${name}` in a request is a value of a provider state, as in pacts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.pacts.expectations.shapes import ADDRESS, PRODUCT
from harness.pacts.shop import RARE, REPRICED, WAREHOUSE, Shop
from harness.pacts.side import evaluated
from harness.pacts.states import provide

CATALOG, CARTS, CHECKOUTS = "catalog.v1.CatalogService", "checkout.v1.CartService", "checkout.v1.CheckoutService"
CUSTOMERS, ORDERS = "customer.v1.CustomerService", "order.v1.OrderService"
PAYMENTS, STOCK = "payment.v1.PaymentService", "warehouse.v1.WarehouseService"
MAILS = "notification.v1.NotificationService"
EUROS = {"minor_units": "3569", "currency_code": "EUR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A request that must be answered with this status; with this code in its detail, where one is promised."""

    rpc: str
    request: Mapping[str, Any]
    status: str
    code: str = ""
    states: tuple[str, ...] = field(default=())


def _probe(rpc: str, request: Mapping[str, Any], status: str, *states: str, code: str = "") -> Probe:
    return Probe(rpc=rpc, request=request, status=status, states=states, code=code)


NOBODY = {"customer_id": "cus_of_nobody"}
MINE = {"customer_id": "${customer_id}"}
KEY = {"idempotency_key": "${key}"}
ASKED = {"reason": "REFUND_REASON_REQUESTED_BY_CUSTOMER"}
CANCELLED = {"reason": "RELEASE_REASON_ORDER_CANCELLED"}
RESERVED = {"reservation_id": "${reservation_id}"}
NEW_ORDER = {"order_id": "${new_order_id}"}


def _line(product_id: str, quantity: int = 1) -> list[dict[str, Any]]:
    return [{"product_id": product_id, "quantity": quantity}]


def _card(token: str) -> dict[str, Any]:
    return {"type": "PAYMENT_METHOD_TYPE_CARD", "card": {"provider_token": token}}


PROBES = (
    _probe(f"{CATALOG}/SearchProducts", {"query": "tea", "page_token": "of-nobody"}, "INVALID_ARGUMENT"),
    _probe(f"{CATALOG}/UpsertProduct", {"product": {"product_id": "prd_x"}, **KEY}, "INVALID_ARGUMENT"),
    _probe(
        f"{CATALOG}/UpsertProduct",
        {
            "product": {
                "product_id": "prd_pact_second",
                "sku": "PACT-REPRICED",
                "name": "Taken",
                "price": EUROS,
                "status": "PRODUCT_STATUS_ACTIVE",
            },
            **KEY,
        },
        "ALREADY_EXISTS",
        "a price has changed",
        code="SKU_TAKEN",
    ),
    _probe(f"{CATALOG}/UpdatePrice", {"product_id": "prd_of_nobody", "amount": EUROS, **KEY}, "NOT_FOUND"),
    _probe(
        f"{CATALOG}/UpdatePrice",
        {"product_id": REPRICED, "amount": {"minor_units": "-1", "currency_code": "EUR"}, **KEY},
        "INVALID_ARGUMENT",
        "a price has changed",
    ),
    _probe(
        f"{CATALOG}/UpdatePrice",
        {"product_id": REPRICED, "amount": EUROS, "expected_version": "1000000", **KEY},
        "ABORTED",
        "a price has changed",
        code="VERSION_CONFLICT",
    ),
    _probe(f"{CARTS}/CreateCart", {**MINE, "currency_code": "no currency", **KEY}, "INVALID_ARGUMENT", "a customer"),
    _probe(f"{CARTS}/RemoveCartItem", {"cart_id": "crt_of_nobody", "product_id": PRODUCT}, "NOT_FOUND"),
    _probe(
        f"{CHECKOUTS}/StartCheckout", {"cart_id": "crt_of_nobody", **MINE, "session_id": "s"}, "NOT_FOUND", "a customer"
    ),
    _probe(
        f"{CHECKOUTS}/StartCheckout",
        {"cart_id": "${cart_id}", "customer_id": "cus_of_somebody", "session_id": "s"},
        "PERMISSION_DENIED",
        "a cart with goods",
    ),
    _probe(f"{CHECKOUTS}/PreviewOrder", {"checkout_id": "chk_of_nobody", "shipping_address": ADDRESS}, "NOT_FOUND"),
    _probe(
        f"{CHECKOUTS}/PreviewOrder",
        {"checkout_id": "${checkout_id}", "shipping_address": ADDRESS},
        "FAILED_PRECONDITION",
        "a confirmed order",
        code="CHECKOUT_CLOSED",
    ),
    _probe(
        f"{CHECKOUTS}/ConfirmCheckout",
        {"checkout_id": "chk_of_nobody", "payment_method_id": "pm_1", "expected_total": EUROS},
        "NOT_FOUND",
    ),
    _probe(
        f"{CARTS}/SetCartItem",
        {"cart_id": "${cart_id}", "product_id": PRODUCT, "quantity": 1},
        "FAILED_PRECONDITION",
        "a confirmed order",
        code="CART_CHECKED_OUT",
    ),
    _probe(
        f"{CARTS}/RemoveCartItem",
        {"cart_id": "${cart_id}", "product_id": PRODUCT},
        "FAILED_PRECONDITION",
        "a confirmed order",
        code="CART_CHECKED_OUT",
    ),
    _probe(f"{CUSTOMERS}/CreateCustomer", {"email": "no address", "password": "x", **KEY}, "INVALID_ARGUMENT"),
    _probe(f"{CUSTOMERS}/UpdateCustomer", {**NOBODY, "profile": {"locale": "de-DE"}}, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/UpdateCustomer", {**MINE, "update_mask": "noField"}, "INVALID_ARGUMENT", "a customer"),
    _probe(f"{CUSTOMERS}/DeleteCustomer", NOBODY, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/AddAddress", {**NOBODY, "address": ADDRESS, **KEY}, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/AddAddress", {**MINE, "address": {"city": "B"}, **KEY}, "INVALID_ARGUMENT", "a customer"),
    _probe(f"{CUSTOMERS}/ListAddresses", NOBODY, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/RemoveAddress", {**NOBODY, "address_id": "adr_1"}, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/ListPaymentMethods", NOBODY, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/RemovePaymentMethod", {**NOBODY, "payment_method_id": "pm_1"}, "NOT_FOUND"),
    _probe(f"{CUSTOMERS}/AddPaymentMethod", {**MINE, **KEY}, "INVALID_ARGUMENT", "a customer"),
    _probe(f"{CUSTOMERS}/AddPaymentMethod", {**NOBODY, "payment_method": _card("pm_card_visa"), **KEY}, "NOT_FOUND"),
    _probe(
        f"{CUSTOMERS}/AddPaymentMethod",
        {**MINE, "payment_method": _card("pm_1NobodyMadeThisOne"), **KEY},
        "FAILED_PRECONDITION",
        "a customer",
        code="TOKEN_REFUSED",
    ),
    _probe(f"{ORDERS}/CreateOrder", {**MINE, **KEY}, "INVALID_ARGUMENT", "a customer"),
    _probe(f"{ORDERS}/CancelOrder", {"order_id": "ord_of_nobody", **KEY}, "NOT_FOUND"),
    _probe(f"{ORDERS}/WatchOrderStatus", {"order_id": "${order_id}"}, "OK", "a confirmed order"),
    _probe(f"{ORDERS}/WatchOrderStatus", {"order_id": "ord_of_nobody"}, "NOT_FOUND"),
    _probe(f"{ORDERS}/ListOrders", {**MINE, "page_token": "of-nobody"}, "INVALID_ARGUMENT", "a customer"),
    _probe(
        f"{PAYMENTS}/ProcessPayment",
        {**MINE, "order_id": "${new_order_id}", "amount": EUROS, "payment_method_id": "pm_of_nobody", **KEY},
        "NOT_FOUND",
        "a customer",
    ),
    _probe(
        f"{PAYMENTS}/ProcessPayment", {**MINE, "order_id": "${new_order_id}", **KEY}, "INVALID_ARGUMENT", "a customer"
    ),
    _probe(f"{PAYMENTS}/RefundPayment", {"payment_id": "pay_of_nobody", **ASKED, **KEY}, "NOT_FOUND"),
    _probe(
        f"{PAYMENTS}/RefundPayment",
        {"payment_id": "${payment_id}", "amount": {**EUROS, "minor_units": "999999"}, **ASKED, **KEY},
        "FAILED_PRECONDITION",
        "a payment of no order",
        code="AMOUNT_EXCEEDS_PAYMENT",
    ),
    _probe(
        f"{STOCK}/ReserveStock",
        {"order_id": "${new_order_id}", "lines": [{"product_id": "prd_of_nobody", "quantity": 1}], **KEY},
        "NOT_FOUND",
    ),
    _probe(
        f"{STOCK}/ReserveStock",
        {**NEW_ORDER, "lines": _line(RARE, 999), **KEY},
        "FAILED_PRECONDITION",
        "a product in stock",
        code="OUT_OF_STOCK",
    ),
    _probe(
        f"{STOCK}/ReserveStock",
        {**NEW_ORDER, "lines": _line(PRODUCT), **KEY},
        "OK",
        "a product in stock",
    ),
    _probe(f"{STOCK}/ReleaseReservation", {"reservation_id": "rsv_of_nobody", **CANCELLED, **KEY}, "NOT_FOUND"),
    _probe(f"{STOCK}/ReleaseReservation", {**RESERVED, **CANCELLED, **KEY}, "OK", "a reservation"),
    _probe(f"{STOCK}/ReleaseReservation", {**RESERVED, **CANCELLED, **KEY}, "OK", "a released reservation"),
    _probe(
        f"{STOCK}/ReleaseReservation",
        {**RESERVED, **CANCELLED, **KEY},
        "FAILED_PRECONDITION",
        "a committed reservation",
        code="RESERVATION_COMMITTED",
    ),
    _probe(f"{STOCK}/CommitReservation", {"reservation_id": "rsv_of_nobody", **KEY}, "NOT_FOUND"),
    _probe(f"{STOCK}/CommitReservation", {**RESERVED, **KEY}, "OK", "a reservation"),
    _probe(
        f"{STOCK}/CommitReservation",
        {**RESERVED, **KEY},
        "FAILED_PRECONDITION",
        "a released reservation",
        code="RESERVATION_RELEASED",
    ),
    _probe(
        f"{STOCK}/SyncStock",
        {
            "scan_id": "${key}",
            "warehouse_id": WAREHOUSE,
            "product_id": "prd_mug_white",
            "counted": "500",
            "counted_at": "2026-02-01T10:15:31Z",
        },
        "OK",
    ),
    _probe(
        f"{STOCK}/AdjustStock",
        {
            "product_id": PRODUCT,
            "warehouse_id": WAREHOUSE,
            "delta": "-1000000000",
            "reason": "ADJUSTMENT_REASON_LOSS",
            **KEY,
        },
        "FAILED_PRECONDITION",
        "a product in stock",
        code="BELOW_RESERVED",
    ),
    _probe(f"{MAILS}/SendNotification", {**KEY}, "INVALID_ARGUMENT"),
    _probe(f"{MAILS}/GetNotificationStatus", {"notification_id": "ntf_of_nobody"}, "NOT_FOUND"),
)


def problems(shop: Shop) -> Iterator[str]:
    """What is wrong with the answers; nothing when each is the promised one."""
    for probe in PROBES:
        wrong = _problem(shop, probe)
        if wrong:
            yield f"{probe.rpc} {json.dumps(probe.request)}: {wrong}"


def _problem(shop: Shop, probe: Probe) -> str:
    try:
        values = (
            provide(shop, probe.states[0])
            if probe.states
            else {"key": shop.fresh("key"), "new_order_id": shop.fresh("ord")}
        )
        answer = shop.caller.call(probe.rpc, _filled(probe.request, values))
    except Exception as problem:  # noqa: BLE001 one probe that cannot be made must not hide the others
        return f"{type(problem).__name__}: {problem}"
    if answer.status != probe.status:
        return f"{answer.status} ({answer.message}), not {probe.status}"
    if probe.code and answer.body.get("code") != probe.code:
        return f"code {answer.body.get('code')!r}, not {probe.code}"
    return ""


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    return evaluated(value, values) if isinstance(value, str) else value
