"""Who is let in, and what they see."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from shop.order.v1.order_pb2 import GetOrderResponse
from shop.runtime.errors import Unavailable

from services.platform.caller import CUSTOMER
from services.platform.security import TokenIssuer
from tests.services.gateway.behind import ADA, order_of, payment_of
from tests.services.gateway.conftest import Gateway

METHODS = f"/api/v1/customers/{ADA}/payment-methods"
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def unsigned() -> str:
    """A token that asks to be believed (`alg: none`)."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    claims = {"iss": "auth-service", "aud": "api-gateway", "sub": ADA, "iat": now, "exp": now + 60}
    return f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}."


async def test_a_good_token_opens_what_is_the_customers_own(gateway: Gateway) -> None:
    answer = await gateway("GET", METHODS, headers=gateway.bearer())
    assert (answer.status_code, answer.json()) == (200, {"payment_methods": []})


async def test_public_operations_need_no_token(gateway: Gateway) -> None:
    keys = await gateway("GET", "/.well-known/jwks.json")
    assert keys.json()["keys"][0]["kid"] == "k1"
    body = {"email": "ada@example.com", "password": "correct horse battery"}
    tokens = await gateway("POST", "/api/v1/auth/login", json=body)
    assert tokens.json()["customer_id"] == ADA


async def test_without_a_token_the_answer_says_what_is_missing(gateway: Gateway) -> None:
    answer = await gateway("GET", METHODS)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert answer.json()["code"] == "UNAUTHENTICATED"
    assert gateway.behind.names == []


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda g: g.issuer.issue(ADA, lifetime=-61), "TOKEN_EXPIRED"),
        (lambda g: TokenIssuer(g.issuer._key, kid="k1", issuer="somebody").issue(ADA, lifetime=60), "TOKEN_INVALID"),
        (lambda g: TokenIssuer(g.issuer._key, kid="k1", audience="else").issue(ADA, lifetime=60), "TOKEN_INVALID"),
        (lambda g: TokenIssuer(OTHER_KEY, kid="k1").issue(ADA, lifetime=60), "TOKEN_INVALID"),
        (lambda g: TokenIssuer(OTHER_KEY, kid="k9").issue(ADA, lifetime=60), "TOKEN_INVALID"),
        (lambda g: g.issuer.issue(ADA, lifetime=60)[:-4] + "AAAA", "TOKEN_INVALID"),
        (lambda g: unsigned(), "TOKEN_INVALID"),
        (lambda g: g.issuer.issue("cus\nx", lifetime=60), "TOKEN_INVALID"),
        (lambda g: "nonsense", "TOKEN_INVALID"),
    ],
    ids=["expired", "issuer", "audience", "foreign key", "unknown key", "tampered", "unsigned", "subject", "nonsense"],
)
async def test_a_token_that_is_not_good_opens_nothing(
    gateway: Gateway, make: Callable[[Gateway], str], code: str
) -> None:
    answer = await gateway("GET", METHODS, headers={"authorization": f"Bearer {make(gateway)}"})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert gateway.behind.names == []


async def test_a_token_is_good_for_a_minute_after_its_end(gateway: Gateway) -> None:
    assert (await gateway("GET", METHODS, headers=gateway.bearer(lifetime=-30))).status_code == 200


async def test_without_keys_nobody_is_let_in_and_the_caller_may_try_again(gateway: Gateway) -> None:
    gateway.behind.answers["GetSigningKeys"] = Unavailable("away")
    answer = await gateway("GET", METHODS, headers=gateway.bearer())
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_a_key_that_is_new_is_fetched_when_a_token_names_it(gateway: Gateway) -> None:
    assert (await gateway("GET", METHODS, headers=gateway.bearer())).status_code == 200
    newer = TokenIssuer(OTHER_KEY, kid="k2")
    keys = gateway.issuer.key_set()["keys"] + newer.key_set()["keys"]
    gateway.behind.publish_keys({"keys": keys})
    gateway.keys["skew"] = 11
    for issuer in (newer, gateway.issuer):
        answer = await gateway("GET", METHODS, headers=gateway.bearer(issuer=issuer))
        assert answer.status_code == 200


