"""What the web shop, a browser program, expects of the gateway."""

from __future__ import annotations

from typing import Any

from shop.gateway.v1.http.client import Client
from shop.gateway.v1.http.models import (
    Address,
    AuthenticateRequest,
    CheckAvailabilityRequest,
    ConfirmCheckoutBody,
    CreateCartBody,
    Money,
    PreviewOrderBody,
    RegisterCustomerBody,
    SetCartItemBody,
    StartCheckoutRequest,
    StockLine,
)

from harness.pacts.expectations import http_shapes
from harness.pacts.expectations.shapes import ADDRESS, CARD, CART, CHECKOUT, CUSTOMER, KEY, ORDER, PRODUCT
from harness.pacts.interactions import Call, Expectations, HttpInteraction, given
from harness.pacts.matching import Exactly, identifier, moment, one_of

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
PROBLEM = "application/problem+json"
KEYED = {"Idempotency-Key": KEY}


def _http(
    method: str, path: str, case: str, call: Call, answer: Any, state: str = "", *, at: str = "", **more: Any
) -> HttpInteraction:
    """`at` is the path with what comes from the state."""
    from_state = {**more.pop("from_state", {}), **({"path": at} if at else {})}
    headers = more.get("headers", {})
    if "Idempotency-Key" in headers:
        from_state["Idempotency-Key"] = "${key}"
    return HttpInteraction(
        method=method,
        path=path,
        case=case,
        call=call,
        answer=answer,
        states=(given(state),) if state else (),
        from_state=from_state,
        **more,
    )


def _problem(
    method: str, path: str, case: str, call: Call, status: int, state: str = "", **more: Any
) -> HttpInteraction:
    answer = {"type": "https://api.shop.example/problems/not-found", "title": "Not found", "status": Exactly(status)}
    code = more.pop("code", None)
    if code is not None:
        answer["code"] = Exactly(code)
    return _http(method, path, case, call, answer, state, status=status, answer_type=PROBLEM, **more)


