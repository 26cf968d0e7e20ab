"""Answers that several consumers read, in protobuf JSON."""

from __future__ import annotations

from typing import Any

from harness.pacts.matching import Exactly, identifier, int64, moment, one_of, proto_money

CUSTOMER, PRODUCT, ORDER, PAYMENT, CARD = "cus_2e9f60", "prd_tea_green", "ord_9d41b7", "pay_60ac2f", "pm_3b7e10"
CART, CHECKOUT = "crt_5f2a9c", "chk_81c0d4"
KEY = "3f0b7a52-key"
ADDRESS = {
    "recipient_name": "Ada Lovelace",
    "line1": "Unter den Linden 6",
    "city": "Berlin",
    "postal_code": "10117",
    "country_code": "DE",
}


def order(status: str = "ORDER_STATUS_CONFIRMED", *others: str) -> dict[str, Any]:
    """`order.v1.Order`: what is shown of an order."""
    return {
        "order_id": identifier(ORDER),
        "customer_id": identifier(CUSTOMER),
        "items": [
            {
                "product_id": identifier(PRODUCT),
                "sku": "TEA-GREEN-100",
                "name": "Green tea, 100 g",
                "quantity": 2,
                "unit_price": proto_money(1250),
            }
        ],
        "status": one_of(status, *others),
        "subtotal": proto_money(2500),
        "shipping_cost": proto_money(499),
        "tax": proto_money(570),
        "discount": proto_money(0),
        "total": proto_money(3569),
        "version": int64(3),
        "created_at": moment(),
        "updated_at": moment(),
    }


def payment(status: str) -> dict[str, Any]:
    """`payment.v1.Payment`."""
    return {
        "payment_id": identifier(PAYMENT),
        "order_id": identifier(ORDER),
        "customer_id": identifier(CUSTOMER),
        "amount": proto_money(3569),
        "refunded_amount": proto_money(0),
        "provider": Exactly("PAYMENT_PROVIDER_STRIPE"),
        "status": Exactly(status),
        "created_at": moment(),
        "updated_at": moment(),
    }


def cart() -> dict[str, Any]:
    """`checkout.v1.Cart` with a line."""
    return {
        "cart_id": identifier(CART),
        "customer_id": identifier(CUSTOMER),
        "items": [{"product_id": identifier(PRODUCT), "quantity": 2}],
        "currency_code": Exactly("EUR"),
        "created_at": moment(),
        "updated_at": moment(),
    }


def product() -> dict[str, Any]:
    """`catalog.v1.Product`."""
    return {
        "product_id": identifier(PRODUCT),
        "sku": "TEA-GREEN-100",
        "name": "Green tea, 100 g",
        "price": proto_money(1250),
        "status": Exactly("PRODUCT_STATUS_ACTIVE"),
        "version": int64(1),
        "created_at": moment(),
        "updated_at": moment(),
    }


def price() -> dict[str, Any]:
    """`catalog.v1.Price`."""
    return {
        "product_id": identifier(PRODUCT),
        "amount": proto_money(1250),
        "effective_from": moment(),
        "version": int64(1),
    }


def refused(code: str) -> dict[str, Any]:
    """`common.v1.ErrorDetail` with the code that callers branch on."""
    return {"code": Exactly(code)}
