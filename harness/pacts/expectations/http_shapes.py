"""Answers of the gateway with all members that its contract requires: the generated client insists on them."""

from __future__ import annotations

from typing import Any

from harness.pacts.expectations.shapes import CARD, CART, CHECKOUT, CUSTOMER, ORDER, PAYMENT, PRODUCT
from harness.pacts.matching import Exactly, identifier, moment, money


def customer() -> dict[str, Any]:
    """A profile."""
    return {
        "customer_id": identifier(CUSTOMER),
        "email": "ada@example.com",
        "profile": {},
        "status": Exactly("CUSTOMER_STATUS_ACTIVE"),
        "version": 1,
        "created_at": moment(),
        "updated_at": moment(),
    }


def card() -> dict[str, Any]:
    """A stored card."""
    return {
        "payment_method_id": identifier(CARD),
        "customer_id": identifier(CUSTOMER),
        "type": Exactly("PAYMENT_METHOD_TYPE_CARD"),
        "card": {"brand": "visa", "last4": "4242", "expiry_month": 12, "expiry_year": 2034},
        "is_default": True,
        "created_at": moment(),
    }


def product() -> dict[str, Any]:
    """A product for sale."""
    return {
        "product_id": identifier(PRODUCT),
        "sku": "TEA-GREEN-100",
        "name": "Green tea, 100 g",
        "description": "Spring harvest.",
        "categories": ["tea"],
        "attributes": {},
        "price": money(1250),
        "status": Exactly("PRODUCT_STATUS_ACTIVE"),
        "image_urls": ["https://img.shop.example/tea-green.jpg"],
        "version": 1,
        "created_at": moment(),
        "updated_at": moment(),
    }


def cart(*, filled: bool) -> dict[str, Any]:
    """A cart, with a line or without."""
    return {
        "cart_id": identifier(CART),
        "customer_id": identifier(CUSTOMER),
        "items": [{"product_id": identifier(PRODUCT), "quantity": 2}] if filled else Exactly([]),
        "currency_code": Exactly("EUR"),
        "created_at": moment(),
        "updated_at": moment(),
    }


def preview() -> dict[str, Any]:
    """What it would cost."""
    return {
        "checkout_id": identifier(CHECKOUT),
        "items": [
            {
                "product_id": identifier(PRODUCT),
                "sku": "TEA-GREEN-100",
                "name": "Green tea, 100 g",
                "quantity": 2,
                "unit_price": money(1250),
                "line_total": money(2500),
                "in_stock": True,
            }
        ],
        "subtotal": money(2500),
        "shipping_cost": money(499),
        "tax": money(570),
        "discount": money(0),
        "total": money(3569),
        # No carrier belongs to the slice: the contract then promises a flat rate and no options.
        "shipping_options": Exactly([]),
        "expires_at": moment(),
    }


def order() -> dict[str, Any]:
    """A confirmed order."""
    return {
        "order_id": identifier(ORDER),
        "customer_id": identifier(CUSTOMER),
        "items": [
            {
                "product_id": identifier(PRODUCT),
                "sku": "TEA-GREEN-100",
                "name": "Green tea, 100 g",
                "quantity": 2,
                "unit_price": money(1250),
            }
        ],
        "status": Exactly("ORDER_STATUS_CONFIRMED"),
        "subtotal": money(2500),
        "shipping_cost": money(499),
        "tax": money(570),
        "discount": money(0),
        "total": money(3569),
        "metadata": {"channel": "web"},
        "version": 3,
        "created_at": moment(),
        "updated_at": moment(),
    }


def payment() -> dict[str, Any]:
    """The payment of an order, without refunds."""
    return {
        "payment": {
            "payment_id": identifier(PAYMENT),
            "order_id": identifier(ORDER),
            "customer_id": identifier(CUSTOMER),
            "amount": money(3569),
            "refunded_amount": money(0),
            "provider": Exactly("PAYMENT_PROVIDER_STRIPE"),
            "provider_reference": "pi_3QK1xY2eZvKYlo2C",
            "status": Exactly("PAYMENT_STATUS_SUCCEEDED"),
            "created_at": moment(),
            "updated_at": moment(),
        },
        "refunds": Exactly([]),
    }
