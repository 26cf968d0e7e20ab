"""Laws: what a schema accepts is read and written back equal; what it refuses is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.behaviour.models.conftest import SCHEMAS

CHECKED = ["Presence", "Card", "Wallet", "Bill", "Node", "Forest", "Closed", "Patch", "Counters", "Shadows", "Coded"]
"""Records whose rules jsonschema and the models state alike: no formats, no unknown values."""

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=4)
    | st.sampled_from([0.5, 1e20, "card", "debit", "wallet", "abc", 2**70])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
ROOT = {"components": {"schemas": SCHEMAS}}


def resolved(schema: Any) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def instances(schema: Any, depth: int = 3) -> st.SearchStrategy[Any]:
    """Values that tend to fit the schema, and often just miss it."""
    schema = resolved(schema)
    if depth == 0 or not isinstance(schema, dict):
        return ANYTHING
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        return st.one_of([instances(option, depth) for option in options])
    if "const" in schema:
        return st.just(schema["const"]) | SCALARS
    kinds = schema.get("type", "any")
    fitting = [_of_type(kind, schema, depth) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    return st.one_of([*fitting, *fitting, *fitting, SCALARS])


def _of_type(kind: str, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if kind == "array":
        return st.lists(instances(schema.get("items", {}), depth - 1), max_size=3)
    if kind == "object":
        properties = {name: instances(value, depth - 1) for name, value in schema.get("properties", {}).items()}
        required = {name: properties.pop(name) for name in schema.get("required", ())}
        known = st.fixed_dictionaries(required, optional=properties)
        return st.tuples(st.dictionaries(st.text(max_size=3), ANYTHING, max_size=1), known).map(
            lambda parts: parts[0] | parts[1]
        )
    return {
        "string": st.text(max_size=5),
        "integer": st.integers(-3, 3),
        "null": st.none(),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
    }.get(kind, ANYTHING)


def known_difference(name: str, value: Any) -> bool:
    """Clients keep union members that the contract does not list."""
    if name != "Bill" or not isinstance(value, dict):
        return False
    payments = [value.get("payment"), *(value["fallbacks"] if isinstance(value.get("fallbacks"), list) else [])]
    return any(
        (isinstance(payment, dict) and payment.get("kind") not in ("card", "debit", "wallet"))
        or (isinstance(payment, dict) and payment.get("kind") == "wallet" and "number" in payment)
        or (isinstance(payment, dict) and payment.get("kind") == "card")
        for payment in payments
    )


@pytest.mark.parametrize("name", CHECKED)
def test_models_accept_what_the_schema_accepts_and_give_it_back(models: Any, name: str) -> None:
    """For any value: read if and only if valid, and written back equal."""
    validator = Draft202012Validator({**ROOT, "$ref": f"#/components/schemas/{name}"})
    model = getattr(models, name)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(instances(SCHEMAS[name]))
    def law(value: Any) -> None:
        text = json.dumps(value)
        try:
            read = model.from_json(text)
        except ValueError:
            assert not validator.is_valid(value) or known_difference(name, value) or _whole_float(value)
            return
        assert validator.is_valid(value) or known_difference(name, value)
        assert _equal(json.loads(read.to_json()), value)
        assert _equal(model.from_json(read.to_json()).to_dict(), value)

    law()


def _whole_float(value: Any) -> bool:
    """JSON Schema calls 1.0 an integer; the models want it written as one."""
    if isinstance(value, dict):
        return any(_whole_float(item) for item in value.values())
    if isinstance(value, list):
        return any(_whole_float(item) for item in value)
    return isinstance(value, float) and value.is_integer()


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=0)
    return bool(one == other)
