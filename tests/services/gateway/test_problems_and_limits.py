"""Errors as the contract words them, limits, webhooks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shop.runtime.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    Internal,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    RpcError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)

from harness.backends.redis import Redis
from services.platform.refusals import invalid, refusal
from tests.services.gateway.behind import DEFAULTS
from tests.services.gateway.conftest import Gateway

CONFIRM = "/api/v1/checkout/chk_1/confirm"
BODY = {"payment_method_id": "pm_1", "expected_total": {"minor_units": 3569, "currency_code": "EUR"}}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def confirm(gateway: Gateway, **more: Any) -> Any:
    return await gateway("POST", CONFIRM, headers={**gateway.bearer(), **more}, json=BODY)


async def test_the_idempotency_key_and_the_trace_reach_the_service(gateway: Gateway) -> None:
    answer = await confirm(gateway, **{"idempotency-key": "k-1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert (answer.status_code, answer.json()["order_id"]) == (202, "ord_1")
    request, call = gateway.behind.last
    assert (call.idempotency_key, call.trace.trace_id) == ("k-1", TRACE)
    assert (request.checkout_id, request.expected_total.minor_units) == ("chk_1", 3569)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (refusal(FailedPrecondition, "PRICE_CHANGED", "now 36.19"), 422, "PRICE_CHANGED"),
        (refusal(NotFound, "NOT_FOUND", "none"), 404, "NOT_FOUND"),
        (NotFound("without a detail"), 404, "NOT_FOUND"),
        (refusal(PermissionDenied, "NOT_OWNER", "not yours"), 403, "NOT_OWNER"),
        (refusal(Aborted, "REQUEST_IN_PROGRESS", "wait"), 409, "REQUEST_IN_PROGRESS"),
        (AlreadyExists("taken"), 409, "CONFLICT"),
        (Unauthenticated("who"), 401, "UNAUTHENTICATED"),
        (Unavailable("10.0.0.7:5432 refused"), 503, "UPSTREAM_UNAVAILABLE"),
        (Unimplemented("not here"), 503, "UPSTREAM_UNAVAILABLE"),
        (refusal(Internal, "SECRET", "stack trace"), 500, None),
    ],
    ids=lambda value: value.code.name if isinstance(value, RpcError) else str(value),
)
async def test_a_status_becomes_the_problem_of_the_contract(
    gateway: Gateway, error: RpcError, status: int, code: str | None
) -> None:
    gateway.behind.answers["ConfirmCheckout"] = error
    answer = await confirm(gateway, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    problem = answer.json()
    assert (answer.status_code, problem.get("code")) == (status, code)
    assert problem["trace_id"] == TRACE
    kind = f"https://api.shop.example/problems/{code.lower().replace('_', '-')}" if code else "about:blank"
    assert problem["type"] == kind
    said = problem.get("detail", "")
    assert "10.0.0.7" not in said
    assert "stack" not in said
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_what_a_service_says_besides_becomes_members(gateway: Gateway) -> None:
    facts = {"current_total": "3619", "currency_code": "EUR"}
    gateway.behind.answers["ConfirmCheckout"] = refusal(FailedPrecondition, "PRICE_CHANGED", "more", facts=facts)
    assert (await confirm(gateway)).json()["metadata"] == facts
    gateway.behind.answers["ConfirmCheckout"] = invalid("expected_total", "must be given")
    problem = (await confirm(gateway)).json()
    assert problem["code"] == "INVALID_ARGUMENT"
    assert problem["errors"] == [{"field": "expected_total", "detail": "must be given"}]
    gateway.behind.answers["ConfirmCheckout"] = refusal(ResourceExhausted, "TOO_MANY", "slow", retry_after=2.5)
    answer = await confirm(gateway)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["retry_after"]) == (429, "3", "2.5s")


async def test_a_service_that_takes_too_long_is_a_timeout(gateway: Gateway) -> None:
    async def never() -> Any:
        await asyncio.sleep(30)
        return DEFAULTS["ConfirmCheckout"]

    gateway.behind.answers["ConfirmCheckout"] = never
    answer = await confirm(gateway)
    assert (answer.status_code, answer.json()["code"]) == (504, "UPSTREAM_TIMEOUT")


async def test_services_outside_the_slice_are_not_available(gateway: Gateway) -> None:
    answer = await gateway("GET", "/api/v1/customers/cus_ada/loyalty", headers=gateway.bearer())
    assert (answer.status_code, answer.json()["code"]) == (503, "UPSTREAM_UNAVAILABLE")


async def test_a_request_that_does_not_fit_is_told_where(gateway: Gateway) -> None:
    answer = await gateway(
        "POST", CONFIRM, headers=gateway.bearer(), json={"expected_total": {"minor_units": "x", "currency_code": "e"}}
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "INVALID_ARGUMENT")
    assert {error["field"] for error in problem["errors"]} >= {"payment_method_id", "expected_total.currency_code"}
    answer = await gateway("POST", CONFIRM, headers=gateway.bearer(), content=b"{")
    assert answer.status_code in (400, 415)
    assert gateway.behind.names == []


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/api/v1/nothing", 404, "NOT_FOUND"), ("DELETE", "/api/v1/orders", 405, "METHOD_NOT_ALLOWED")],
)
async def test_what_is_not_there_is_a_problem_too(
    gateway: Gateway, method: str, path: str, status: int, code: str
) -> None:
    answer = await gateway(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_twenty_at_once_and_then_one_every_600_ms(gateway: Gateway) -> None:
    path, mine = "/api/v1/customers/cus_ada/payment-methods", gateway.bearer()
    answers = [await gateway("GET", path, headers=mine) for _ in range(25)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 1 <= len(refused) <= 5
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    (last, *_) = refused
    assert last.json()["code"] == "RATE_LIMITED"
    assert last.headers["retry-after"] == "1"
    assert (last.headers["ratelimit-limit"], last.headers["ratelimit-remaining"]) == ("100", "0")
    other = await gateway("GET", "/api/v1/customers/cus_bob/payment-methods", headers=gateway.bearer("cus_bob"))
    assert other.status_code == 200
    assert (await gateway("GET", "/.well-known/jwks.json")).status_code == 200


async def test_callers_without_a_good_token_are_counted_by_address(gateway: Gateway) -> None:
    bad = {"authorization": "Bearer nonsense"}
    answers = [await gateway("GET", "/api/v1/customers/cus_ada", headers=bad) for _ in range(24)]
    assert {answer.status_code for answer in answers[:20]} == {401}
    assert answers[-1].status_code == 429
    assert (await gateway("GET", "/.well-known/jwks.json")).status_code == 429
    assert (
        await gateway("GET", "/api/v1/customers/cus_ada/payment-methods", headers=gateway.bearer())
    ).status_code == 200


async def test_probes_are_not_counted(gateway: Gateway) -> None:
    assert {(await gateway.http.get("/readyz")).status_code for _ in range(30)} == {200}


async def test_without_redis_requests_are_let_in(gateway: Gateway, redis: Redis) -> None:
    redis.kill9()
    answers = [await gateway("GET", "/.well-known/jwks.json") for _ in range(3)]
    redis.start()
    assert {answer.status_code for answer in answers} == {200}


async def test_a_webhook_is_passed_on_byte_for_byte(gateway: Gateway) -> None:
    body = (
        b'{ "id":"evt_1",\n"object" : "event","type":"payment_intent.succeeded", "created":1769940930, '
        b'"livemode":false,"data":{"object":{"id":"pi_1"}}}  '
    )
    headers = {"stripe-signature": "t=1,v1=aa,v1=bb", "content-type": "application/json", "user-agent": "Stripe/1.0"}
    answer = await gateway("POST", "/api/v1/webhooks/stripe", content=body, headers=headers)
    assert answer.status_code == 204
    request, _ = gateway.behind.last
    assert (request.payload, request.signature, request.provider) == (body, "t=1,v1=aa,v1=bb", 1)
    assert request.headers["user-agent"] == "Stripe/1.0"


async def test_a_webhook_whose_signature_is_refused_is_unauthorized(gateway: Gateway) -> None:
    gateway.behind.answers["IngestWebhook"] = refusal(Unauthenticated, "BAD_SIGNATURE", "it does not fit")
    event = {"id": "evt_1", "object": "event", "type": "x", "created": 1, "livemode": False, "data": {"object": {}}}
    answer = await gateway("POST", "/api/v1/webhooks/stripe", json=event, headers={"stripe-signature": "t=1,v1=aa"})
    assert (answer.status_code, answer.json()["code"]) == (401, "BAD_SIGNATURE")
    answer = await gateway("POST", "/api/v1/webhooks/stripe", json=event)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Stripe-Signature")
