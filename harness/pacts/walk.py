"""What neither pacts nor Schemathesis call at the gateway, over plain HTTP: (request, status), told as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from harness.pacts.shop import PASSWORD, Shop
from harness.pacts.states import provide

TIMEOUT = 20.0


def problems(shop: Shop, url: str) -> Iterator[str]:
    """What is wrong with the answers; nothing when each is the expected one."""
    with httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False) as http:
        for walk in (_session, _order_stream, _erasure, _strangers):
            try:
                yield from walk(shop, http)
            except Exception as problem:  # noqa: BLE001 one walk that breaks off must not hide the others
                yield f"{walk.__name__.strip('_')}: {type(problem).__name__}: {problem}"


def _expected(answer: httpx.Response, status: int) -> Iterator[str]:
    if answer.status_code != status:
        request = answer.request
        yield f"{request.method} {request.url.path}: {answer.status_code}, not {status}: {answer.text[:200]}"


def _session(shop: Shop, http: httpx.Client) -> Iterator[str]:
    """Refresh, log out, and a refresh token that is dead then."""
    customer = shop.regular()
    log_in = http.post("/api/v1/auth/login", json={"email": customer.email, "password": PASSWORD})
    yield from _expected(log_in, 200)
    refreshed = http.post("/api/v1/auth/refresh", json={"refresh_token": log_in.json()["refresh_token"]})
    yield from _expected(refreshed, 200)
    dead = {"refresh_token": refreshed.json()["refresh_token"]}
    signed = _signed(refreshed.json()["access_token"])
    yield from _expected(http.post("/api/v1/auth/logout", json=dead, headers=signed), 204)
    yield from _expected(http.post("/api/v1/auth/refresh", json=dead), 401)


def _order_stream(shop: Shop, http: httpx.Client) -> Iterator[str]:
    """The first event of an order's stream; then the reader leaves."""
    values = provide(shop, "a confirmed order")
    with http.stream("GET", f"/api/v1/orders/{values['order_id']}/events", headers=_signed(values["token"])) as answer:
        if answer.status_code != 200:
            answer.read()
            yield from _expected(answer, 200)
            return
        line = next((line for line in answer.iter_lines() if line.startswith("data:")), "")
        if values["order_id"] not in line:
            yield f"GET /api/v1/orders/.../events: the first event is {line[:200]!r}"


def _erasure(shop: Shop, http: httpx.Client) -> Iterator[str]:
    """A customer with an order under way cannot leave; one without can, also twice."""
    values = provide(shop, "a confirmed order")
    path = f"/api/v1/customers/{values['customer_id']}"
    yield from _expected(http.delete(path, headers=_signed(values["token"])), 422)
    leaving = shop.register()
    for _ in range(2):
        gone = http.delete(f"/api/v1/customers/{leaving.customer_id}", headers=_signed(leaving.token))
        yield from _expected(gone, 204)


def _strangers(shop: Shop, http: httpx.Client) -> Iterator[str]:
    """Somebody else's things, and things that cannot be got with a token of nobody."""
    values, stranger = provide(shop, "a confirmed order"), shop.register()
    paths: Any = (
        f"/api/v1/orders/{values['order_id']}",
        f"/api/v1/orders/{values['order_id']}/payment",
        f"/api/v1/orders/{values['order_id']}/events",
        f"/api/v1/checkout/{values['checkout_id']}",
        f"/api/v1/carts/{values['cart_id']}",
        f"/api/v1/customers/{values['customer_id']}/addresses",
    )
    for path in paths:
        yield from _refused(http.get(path, headers=_signed(stranger.token)), 403, 404)
        yield from _expected(http.get(path, headers=_signed("not.a.token")), 401)


def _refused(answer: httpx.Response, *statuses: int) -> Iterator[str]:
    if answer.status_code not in statuses:
        yield f"{answer.request.method} {answer.request.url.path} of a stranger: {answer.status_code}"


def _signed(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