async def test_the_services_behind_are_told_whose_token_it_is_and_nothing_a_client_says(gateway: Gateway) -> None:
    await gateway("GET", METHODS, headers={**gateway.bearer(), CUSTOMER: "cus_bob", CUSTOMER.upper(): "cus_eve"})
    assert gateway.behind.last[1].header(CUSTOMER) == ADA
    body = {"email": "ada@example.com", "password": "correct horse battery"}
    await gateway("POST", "/api/v1/auth/login", json=body, headers={CUSTOMER: "cus_bob"})
    assert gateway.behind.last[1].header(CUSTOMER) is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", METHODS, None),
        ("GET", f"/api/v1/customers/{ADA}", None),
        ("GET", f"/api/v1/orders?customer_id={ADA}", None),
        ("POST", "/api/v1/carts", {"customer_id": ADA, "currency_code": "EUR"}),
        ("POST", "/api/v1/checkout", {"customer_id": ADA, "cart_id": "c", "session_id": "s"}),
    ],
)
async def test_what_names_another_customer_is_forbidden_before_anybody_is_asked(
    gateway: Gateway, method: str, path: str, body: dict[str, str] | None
) -> None:
    headers = {**gateway.bearer("cus_bob"), "idempotency-key": "k"}
    answer = await gateway(method, path, headers=headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_OWNER")
    assert gateway.behind.names == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/orders/ord_1"),
        ("POST", "/api/v1/orders/ord_1/cancel"),
        ("GET", "/api/v1/orders/ord_1/events"),
        ("GET", "/api/v1/orders/ord_1/payment"),
    ],
)
async def test_the_order_of_another_customer_is_neither_shown_nor_touched(
    gateway: Gateway, method: str, path: str
) -> None:
    gateway.behind.answers["GetOrder"] = GetOrderResponse(order=order_of("cus_bob"))
    gateway.behind.answers["GetPaymentStatus"] = payment_of("cus_bob")
    body = {"reason": "mine"} if method == "POST" else None
    answer = await gateway(method, path, headers={**gateway.bearer(), "idempotency-key": "k"}, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_OWNER")
    assert not {"CancelOrder", "WatchOrderStatus"} & set(gateway.behind.names)


async def test_a_customer_reads_cancels_and_pays_their_own_order(gateway: Gateway) -> None:
    headers = {**gateway.bearer(), "idempotency-key": "k"}
    assert (await gateway("GET", "/api/v1/orders/ord_1", headers=headers)).json()["status"] == "ORDER_STATUS_PAID"
    assert (await gateway("GET", "/api/v1/orders/ord_1/payment", headers=headers)).status_code == 200
    answer = await gateway("POST", "/api/v1/orders/ord_1/cancel", headers=headers, json={"reason": "twice"})
    assert answer.status_code == 200
    request, _ = gateway.behind.last
    assert (request.reason, request.idempotency_key) == ("twice", "k")


async def test_an_order_is_watched_as_named_events_that_can_be_gone_on_with(gateway: Gateway) -> None:
    answer = await gateway("GET", "/api/v1/orders/ord_1/events", headers=gateway.bearer())
    events = [dict(line.split(": ", 1) for line in each.split("\n")) for each in answer.text.strip().split("\n\n")]
    assert [(event["event"], event["id"]) for event in events] == [("order-status", str(n)) for n in (1, 2, 3)]
    assert json.loads(events[2]["data"])["status"] == "ORDER_STATUS_CONFIRMED"
    answer = await gateway("GET", "/api/v1/orders/ord_1/events", headers={**gateway.bearer(), "last-event-id": "2"})
    assert answer.text.count("event: order-status") == 1


async def test_many_customers_at_once_are_not_mixed_up(gateway: Gateway) -> None:
    names = [f"cus_{number}" for number in range(15)]
    answers = await asyncio.gather(
        *(gateway("GET", f"/api/v1/customers/{name}/payment-methods", headers=gateway.bearer(name)) for name in names)
    )
    assert {answer.status_code for answer in answers} == {200}
    told = {
        (request.customer_id, call.header(CUSTOMER))
        for name, request, call in gateway.behind.calls
        if name != "GetSigningKeys"
    }
    assert told == {(name, name) for name in names}