PEOPLE = (
    _http(
        "POST",
        "/api/v1/auth/login",
        "log in",
        lambda client: client.log_in(AuthenticateRequest(email=EMAIL, password=PASSWORD)),
        {
            "access_token": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
            "refresh_token": "rt_8f0b6a1c",
            "token_type": Exactly("Bearer"),
            "expires_in": 900,
            "customer_id": identifier(CUSTOMER),
        },
        "a customer",
        token=False,
        body={"email": EMAIL, "password": PASSWORD},
        from_state={"$.email": "${email}", "$.password": "${password}"},
    ),
    _problem(
        "POST",
        "/api/v1/auth/login",
        "log in with a wrong password",
        lambda client: client.log_in(AuthenticateRequest(email=EMAIL, password="battery staple horse")),  # noqa: S106 wrong by intent
        401,
        "a customer",
        token=False,
        body={"email": EMAIL, "password": "battery staple horse"},
        from_state={"$.email": "${email}"},
    ),
    _http(
        "POST",
        "/api/v1/customers",
        "register",
        lambda client: client.register_customer(
            RegisterCustomerBody(email=EMAIL, password=PASSWORD), idempotency_key=KEY
        ),
        http_shapes.customer(),
        "an address that nobody uses",
        token=False,
        status=201,
        headers=KEYED,
        body={"email": EMAIL, "password": PASSWORD},
        from_state={"$.email": "${email}"},
    ),
    _http(
        "GET",
        f"/api/v1/customers/{CUSTOMER}",
        "my profile",
        lambda client: client.get_customer(CUSTOMER),
        http_shapes.customer(),
        "a customer",
        at="/api/v1/customers/${customer_id}",
    ),
    _problem(
        "GET",
        f"/api/v1/customers/{CUSTOMER}",
        "a profile without a token",
        lambda client: client.get_customer(CUSTOMER),
        401,
        "a customer",
        token=False,
        at="/api/v1/customers/${customer_id}",
    ),
    _problem(
        "GET",
        "/api/v1/customers/cus_of_somebody",
        "the profile of somebody else",
        lambda client: client.get_customer("cus_of_somebody"),
        403,
        "a customer",
    ),
    _http(
        "GET",
        f"/api/v1/customers/{CUSTOMER}/payment-methods",
        "my cards",
        lambda client: client.list_payment_methods(CUSTOMER),
        {"payment_methods": [http_shapes.card()]},
        "a customer with a card",
        at="/api/v1/customers/${customer_id}/payment-methods",
    ),
)
PRODUCTS = (
    _http(
        "GET",
        f"/api/v1/products/{PRODUCT}",
        "a product",
        lambda client: client.get_product(PRODUCT),
        http_shapes.product(),
        "a product for sale",
        token=False,
    ),
    _problem(
        "GET",
        "/api/v1/products/prd_of_nobody",
        "a product that does not exist",
        lambda client: client.get_product("prd_of_nobody"),
        404,
        token=False,
    ),
    _http(
        "POST",
        "/api/v1/availability",
        "what is in stock",
        lambda client: client.check_availability(
            CheckAvailabilityRequest(lines=[StockLine(product_id=PRODUCT, quantity=2)])
        ),
        {
            "all_available": Exactly(True),
            "lines": [{"product_id": identifier(PRODUCT), "requested": 2, "available": 120}],
        },
        "a product in stock",
        token=False,
        body={"lines": [{"product_id": PRODUCT, "quantity": 2}]},
    ),
)
BUYING = (
    _http(
        "POST",
        "/api/v1/carts",
        "a new cart",
        lambda client: client.create_cart(
            CreateCartBody(customer_id=CUSTOMER, currency_code="EUR"), idempotency_key=KEY
        ),
        http_shapes.cart(filled=False),
        "a customer",
        status=201,
        headers=KEYED,
        body={"customer_id": CUSTOMER, "currency_code": "EUR"},
        from_state={"$.customer_id": "${customer_id}"},
    ),
    _http(
        "PUT",
        f"/api/v1/carts/{CART}/items/{PRODUCT}",
        "a product into the cart",
        lambda client: client.set_cart_item(CART, PRODUCT, SetCartItemBody(quantity=2)),
        http_shapes.cart(filled=True),
        "a cart with goods",
        body={"quantity": 2},
        at=f"/api/v1/carts/${{cart_id}}/items/{PRODUCT}",
    ),
    _http(
        "POST",
        "/api/v1/checkout",
        "start a checkout",
        lambda client: client.start_checkout(
            StartCheckoutRequest(cart_id=CART, customer_id=CUSTOMER, session_id="ses_b81f02"), idempotency_key=KEY
        ),
        {"checkout_id": identifier(CHECKOUT), "status": Exactly("CHECKOUT_STATUS_STARTED"), "created_at": moment()},
        "a cart with goods",
        status=201,
        headers=KEYED,
        body={"cart_id": CART, "customer_id": CUSTOMER, "session_id": "ses_b81f02"},
        from_state={"$.cart_id": "${cart_id}", "$.customer_id": "${customer_id}"},
    ),
    _problem(
        "POST",
        "/api/v1/checkout",
        "start a checkout with an empty cart",
        lambda client: client.start_checkout(
            StartCheckoutRequest(cart_id=CART, customer_id=CUSTOMER, session_id="ses_b81f02"), idempotency_key=KEY
        ),
        422,
        "an empty cart",
        code="CART_EMPTY",
        headers=KEYED,
        body={"cart_id": CART, "customer_id": CUSTOMER, "session_id": "ses_b81f02"},
        from_state={"$.cart_id": "${cart_id}", "$.customer_id": "${customer_id}"},
    ),
    _http(
        "POST",
        f"/api/v1/checkout/{CHECKOUT}/preview",
        "what it would cost",
        lambda client: client.preview_order(CHECKOUT, PreviewOrderBody(shipping_address=Address(**ADDRESS))),
        http_shapes.preview(),
        "a checkout",
        body={"shipping_address": ADDRESS},
        at="/api/v1/checkout/${checkout_id}/preview",
    ),
    _problem(
        "POST",
        f"/api/v1/checkout/{CHECKOUT}/confirm",
        "confirm with another total than the agreed one",
        lambda client: client.confirm_checkout(
            CHECKOUT,
            ConfirmCheckoutBody(payment_method_id=CARD, expected_total=Money(minor_units=1, currency_code="EUR")),
            idempotency_key=KEY,
        ),
        422,
        "a previewed checkout",
        code="PRICE_CHANGED",
        headers=KEYED,
        body={"payment_method_id": CARD, "expected_total": {"minor_units": 1, "currency_code": "EUR"}},
        at="/api/v1/checkout/${checkout_id}/confirm",
        from_state={"$.payment_method_id": "${payment_method_id}"},
    ),
    _http(
        "POST",
        f"/api/v1/checkout/{CHECKOUT}/confirm",
        "confirm",
        lambda client: client.confirm_checkout(
            CHECKOUT,
            ConfirmCheckoutBody(payment_method_id=CARD, expected_total=Money(minor_units=3569, currency_code="EUR")),
            idempotency_key=KEY,
        ),
        {
            "checkout_id": identifier(CHECKOUT),
            "order_id": identifier(ORDER),
            "status": one_of("CHECKOUT_STATUS_CONFIRMED", "CHECKOUT_STATUS_COMPLETED"),
        },
        "a previewed checkout of two packets of tea",
        status=202,
        headers=KEYED,
        body={"payment_method_id": CARD, "expected_total": {"minor_units": 3569, "currency_code": "EUR"}},
        at="/api/v1/checkout/${checkout_id}/confirm",
        from_state={"$.payment_method_id": "${payment_method_id}"},
    ),
    _http(
        "GET",
        f"/api/v1/orders/{ORDER}",
        "my order",
        lambda client: client.get_order(ORDER),
        http_shapes.order(),
        "a confirmed order",
        at="/api/v1/orders/${order_id}",
    ),
    _problem(
        "GET",
        "/api/v1/orders/ord_of_nobody",
        "an order of nobody",
        lambda client: client.get_order("ord_of_nobody"),
        404,
        "a customer",
    ),
    _http(
        "GET",
        f"/api/v1/orders/{ORDER}/payment",
        "the payment of my order",
        lambda client: client.get_order_payment(ORDER),
        http_shapes.payment(),
        "a confirmed order",
        at="/api/v1/orders/${order_id}/payment",
    ),
)
EXPECTATIONS = (
    Expectations(
        consumer="web-shop",
        provider="gateway",
        interactions=(*PEOPLE, *PRODUCTS, *BUYING),
        http_client=Client,
    ),
)
