"""A customer at the gateway, over plain HTTP: what a browser would send, nothing generated in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from harness.sagas.recording import Call

TIMEOUT = 15.0
POLL_SECONDS = 0.7
"""The gateway allows a hundred calls a minute."""
ADDRESS = {
    "recipient_name": "Ada Lovelace",
    "line1": "Unter den Linden 6",
    "city": "Berlin",
    "postal_code": "10117",
    "country_code": "DE",
}
PASSWORD = "correct horse battery"


class CallFailed(AssertionError):
    """The gateway answered something else than was expected."""


class Shopper:
    """One customer. Every exchange is kept in `calls` and told to `tell`."""

    def __init__(self, url: str, run_id: str, *, tell: Callable[[Call], None] = lambda _: None) -> None:
        self.run_id = run_id
        self.email = f"{run_id}@example.com"
        self.calls: list[Call] = []
        self.customer_id = ""
        self._tell = tell
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(
        self, method: str, path: str, body: Any = None, *, expect: int | None = None, key: str = ""
    ) -> Mapping[str, Any]:
        """One exchange; `CallFailed` when the status is not the expected one. `key` is an idempotency key."""
        headers = {"idempotency-key": f"{self.run_id}-{key}"} if key else {}
        answer = self._http.request(method, path, json=body, headers=headers)
        found = answer.json() if "json" in answer.headers.get("content-type", "") else None
        call = Call(method=method, path=path, status=answer.status_code, body=found)
        self.calls.append(call)
        self._tell(call)
        if expect is not None and answer.status_code != expect:
            raise CallFailed(f"{method} {path} answered {answer.status_code}, not {expect}: {answer.text[:500]}")
        return found if isinstance(found, dict) else {}

    def register(self) -> None:
        """Become a customer."""
        profile = {"given_name": "Ada", "family_name": "Lovelace", "locale": "en-GB", "marketing_consent": False}
        body = {"email": self.email, "password": PASSWORD, "profile": profile}
        self.call("POST", "/api/v1/customers", body, expect=201, key="register")

    def log_in(self) -> None:
        """Get an access token, which goes with every call from then on."""
        tokens = self.call("POST", "/api/v1/auth/login", {"email": self.email, "password": PASSWORD}, expect=200)
        self.customer_id = tokens["customer_id"]
        self._http.headers["authorization"] = f"Bearer {tokens['access_token']}"

    def add_card(self, token: str) -> str:
        """Store a card by the provider's token; returns the payment method."""
        body = {"type": "PAYMENT_METHOD_TYPE_CARD", "card": {"provider_token": token}}
        path = f"/api/v1/customers/{self.customer_id}/payment-methods"
        return str(self.call("POST", path, body, expect=201, key=f"card-{token}")["payment_method_id"])

    def fill_cart(self, items: Mapping[str, int], *, currency: str = "EUR", key: str = "cart") -> str:
        """A new cart with these quantities by product."""
        body = {"customer_id": self.customer_id, "currency_code": currency}
        cart = str(self.call("POST", "/api/v1/carts", body, expect=201, key=key)["cart_id"])
        for product, quantity in items.items():
            self.call("PUT", f"/api/v1/carts/{cart}/items/{product}", {"quantity": quantity}, expect=200)
        return cart

    def check_out(self, cart: str, *, key: str = "checkout") -> tuple[str, Mapping[str, Any]]:
        """(checkout, agreed total): started and previewed."""
        body = {"cart_id": cart, "customer_id": self.customer_id, "session_id": self.run_id}
        checkout = str(self.call("POST", "/api/v1/checkout", body, expect=201, key=key)["checkout_id"])
        path = f"/api/v1/checkout/{checkout}/preview"
        return checkout, self.call("POST", path, {"shipping_address": ADDRESS}, expect=200)["total"]

    def confirm(self, checkout: str, card: str, total: Mapping[str, Any], *, key: str = "confirm") -> str:
        """The order."""
        body = {"payment_method_id": card, "expected_total": total}
        path = f"/api/v1/checkout/{checkout}/confirm"
        return str(self.call("POST", path, body, expect=202, key=key)["order_id"])

    def order(self, order_id: str) -> Mapping[str, Any]:
        """As it is now."""
        return self.call("GET", f"/api/v1/orders/{order_id}", expect=200)

    def wait_for(
        self, order_id: str, *statuses: str, timeout: float = 60.0, every: float = POLL_SECONDS
    ) -> Mapping[str, Any]:
        """The order, as soon as it has one of the statuses; `CallFailed` when that takes too long (seconds)."""
        limit = time.monotonic() + timeout
        path = f"/api/v1/orders/{order_id}"
        while True:
            answer = self._http.get(path)
            found = answer.json() if answer.status_code == 200 else {}
            if found.get("status") in statuses:
                self.calls.append(Call(method="GET", path=path, status=200, body=found))
                return dict(found)
            if time.monotonic() > limit:
                raise CallFailed(
                    f"{order_id} is {found.get('status')} after {timeout:g} s, not {' or '.join(statuses)}"
                )
            time.sleep(every)
