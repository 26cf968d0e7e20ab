"""Absent, null and default are told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest


def sent(model: Any) -> Any:
    return json.loads(model.to_json())


def test_absent_optional_properties_stay_absent(models: Any) -> None:
    """Nothing that was not on the wire is written."""
    read = models.Presence.from_json(b'{"a":"x","b":null}')
    assert (read.c, read.d, read.e) == (None, None, 5)
    assert sent(read) == {"a": "x", "b": None}


def test_none_for_an_optional_property_that_is_not_nullable_means_absent(models: Any) -> None:
    """None given by the caller is not written, neither in the constructor nor by assignment."""
    made = models.Presence(a="x", b="y", c=None)
    assert sent(made) == {"a": "x", "b": "y"}
    made.c = "cc"
    assert sent(made) == {"a": "x", "b": "y", "c": "cc"}
    made.c = None
    assert sent(made) == {"a": "x", "b": "y"}


def test_none_for_a_nullable_optional_property_is_written_as_null(models: Any) -> None:
    """The caller's None is data when the contract knows null."""
    assert sent(models.Presence(a="x", b=None, d=None)) == {"a": "x", "b": None, "d": None}


@pytest.mark.parametrize(
    "text",
    [
        '{"a":null,"b":"x"}',
        '{"b":"x"}',
        '{"a":"x"}',
        '{"a":"x","b":"y","c":null}',
        '{"a":"x","b":"y","e":null}',
        '{"a":"x","b":"y","c":"1"}',
        '{"a":1,"b":"y"}',
        '{"a":"x","b":"y","e":"5"}',
        '{"a":"x","b":"y","e":true}',
        "[]",
        "null",
        "",
        '{"a":"x","b":"y"',
    ],
)
def test_what_breaks_the_contract_is_refused(models: Any, text: str) -> None:
    """Null where it is not allowed, missing properties, wrong types and broken JSON are validation errors."""
    with pytest.raises(ValueError):
        models.Presence.from_json(text)


def test_a_default_is_read_but_sent_only_when_given(models: Any) -> None:
    """The contract's default fills the attribute; a given value is sent even when equal to it."""
    assert sent(models.Presence(a="x", b="y", e=5)) == {"a": "x", "b": "y", "e": 5}


def test_unknown_properties_survive(models: Any) -> None:
    """Properties that the contract does not name come back out."""
    text = '{"a":"x","b":"y","new":{"deep":[1,2.5,null]}}'
    assert sent(models.Presence.from_json(text)) == json.loads(text)


def test_forbidden_properties_are_refused(models: Any) -> None:
    """`additionalProperties: false` holds."""
    with pytest.raises(ValueError):
        models.Closed.from_json('{"a":1,"b":2}')


def test_typed_additional_properties_are_checked_and_kept(models: Any) -> None:
    """Further properties have the type that the contract gives them."""
    read = models.Counters.from_json('{"label":"x","n":3}')
    assert read.__pydantic_extra__ == {"n": 3}
    assert sent(read) == {"label": "x", "n": 3}
    with pytest.raises(ValueError):
        models.Counters.from_json('{"n":"3"}')


def test_constants_are_filled_in_by_constructors_and_demanded_on_the_wire(models: Any) -> None:
    """A required property with one value need not be given, is always written, and must be read."""
    assert sent(models.Wallet(owner="me")) == {"kind": "wallet", "owner": "me"}
    with pytest.raises(ValueError):
        models.Wallet.from_json('{"owner":"me"}')
    with pytest.raises(ValueError):
        models.Wallet.from_json('{"kind":"card","owner":"me"}')


def test_names_that_python_or_pydantic_use_get_an_underscore(models: Any) -> None:
    """Every property is reachable and keeps its wire name."""
    wire = dict.fromkeys(
        (
            "copy",
            "json",
            "schema",
            "model_config",
            "register",
            "class",
            "to_json",
            "list",
            "str",
            "self",
            "fooBar",
            "foo_bar",
            "@id",
            "2nd",
            "_links",
            "X-Rate",
            "model_fields",
            "date",
            "datetime",
            "Any",
        ),
        "v",
    )
    read = models.Shadows.from_json(json.dumps(wire))
    assert not read.__pydantic_extra__
    assert (read.copy_, read.json_, read.list_, read.class_) == ("v",) * 4
    assert (read.id, read.n2nd, read.links, read.x_rate) == ("v",) * 4
    assert (read.fooBar, read.foo_bar) == ("v", "v")
    assert sent(read) == wire


def test_attribute_names_are_not_wire_names(models: Any) -> None:
    """A wire property spelled like an attribute is another property."""
    read = models.Shadows.from_json('{"copy":"a","fooBar":"b","copy_":"c"}')
    assert read.copy_ == "a"
    assert sent(read) == {"copy": "a", "fooBar": "b", "copy_": "c"}
    with pytest.raises(ValueError):
        models.Shadows.from_json('{"copy_":"c","fooBar":"b"}')


def test_requests_and_responses_of_one_schema_differ(models: Any, emitted: Any) -> None:
    """readOnly properties are no part of requests, writeOnly ones never of responses, also within containers."""
    assert models.Account(id="1", name="n").to_dict() == {"id": "1", "name": "n"}
    assert models.AccountRequest(name="n", password="p").to_dict() == {"name": "n", "password": "p"}
    assert models.Account(id="1", name="n", password="secret").to_dict() == {"id": "1", "name": "n"}
    accounts = models.AccountsRequest(accounts=[models.AccountRequest(name="n", password="p")])
    assert accounts.to_dict() == {"accounts": [{"name": "n", "password": "p"}]}
    with emitted.runtime("strictness").strict_requests(), pytest.raises(ValueError):
        models.AccountsRequest.from_json('{"accounts":[{"id":"1","name":"n","password":"p"}]}')
