"""Laws of parameters on the wire, and the style table of OpenAPI 3.1 section 4.8.12."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.targets.python.runtime.http_operation import Param, Shape
from codegen.targets.python.runtime.http_routing import Router
from codegen.targets.python.runtime.parameters import (
    expand_path,
    header_text,
    parse_query,
    query_string,
    read_query,
    read_simple,
)
from codegen.targets.python.runtime.shapes import ParameterError

ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}


@pytest.mark.parametrize(
    ("style", "explode", "text", "array", "members"),
    [
        ("matrix", False, ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"),
        ("matrix", True, ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
        ("label", False, ".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
        ("label", True, ".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
        ("simple", False, "blue", "blue,black,brown", "R,100,G,200,B,150"),
        ("simple", True, "blue", "blue,black,brown", "R=100,G=200,B=150"),
    ],
)
def test_paths_are_written_as_the_style_table_says(
    style: str, explode: bool, text: str, array: str, members: str
) -> None:
    param = Param("color", "path", "c", style=style, explode=explode, required=True)
    assert [expand_path("/{color}", (param,), {"c": value}) for value in ("blue", ARRAY, OBJECT)] == [
        f"/{text}",
        f"/{array}",
        f"/{members}",
    ]


@pytest.mark.parametrize(
    ("style", "explode", "array", "members"),
    [
        ("form", False, "color=blue,black,brown", "color=R,100,G,200,B,150"),
        ("form", True, "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
        ("spaceDelimited", False, "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"),
        ("pipeDelimited", False, "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"),
        ("deepObject", True, None, "color[R]=100&color[G]=200&color[B]=150"),
    ],
)
def test_queries_are_written_as_the_style_table_says(
    style: str, explode: bool, array: str | None, members: str
) -> None:
    param = Param("color", "query", "c", style=style, explode=explode)
    if array is not None:
        assert query_string((param,), {"c": ARRAY}) == array
    assert query_string((param,), {"c": OBJECT}) == members


def test_reserved_characters_stay_where_the_contract_allows_them() -> None:
    param = Param("q", "query", "q", allow_reserved=True)
    assert query_string((param,), {"q": "a/b?c&d#e=f"}) == "q=a/b?c%26d%23e%3Df"


def test_empty_arrays_and_nulls_are_left_out() -> None:
    param = Param("q", "query", "q", explode=True)
    assert query_string((param,), {"q": []}) == ""
    assert query_string((param,), {"q": ["a", None, "b"]}) == "q=a&q=b"
    assert query_string((param,), {"q": None}) == ""


texts = st.text(min_size=1, max_size=8)
SHAPE: Shape = {"text": "string", "number": "integer", "flag": "boolean", "list": ["string"]}
objects = st.fixed_dictionaries(
    {"text": texts, "number": st.integers(-(10**18), 10**18), "flag": st.booleans()},
    optional={"list": st.lists(texts, min_size=1, max_size=3)},
)
flat = st.fixed_dictionaries({"text": texts, "number": st.integers(-(10**18), 10**18), "flag": st.booleans()})
scalars: list[tuple[Shape, st.SearchStrategy[Any]]] = [
    ("string", texts),
    ("integer", st.integers(-(10**30), 10**30)),
    ("boolean", st.booleans()),
    ("number", st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30)),
]


@pytest.mark.parametrize(("shape", "values"), scalars)
@pytest.mark.parametrize("style", ["simple", "label", "matrix"])
@given(data=st.data())
def test_a_path_value_comes_back(style: str, shape: Shape, values: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(values)
    param = Param("p", "path", "p", shape=shape, required=True, style=style)
    try:
        path = expand_path("/a/{p}/b", (param,), {"p": value})
    except ParameterError:
        assert value in (".", "..")
        return
    assert path.count("/") == 3
    router: Router[str] = Router()
    router.add("GET", "/a/{p}/b", "found")
    found = router.find(path)
    assert found is not None
    assert read_simple(param, found[1][0]) == value


@pytest.mark.parametrize("explode", [True, False])
@pytest.mark.parametrize("style", ["form", "spaceDelimited", "pipeDelimited"])
@given(value=st.lists(texts, min_size=1, max_size=4))
def test_an_array_in_a_query_comes_back(style: str, explode: bool, value: list[str]) -> None:
    param = Param("p", "query", "p", shape=["string"], style=style, explode=explode)
    written = query_string((param,), {"p": value})
    if style == "spaceDelimited" and not explode and any(" " in item for item in value):
        return
    if style == "pipeDelimited" and not explode and any("|" in item for item in value):
        return
    assert read_query(param, parse_query(written)) == value


@given(value=objects)
def test_a_deep_object_comes_back(value: dict[str, Any]) -> None:
    param = Param("p", "query", "p", shape=SHAPE, style="deepObject")
    assert read_query(param, parse_query(query_string((param,), {"p": value}))) == value


@pytest.mark.parametrize("explode", [True, False])
@given(value=flat)
def test_an_object_in_a_query_comes_back(explode: bool, value: dict[str, Any]) -> None:
    param = Param("p", "query", "p", shape=SHAPE, explode=explode)
    assert read_query(param, parse_query(query_string((param,), {"p": value}))) == value


@given(text=st.text())
def test_a_header_is_one_line_of_ascii_or_refused(text: str) -> None:
    try:
        written = header_text("h", text)
    except ParameterError:
        return
    assert written.isascii()
    assert not set("\r\n\0") & set(written)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("integer", "1.0"),
        ("integer", "0x1"),
        ("integer", " 1"),
        ("integer", "\u0661"),
        ("number", "nan"),
        ("number", "1_0"),
        ("boolean", "True"),
        ("boolean", "1"),
        (("integer", "boolean"), "x"),
    ],
)
def test_text_that_is_no_value_is_refused(shape: Shape, text: str) -> None:
    with pytest.raises(ParameterError):
        read_simple(Param("p", "header", "p", shape=shape, style="simple"), text if text != " 1" else "1 1")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a/b", "concrete"),
        ("/a/x", "one"),
        ("/a/x%2Fy", "one"),
        ("/a/x.json", "suffix"),
        ("/a/b/c", "two"),
        ("/a/%62", "concrete"),
        ("/a/", None),
        ("/a", None),
        ("/a/b/d", None),
        ("/b", None),
    ],
)
def test_the_most_concrete_template_is_found(path: str, found: str | None) -> None:
    router: Router[str] = Router()
    for template, name in (("/a/{x}", "one"), ("/a/b", "concrete"), ("/a/{x}.json", "suffix"), ("/a/{x}/c", "two")):
        router.add("GET", template, name)
    match = router.find(path)
    assert (match[0]["GET"][0] if match else None) == found
