"""What Schemathesis says is read as findings, and its configuration is one that it accepts."""

from __future__ import annotations

import importlib
import tomllib
from types import ModuleType

import pytest

from harness.pacts.fuzzing import LEGS, Leg, configuration, failures_in, run

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="schemathesis">
<testcase name="POST /api/v1/customers"><failure type="failure" message="ST202">1. Test Case ID: dwMZKy

- ST202 Schema-valid request rejected

    Valid data should have been accepted

[400] Bad Request:

    `{"detail":"no"}`

Reproduce with:

    curl -X POST -d '{}' http://127.0.0.1:43077/api/v1/customers

2. Test Case ID: zzzz

- ST101 Server error

- ST301 Undocumented Content-Type

[500] Internal Server Error:

    `{"detail":"oh"}`

Reproduce with:

    curl -X POST -d '{}' http://127.0.0.1:43077/api/v1/customers</failure></testcase>
<testcase name="Stateful tests"><failure type="failure" message="ST202">1. Test Case ID: a

- ST202 Schema-valid request rejected

[400] Bad Request:

    `{"detail":"x"}`

Reproduce with:

    curl -X PUT -H 'A: b' -d '{}' 'http://127.0.0.1:1/api/v1/carts/crt_1/items/p?q=1'</failure></testcase>
<testcase name="GET /api/v1/products" />
</testsuite></testsuites>
"""


def test_each_failure_is_read_with_its_operation_code_and_answer() -> None:
    found = failures_in(REPORT, "a leg")
    assert [(each.operation, each.code, each.status, each.answer) for each in found] == [
        ("POST /api/v1/customers", "ST202", 400, '{"detail":"no"}'),
        ("POST /api/v1/customers", "ST101", 500, '{"detail":"oh"}'),
        ("POST /api/v1/customers", "ST301", 500, '{"detail":"oh"}'),
        ("PUT /api/v1/carts/crt_1/items/p", "ST202", 400, '{"detail":"x"}'),
    ]


def test_operations_that_refuse_by_rules_may_answer_400() -> None:
    found = tomllib.loads(configuration(["registerCustomer"]))
    assert found["warnings"]["fail-on"] == ["missing_auth"]
    assert found["generation"]["deterministic"] is True
    (rule,) = found["operations"]
    assert rule["include-operation-id"] == "registerCustomer"
    assert "400" in rule["checks"]["positive_data_acceptance"]["expected-statuses"]
    assert "400" not in found["checks"]["positive_data_acceptance"]["expected-statuses"]


def test_a_gateway_that_is_away_is_a_broken_leg_and_no_pass() -> None:
    leg = Leg(name="keys", phases=("coverage",), examples=1, paths="^/.well-known")
    (found,) = run("http://127.0.0.1:1", "token", {"customer_id": "cus_1"}, business=[], excluded=[], legs=[leg])
    assert found.broken


def test_the_whole_api_is_in_one_leg() -> None:
    assert LEGS[0].paths == ""
    assert "coverage" in LEGS[0].phases


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("CONTRACT_TEST_THINGS", '{"customer_id": "cus_me", "/api/v1/orders/": "ord_mine"}')
    import schemathesis

    monkeypatch.setattr(schemathesis, "hook", lambda function: function)
    return importlib.reload(importlib.import_module("harness.pacts.fuzz_hooks"))


def test_bodies_are_of_the_customer_unless_they_are_wrong_by_intent(hooks: ModuleType) -> None:
    assert hooks.map_body(None, {"customer_id": "cus_1"}) == {"customer_id": "cus_me"}
    for wrong in ({"customer_id": "no id!"}, {"customer_id": None}, ["cus_1"], None):
        assert hooks.map_body(None, wrong) == wrong


def test_about_half_of_the_ids_in_paths_exist_and_always_the_same(hooks: ModuleType) -> None:
    class Context:
        class operation:
            path = "/api/v1/orders/{id}"

    made = [hooks.map_path_parameters(Context, {"id": f"ord_{number}"})["id"] for number in range(200)]
    assert 60 < made.count("ord_mine") < 140
    assert made == [hooks.map_path_parameters(Context, {"id": f"ord_{number}"})["id"] for number in range(200)]
    assert hooks.map_path_parameters(Context, {"id": "a b"}) == {"id": "a b"}
