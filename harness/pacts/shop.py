"""The running shop as provider states need it: customers, goods, orders, made over raw gRPC and kept for reuse."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.pacts.calling import Caller, RefusedError
from harness.pacts.expectations.shapes import ADDRESS, PRODUCT

GOOD, DECLINED = "pm_card_visa", "pm_card_chargeDeclined"
"""Stripe's test cards."""
PASSWORD = "correct horse battery"
RARE = "prd_pact_rare"
REPRICED = "prd_pact_repriced"
WAREHOUSE = "whs_berlin"
PLENTY = 100_000
PATIENCE = 60.0
POLL = 0.1
_CUSTOMERS = "customer.v1.CustomerService"
_CHECKOUTS = "checkout.v1.CheckoutService"
_ENDINGS = {
    "confirmed": (GOOD, PRODUCT, "ORDER_STATUS_CONFIRMED"),
    "declined": (DECLINED, PRODUCT, "ORDER_STATUS_FAILED"),
    "refunded": (GOOD, RARE, "ORDER_STATUS_REFUNDED"),
}
"""Journey -> card, product, status in the end."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who can log in."""

    customer_id: str
    email: str
    token: str = field(repr=False)
    """For the gateway."""

    def values(self) -> dict[str, str]:
        """What interactions may need of a customer."""
        return {
            "customer_id": self.customer_id,
            "email": self.email,
            "password": PASSWORD,
            "token": self.token,
            "about": self.customer_id,
        }


