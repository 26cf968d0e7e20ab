"""Exchanges are held to the gateway's contract; one mistake is one finding."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.pacts.contracts import gateway_document
from harness.pacts.judging import PROBLEM, Judge
from harness.pacts.observed import Exchange

LIMITS = (("ratelimit-limit", "100"), ("ratelimit-remaining", "99"), ("ratelimit-reset", "1"))
PRICES = {"prices": {}, "missing_product_ids": ["prd_1"]}


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge(gateway_document())


def exchange(body: Any = None, *, status: int = 200, kind: str = "application/json", **more: Any) -> Exchange:
    return Exchange(
        **{
            "method": "GET",
            "url": "/api/v1/prices?product_ids=prd_1",
            "status": status,
            "headers": (("content-type", kind), *LIMITS),
            "body": b"" if body is None else json.dumps(body).encode(),
            **more,
        }
    )


def problem(status: int, **more: Any) -> Exchange:
    return exchange({"type": "about:blank", "title": "No", "status": status}, status=status, kind=PROBLEM, **more)


def causes(judge: Judge, found: Exchange) -> list[str]:
    return [each.cause for each in judge.problems(found)]


def test_an_exchange_as_the_contract_says_has_no_problems(judge: Judge) -> None:
    assert causes(judge, exchange(PRICES)) == []
    assert causes(judge, problem(400)) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (exchange({"prices": 3, "missing_product_ids": []}), "$.prices type"),
        (exchange({"prices": {}}), "'missing_product_ids' is a required property"),
        (problem(418), "Unknown response http status"),
        (exchange({"title": "No"}, status=400), "an error of type application/json"),
        (exchange(PRICES, headers=(("content-type", "application/json"),)), "without ratelimit-limit"),
        (exchange(PRICES, url="/api/v1/prices"), "was accepted"),
        (exchange(PRICES, url="/api/v1/prices?product_ids=%20%20"), "was accepted"),
        (exchange({"type": "x", "title": "No", "status": 404}, status=400, kind=PROBLEM), "names another status"),
        (exchange(PRICES, complete=False, status=418), "status 418 is not in the contract"),
    ],
)
def test_what_breaks_the_contract_is_named(judge: Judge, found: Exchange, told: str) -> None:
    assert any(told in cause for cause in causes(judge, found)), causes(judge, found)


def test_a_request_that_was_refused_may_be_anything(judge: Judge) -> None:
    assert causes(judge, problem(400, url="/api/v1/prices")) == []


def test_an_empty_query_value_is_a_value(judge: Judge) -> None:
    listed = exchange({"products": [], "next_page_token": ""}, url="/api/v1/products?category=")
    assert causes(judge, listed) == []


def test_one_mistake_is_one_finding_with_its_count(judge: Judge) -> None:
    wrong = [exchange({"prices": number, "missing_product_ids": []}) for number in range(5)]
    found = judge.judge([*wrong, exchange(PRICES)])
    (finding,) = found.findings
    assert (finding.operation, finding.status, finding.count) == ("getPrices", 200, 5)
    assert found.statuses["getPrices", 200] == 6


def test_what_the_contract_does_not_have_is_counted_and_must_still_be_a_problem(judge: Judge) -> None:
    found = judge.judge(
        [
            problem(405, method="PUT"),
            exchange({}, status=404, kind="text/html", url="/nothing"),
            problem(415, method="POST", url="/api/v1/carts"),
        ]
    )
    assert found.outside == {"PUT 405": 1, "GET 404": 1}
    assert found.unsaid == {415: 1}
    assert [each.problem for each in found.findings] == [f"an error of type text/html, not {PROBLEM}"]


def test_fixed_paths_go_before_templates(judge: Judge) -> None:
    assert judge.operation(exchange(url="/api/v1/products/prd_1/price")) == "getProductPrice"
    assert judge.operation(exchange(url="/api/v1/products/prd_1")) == "getProduct"
    assert judge.operation(exchange(url="/api/v1/products/prd_1/price/now")) is None
