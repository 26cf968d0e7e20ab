"""Style deepObject beyond one level: nesting and lists in the spellings of Rack, PHP and Stripe's SDKs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.targets.python.runtime.deep_object import read_deep
from codegen.targets.python.runtime.http_operation import Param, Shape
from codegen.targets.python.runtime.parameters import parse_query, query_string
from codegen.targets.python.runtime.shapes import ParameterError

ITEMS: Shape = [{"price": "string", "quantity": "integer", "tags": ["string"]}]


@pytest.mark.parametrize(
    ("raw", "shape", "value"),
    [
        ("p[]=a&p[]=b", ["string"], ["a", "b"]),
        ("p[0]=a&p[1]=b", ["string"], ["a", "b"]),
        ("p[10]=k&p[9]=j", ["string"], ["j", "k"]),
        ("p[0][price]=x&p[0][quantity]=2&p[1][price]=y", ITEMS, [{"price": "x", "quantity": 2}, {"price": "y"}]),
        (
            "p[][price]=x&p[][quantity]=2&p[][price]=y&p[][quantity]=3",
            ITEMS,
            [{"price": "x", "quantity": 2}, {"price": "y", "quantity": 3}],
        ),
        ("p[0][tags][]=a&p[0][tags][]=b", ITEMS, [{"tags": ["a", "b"]}]),
        ("p[k%20y]=1", {"*": "string"}, {"k y": "1"}),
        ("p=", ({"*": "string"}, "string"), ""),
        ("p[a]=1", ({"*": "string"}, "string"), {"a": "1"}),
        ("p=5", ("integer", {"gt": "integer"}), 5),
        ("p[gt]=5", ("integer", {"gt": "integer"}), {"gt": 5}),
        ("p[a][b]=1&p[c][0]=x", "json", {"a": {"b": "1"}, "c": ["x"]}),
    ],
)
def test_each_spelling_is_read(raw: str, shape: Shape, value: Any) -> None:
    assert read_deep("p", shape, parse_query(raw)) == value


@pytest.mark.parametrize(
    ("raw", "shape", "parameter"),
    [
        ("p[a]=1&p=2", {"a": "string"}, "p"),
        ("p[a]=1&p[a][b]=2", {"a": "string"}, "p[a][b]"),
        ("p[a]b=1", {"a": "string"}, "p[a]b"),
        ("p" + "[a]" * 9 + "=1", {"a": "string"}, "p" + "[a]" * 9),
        ("p[x]=1", ["string"], "p"),
        ("p[0][quantity]=many", ITEMS, "p[0][quantity]"),
        ("p[gt]=soon", ("integer", {"gt": "integer"}), "p[gt]"),
        ("p[][a]=1&p[][b]=2&p[][a]=3", [{"*": "string"}], "p[]"),
        ("p[a]=1&p[a]=2", {"a": "string"}, "p[a]"),
        ("p=1", {"a": "string"}, "p"),
        ("p=1", ["string"], "p"),
        ("p[a]=1", "string", "p"),
    ],
)
def test_what_is_ambiguous_or_wrong_is_named(raw: str, shape: Shape, parameter: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_deep("p", shape, parse_query(raw))
    assert caught.value.parameter == parameter


def test_what_begins_alike_is_another_parameter() -> None:
    assert read_deep("p", "json", parse_query("pa[x]=1&pp=2")) is None


KEYS = st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda key: not key.isdecimal()
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(
    TEXTS,
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
    max_leaves=8,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=-1)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3).filter(lambda value: depth(value) <= 8))
def test_what_a_client_writes_a_server_reads(value: dict[str, Any]) -> None:
    param = Param("p", "query", "p", dict, "json", style="deepObject", explode=True)
    assert read_deep("p", "json", parse_query(query_string((param,), {"p": value}))) == value
