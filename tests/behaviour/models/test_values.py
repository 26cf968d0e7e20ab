"""Scalars, arrays and constraints."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st


def sent(model: Any) -> Any:
    return json.loads(model.to_json(), parse_float=Decimal)


@pytest.mark.parametrize(
    "text",
    [
        "0.1",
        "10.50",
        "1e2",
        "123456789012.345",
        "100000000000000000000000000001",
        "0",
        "1E-7",
        "0.000000000000123456789012345",
    ],
)
def test_decimal_numbers_are_exact_both_ways(models: Any, text: str) -> None:
    """The number on the wire and the Decimal are equal."""
    read = models.Numbers.from_json(f'{{"free":{text}}}')
    assert read.free == Decimal(text)
    assert sent(read) == {"free": Decimal(text)}


@pytest.mark.parametrize("text", ["0.1234567890123456789", "1234567890123456.7", "1e400", "NaN", '"1.5"', "true"])
def test_numbers_that_cannot_be_read_exactly_are_refused(models: Any, text: str) -> None:
    """Nothing is rounded in silence."""
    with pytest.raises(ValueError):
        models.Numbers.from_json(f'{{"free":{text}}}')


def test_decimals_that_cannot_be_written_exactly_are_refused(models: Any) -> None:
    """A Decimal that no double holds is an error, not a rounded number."""
    with pytest.raises(ValueError):
        models.Numbers(free=Decimal("0.1234567890123456789")).to_json()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_money_survives(models: Any, amount: Decimal) -> None:
    """Any amount with four places is written and read as itself, as a number and as text."""
    again = models.Numbers.from_json(models.Numbers(free=amount, text=amount).to_json())
    assert (again.free, again.text) == (amount, amount)


def test_decimal_text_is_written_without_exponent(models: Any) -> None:
    """Text keeps its digits; an exponent never appears."""
    assert models.Numbers(text=Decimal("1E+3")).to_dict() == {"text": "1000"}
    assert models.Numbers.from_json('{"text":"10.50"}').to_dict() == {"text": "10.50"}
    for text in ('{"text":1.5}', '{"text":"NaN"}', '{"text":"x"}', '{"text":""}', '{"text":"1_0"}'):
        with pytest.raises(ValueError):
            models.Numbers.from_json(text)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ('{"price":-0.01}', False),
        ('{"price":0}', True),
        ('{"small":2147483647}', True),
        ('{"small":2147483648}', False),
        ('{"wide":9223372036854775807}', True),
        ('{"wide":9223372036854775808}', False),
        ('{"wide":"12"}', True),
        ('{"wide":"-1"}', False),
        ('{"wide":"1.5"}', False),
        ('{"wide":"9223372036854775808"}', False),
        ('{"small":"12"}', False),
        ('{"any":0}', False),
        ('{"any":2}', True),
        ('{"any":3}', False),
        ('{"any":12}', False),
        ('{"ratio":1}', True),
        ('{"ratio":"1"}', False),
        ('{"ratio":NaN}', False),
        ('{"ratio":Infinity}', False),
    ],
)
def test_number_rules(models: Any, text: str, accepted: bool) -> None:
    """Bounds, steps, widths and types hold; 64-bit integers may come as text."""
    assert accepts(models.Numbers, text) is accepted


def test_wide_integers_are_written_as_numbers_and_servers_want_numbers(models: Any, emitted: Any) -> None:
    """The text form is read by clients only."""
    assert models.Numbers.from_json('{"wide":"9007199254740993"}').to_json() == b'{"wide":9007199254740993}'
    with emitted.runtime("strictness").strict_requests(), pytest.raises(ValueError):
        models.Numbers.from_json('{"wide":"1"}')


def test_a_date_time_has_a_zone(models: Any) -> None:
    """A time without offset is refused; an offset is kept."""
    read = models.Times.from_json('{"at":"2026-11-23T10:00:00.25+02:00"}')
    assert read.at == datetime.datetime(2026, 11, 23, 8, 0, 0, 250_000, datetime.UTC)
    assert datetime.datetime.fromisoformat(read.to_dict()["at"]) == read.at
    for text in ('{"at":"2026-11-23T10:00:00"}', '{"at":1700000000}', '{"at":"2026-11-23"}'):
        with pytest.raises(ValueError):
            models.Times.from_json(text)
    with pytest.raises(ValueError):
        models.Times(at=read.at.replace(tzinfo=None))


@given(st.timedeltas(min_value=datetime.timedelta(days=-(10**6)), max_value=datetime.timedelta(days=10**6)))
def test_durations_survive(models: Any, length: datetime.timedelta) -> None:
    """Any duration is written as ISO 8601 and read as itself, negative ones included."""
    assert models.Times.from_json(models.Times(length=length).to_json()).length == length


@pytest.mark.parametrize("text", ["P1M", "P1Y", "1 day", "P", "PT", "", "P1DT"])
def test_durations_without_fixed_length_are_refused(models: Any, text: str) -> None:
    """A month is no number of seconds."""
    with pytest.raises(ValueError):
        models.Times.from_json(json.dumps({"length": text}))


@given(st.binary())
def test_octets_are_standard_base64(models: Any, octets: bytes) -> None:
    """Octets survive, in the alphabet of RFC 4648 section 4."""
    text = models.Times(octets=octets).to_json()
    assert b"-" not in text and b"_" not in text
    assert models.Times.from_json(text).octets == octets


def test_other_formats_survive(models: Any) -> None:
    """Dates, times and UUIDs come back as they went in."""
    text = '{"day":"2026-02-28","clock":"10:00:00Z","id":"12345678-1234-5678-1234-567812345678"}'
    assert json.loads(models.Times.from_json(text).to_json()) == json.loads(text)
    assert not accepts(models.Times, '{"day":"2026-02-30"}')


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ('{"pair":["a",1]}', True),
        ('{"pair":["a"]}', False),
        ('{"pair":["a",1,2]}', False),
        ('{"pair":[1,"a"]}', False),
        ('{"up_to":[]}', True),
        ('{"up_to":["a"]}', True),
        ('{"up_to":["a",1]}', True),
        ('{"up_to":["a",1,1]}', False),
        ('{"tail":["a"]}', True),
        ('{"tail":["a",1,2]}', True),
        ('{"tail":["a","b"]}', False),
        ('{"tail":[]}', False),
        ('{"unique":[1,2]}', True),
        ('{"unique":[1,1]}', False),
        ('{"unique":[1,2,3,4]}', False),
        ('{"map":{"a":1}}', True),
        ('{"map":{}}', False),
        ('{"map":{"a":"1"}}', False),
        ('{"anything":null}', True),
        ('{"anything":[{}]}', True),
        ('{"nothing":null}', False),
        ('{"nothing":1}', False),
        ('{"code":"12"}', True),
        ('{"code":"123"}', False),
        ('{"code":"\\u0661\\u0662"}', False),
        ('{"code":"12\\n"}', False),
        ('{"guarded":"user"}', True),
        ('{"guarded":"rooted"}', False),
        ('{"half":2.5}', True),
        ('{"half":2}', False),
    ],
)
def test_shapes(models: Any, text: str, accepted: bool) -> None:
    """Arrays, tuples, maps, patterns, constants, anything and nothing; what is accepted comes back equal."""
    assert accepts(models.Shapes, text) is accepted
    if accepted:
        assert json.loads(models.Shapes.from_json(text).to_json()) == json.loads(text)


def test_recursive_types(models: Any) -> None:
    """Records and unions may contain themselves."""
    text = '{"name":"a","children":[{"name":"b","children":[]}],"parent":null}'
    assert json.loads(models.Node.from_json(text).to_json()) == json.loads(text)
    tree = '{"tree":[1,[2,[]]]}'
    assert models.Forest.from_json(tree).to_json() == tree.encode()
    assert not accepts(models.Forest, '{"tree":[1,"x"]}')


def test_codecs_read_and_write_any_annotation(models: Any, emitted: Any) -> None:
    """Lists, unions and aliases follow the rules of models."""
    codec = emitted.runtime("models").Codec
    nodes = codec(list[models.Node]).from_json('[{"name":"a"}]')
    assert nodes[0].name == "a" and codec(list[models.Node]).to_json(nodes) == b'[{"name":"a"}]'
    assert type(codec(models.Payment).from_json('{"kind":"new"}')) is models.UnknownPayment
    assert codec(int).from_text("12") == 12
    assert codec(bytes).from_json('"AAE="') == b"\x00\x01"
    with pytest.raises(ValueError):
        codec(int).from_json('"12"')


def test_assigned_values_of_the_wrong_type_are_not_written(models: Any) -> None:
    """What breaks the type is an error on the way out."""
    node = models.Node(name="a")
    node.name = 5
    with pytest.raises(ValueError):
        node.to_json()


def accepts(model: Any, text: str) -> bool:
    try:
        model.from_json(text)
    except ValueError:
        return False
    return True