class Shop:
    """Everything is made once and at need; what an interaction uses up is made anew."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._regular: Customer | None = None
        self._cards: dict[str, str] = {}
        self._journeys: dict[str, dict[str, str]] = {}
        self._products: set[str] = set()
        self._stocked = False

    def fresh(self, prefix: str) -> str:
        """An id or key that nobody has used."""
        return f"{prefix}_{uuid.uuid4().hex[:16]}"

    # Customers

    def regular(self) -> Customer:
        """The customer of all interactions that do not spoil one."""
        if self._regular is None:
            self._regular = self.register()
        return self._regular

    def register(self) -> Customer:
        """Somebody new, logged in."""
        email = f"{self.fresh('ada')}@example.com"
        profile = {"given_name": "Ada", "family_name": "Lovelace", "locale": "de-DE", "marketing_consent": False}
        request = {"email": email, "password": PASSWORD, "profile": profile, "idempotency_key": self.fresh("key")}
        made = self.caller.done(f"{_CUSTOMERS}/CreateCustomer", request)["customer"]
        tokens = self.log_in(Customer(made["customer_id"], email, ""))
        return Customer(made["customer_id"], email, tokens["access_token"])

    def log_in(self, customer: Customer) -> dict[str, Any]:
        """A new session's tokens."""
        request = {"email": customer.email, "password": PASSWORD}
        found: dict[str, Any] = self.caller.done("customer.v1.AuthenticationService/Authenticate", request)["tokens"]
        return found

    def card(self, customer: Customer, token: str) -> str:
        """A stored card of the regular customer."""
        if token not in self._cards:
            self._cards[token] = self.new_card(customer, token)
        return self._cards[token]

    def new_card(self, customer: Customer, token: str) -> str:
        """One more stored card."""
        request = {
            "customer_id": customer.customer_id,
            "payment_method": {"type": "PAYMENT_METHOD_TYPE_CARD", "card": {"provider_token": token}},
            "idempotency_key": self.fresh("key"),
        }
        made = self.caller.done(f"{_CUSTOMERS}/AddPaymentMethod", request)["payment_method"]
        return str(made["payment_method_id"])

    def new_address(self, customer: Customer) -> str:
        """One more entry of the address book."""
        request = {"customer_id": customer.customer_id, "address": ADDRESS, "idempotency_key": self.fresh("key")}
        return str(self.caller.done(f"{_CUSTOMERS}/AddAddress", request)["address"]["address_id"])

    # Goods

    def product(self, product_id: str = PRODUCT, sku: str = "TEA-GREEN-100") -> str:
        """A product for sale at 12.50; one that is there stays as it is."""
        if product_id in self._products:
            return product_id
        if self.caller.call("catalog.v1.CatalogService/GetProduct", {"product_id": product_id}).status != "OK":
            product = {
                "product_id": product_id,
                "sku": sku,
                "name": "Green tea, 100 g",
                "description": "Spring harvest from **Uji**.",
                "categories": ["tea"],
                "attributes": {"weight": "100 g"},
                "image_urls": [f"https://img.shop.example/{product_id}.jpg"],
                "price": {"minor_units": 1250, "currency_code": "EUR"},
                "status": "PRODUCT_STATUS_ACTIVE",
                "weight_grams": 130,
            }
            request = {"product": product, "idempotency_key": self.fresh("key")}
            self.caller.done("catalog.v1.CatalogService/UpsertProduct", request)
        self._products.add(product_id)
        return product_id

    def restock(self) -> None:
        """Plenty of tea, and one piece of what is rare."""
        if self._stocked:
            return
        for product, pieces in ((self.product(), PLENTY), (self.product(RARE, "PACT-RARE"), 1)):
            request = {
                "product_id": product,
                "warehouse_id": WAREHOUSE,
                "delta": pieces,
                "reason": "ADJUSTMENT_REASON_DELIVERY",
                "idempotency_key": self.fresh("key"),
            }
            self.caller.done("warehouse.v1.WarehouseService/AdjustStock", request)
        self._stocked = True

    def reprice(self) -> str:
        """A product whose price has just changed."""
        product = self.product(REPRICED, "PACT-REPRICED")
        request = {
            "product_id": product,
            "amount": {"minor_units": 1190, "currency_code": "EUR"},
            "reason": "a sale",
            "idempotency_key": self.fresh("key"),
        }
        self.caller.done("catalog.v1.CatalogService/UpdatePrice", request)
        return product

    def wait_indexed(self) -> None:
        """Until a search finds the product: the index follows within seconds. `RefusedError` when it does not."""
        self.product()
        limit = time.monotonic() + PATIENCE
        while not self.caller.done("catalog.v1.CatalogService/SearchProducts", {"query": "green tea"}).get("hits"):
            if time.monotonic() > limit:
                raise RefusedError(f"the index did not know {PRODUCT} within {PATIENCE:g} s")
            time.sleep(POLL)

    # Buying

    def cart(self, customer: Customer, items: Mapping[str, int]) -> str:
        """A new cart."""
        request = {
            "customer_id": customer.customer_id,
            "currency_code": "EUR",
            "idempotency_key": self.fresh("key"),
        }
        cart_id = str(self.caller.done("checkout.v1.CartService/CreateCart", request)["cart"]["cart_id"])
        for product, quantity in items.items():
            line = {"cart_id": cart_id, "product_id": product, "quantity": quantity}
            self.caller.done("checkout.v1.CartService/SetCartItem", line)
        return cart_id

    def start_checkout(self, customer: Customer, cart_id: str) -> str:
        """A checkout without a preview."""
        request = {"cart_id": cart_id, "customer_id": customer.customer_id, "session_id": self.fresh("ses")}
        return str(self.caller.done(f"{_CHECKOUTS}/StartCheckout", request)["checkout_id"])

    def preview(self, checkout_id: str) -> dict[str, Any]:
        """The total to agree to."""
        request = {"checkout_id": checkout_id, "shipping_address": ADDRESS}
        found: dict[str, Any] = self.caller.done(f"{_CHECKOUTS}/PreviewOrder", request)["total"]
        return found

    def journey(self, ending: str) -> dict[str, str]:
        """An order that has ended: `confirmed`, `declined` or `refunded`; walked once."""
        if ending not in self._journeys:
            self._journeys[ending] = self._walk(*_ENDINGS[ending])
        return self._journeys[ending]

    def _walk(self, card: str, product: str, status: str) -> dict[str, str]:
        self.restock()
        # Customers cannot be told apart by the events of their orders: the regular one keeps the good order.
        customer = self.regular() if status == "ORDER_STATUS_CONFIRMED" else self.register()
        method = self.card(customer, card) if customer is self._regular else self.new_card(customer, card)
        cart_id = self.cart(customer, {self.product(product): 2})
        checkout_id = self.start_checkout(customer, cart_id)
        request = {
            "checkout_id": checkout_id,
            "payment_method_id": method,
            "expected_total": self.preview(checkout_id),
        }
        order_id = str(self.caller.done(f"{_CHECKOUTS}/ConfirmCheckout", request)["order_id"])
        order = self.wait_order(order_id, status)
        return {
            **customer.values(),
            "cart_id": cart_id,
            "checkout_id": checkout_id,
            "order_id": order_id,
            "payment_id": str(order.get("payment_id", "")),
            "payment_method_id": method,
            "about": order_id,
        }

    def wait_order(self, order_id: str, status: str) -> dict[str, Any]:
        """The order, once it has the status. `RefusedError` when that takes too long."""
        limit = time.monotonic() + PATIENCE
        while True:
            found: dict[str, Any] = self.caller.done("order.v1.OrderService/GetOrder", {"order_id": order_id})["order"]
            if found["status"] == status:
                return found
            if time.monotonic() > limit:
                raise RefusedError(f"{order_id} is {found['status']} after {PATIENCE:g} s, not {status}")
            time.sleep(POLL)

    def order_directly(self, customer: Customer, *, payment_method_id: str) -> str:
        """An order of no checkout."""
        key = self.fresh("key")

        def euros(minor_units: int) -> dict[str, Any]:
            return {"minor_units": minor_units, "currency_code": "EUR"}

        request = {
            "customer_id": customer.customer_id,
            "checkout_id": self.fresh("chk"),
            "items": [
                {
                    "product_id": self.product(),
                    "sku": "TEA-GREEN-100",
                    "name": "Green tea, 100 g",
                    "quantity": 2,
                    "unit_price": euros(1250),
                }
            ],
            "shipping_cost": euros(499),
            "tax": euros(570),
            "total": euros(3569),
            "shipping_address": ADDRESS,
            "payment_method_id": payment_method_id,
            "idempotency_key": key,
        }
        return str(self.caller.done("order.v1.OrderService/CreateOrder", request)["order"]["order_id"])

    def pay_directly(self, customer: Customer) -> str:
        """A payment whose order nobody knows, so that nothing follows from it."""
        request = {
            "order_id": self.fresh("ord"),
            "customer_id": customer.customer_id,
            "amount": {"minor_units": 3569, "currency_code": "EUR"},
            "payment_method_id": self.card(customer, GOOD),
            "idempotency_key": self.fresh("key"),
        }
        return str(self.caller.done("payment.v1.PaymentService/ProcessPayment", request)["payment"]["payment_id"])
