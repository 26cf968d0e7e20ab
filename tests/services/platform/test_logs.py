"""Logs: one JSON object a line, with the trace, and nothing in them that must not be, in whatever spelling."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop.runtime.context import TraceContext, trace_scope

from services.platform.logs import JsonFormatter, configure
from services.platform.masking import mask, mask_value

CARDS = (
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "6200000000000005",
)
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=16, max_size=40)
HEX = st.text("0123456789abcdef", min_size=32, max_size=32)


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged, with the configuration of before restored at the end."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    handler = configure("order", level=logging.DEBUG, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.removeHandler(handler)
    root.setLevel(level)
    for each in before:
        root.addHandler(each)


Logged = Callable[[], list[dict[str, Any]]]


def test_a_record_is_one_json_object_with_the_trace_as_correlation_id(logged: Logged) -> None:
    with trace_scope(TraceContext.new()) as trace:
        logging.getLogger("a.b").info("order %s\nplaced", "o1", extra={"order_id": "o1", "items": [1, {"n": 2}]})
    [record] = logged()
    assert record.pop("time").endswith("Z")
    assert record == {
        "level": "INFO",
        "logger": "a.b",
        "message": "order o1\nplaced",
        "service": "order",
        "trace_id": trace.trace_id,
        "span_id": trace.span_id,
        "order_id": "o1",
        "items": [1, {"n": 2}],
    }


def test_arguments_extra_exceptions_and_stacks_are_masked(logged: Logged) -> None:
    secret = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
    try:
        try:
            raise ValueError(f"inner {secret}")
        except ValueError as cause:
            raise RuntimeError("mail ada@example.org") from cause
    except RuntimeError:
        logging.getLogger("x").exception(
            "called with %s and %r", secret, {"password": "hunter2"}, extra={"request": {"client_secret": "s3", "n": 1}}
        )
    logging.getLogger("x").warning("here", stack_info=True, extra={"raw": b"card 4242424242424242", "obj": object()})
    text = json.dumps(logged())
    for leaked in (secret, "ada@example.org", "hunter2", "s3", "4242424242424242"):
        assert leaked not in text
    assert "RuntimeError: mail [email]" in text
    assert logged()[0]["request"] == {"client_secret": "[secret]", "n": 1}


def test_handlers_of_libraries_are_taken_away_so_that_nothing_passes_by(logged: Logged) -> None:
    library = logging.getLogger("another.package")
    aside = io.StringIO()
    library.addHandler(logging.StreamHandler(aside))
    library.propagate = False
    handler = configure("order", stream=io.StringIO())
    try:
        library.warning("token=abcdef")
        assert aside.getvalue() == ""
    finally:
        logging.getLogger().removeHandler(handler)


def test_a_record_whose_arguments_do_not_fit_is_told_of(logged: Logged) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%d things of %s", ("many",), None)
    found = json.loads(JsonFormatter("order").format(record))
    assert "many" in found["message"]
    assert "not formatted" in found["message"]


def spellings(value: str) -> list[str]:
    """The ways in which a secret gets into a log."""
    inner = json.dumps({"client_secret": value, "n": 1})
    basic = base64.b64encode(f"{value}:".encode()).decode()
    return [
        f"client_secret={value}",
        f"a=1&client_secret={quote_plus(value)}&b=2",
        urlencode({"card[client_secret]": value, "b": "2"}),
        inner,
        json.dumps({"body": inner}),
        json.dumps({"outer": json.dumps({"body": inner})}),
        quote(inner),
        repr({"client_secret": value}),
        repr([(b"client-secret", value.encode())]),
        f"Authorization: Bearer {value}",
        f"authorization: Basic {basic}",
        f"sent header Basic {basic}",
        json.dumps({"Authorization": f"Bearer {value}"}),
        f"headers={{'Authorization': 'Bearer {value}'}}",
        f"api_secret: {value}\nnext: line",
        f"-H 'X-Api-Key: {value}'",
        f"password => {value}",
        json.dumps({"clientSecret": value}),
    ]


@given(LETTERS)
def test_no_spelling_of_a_named_secret_gets_through(value: str) -> None:
    for text in spellings(value):
        masked = mask(text)
        assert value not in masked, text
        assert base64.b64encode(f"{value}:".encode()).decode() not in masked, text


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=4, max_size=30))
def test_a_secret_of_any_characters_is_hidden_whole_where_json_and_forms_say_where_it_ends(value: str) -> None:
    inner = json.dumps({"password": value, "n": 1}, ensure_ascii=False)
    hidden = '{"password": "[secret]", "n": 1}'
    assert mask(inner) == hidden
    assert mask(json.dumps({"body": inner}, ensure_ascii=False)) == json.dumps({"body": hidden})
    form = mask(f"a=1&password={quote(value, safe='')}&b=2")
    assert re.fullmatch(r"a=1&password=(%20)*\[secret\]&b=2", form), "spaces in front may stay"
    assert mask(quote(inner)) == quote(inner).replace(quote(json.dumps(value, ensure_ascii=False)), "%22[secret]%22")


@given(LETTERS, HEX)
def test_keys_are_known_by_their_prefix_alone_also_in_base64(value: str, digits: str) -> None:
    keys = [f"sk_test_{value}", f"rk_live_{value}", f"whsec_{value}", f"SG.{value}.{value}", f"AC{digits}"]
    for key in keys:
        for text in (f"using {key} now", f"https://x/?k={key}&b", f'"{key}"', f"({key})", f"{key}\n"):
            assert value not in mask(text), text
            assert digits not in mask(text), text
        encoded = base64.b64encode(f"{key}:{value}{value}".encode()).decode()
        for text in (f"header {encoded}", f"k={quote_plus(encoded)}"):
            assert encoded[:24] not in mask(text), text


@given(
    st.sampled_from(CARDS),
    st.sampled_from(["", " ", "-", "+", "%20"]),
    st.sampled_from(["{}", "n={}&x", '"{}"', "{},"]),
)
def test_card_numbers_are_hidden_but_for_their_last_four_digits(card: str, gap: str, around: str) -> None:
    text = around.format(gap.join(card[at : at + 4] for at in range(0, len(card), 4)))
    assert f"[card *{card[-4:]}]" in mask(text)
    assert card[:8] not in mask(text)


@given(st.integers(10**12, 10**19 - 1))
def test_other_long_numbers_are_left_alone_unless_their_check_digit_and_issuer_fit(number: int) -> None:
    digits = [int(digit) for digit in reversed(str(number))]
    total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    if total % 10 or str(number)[0] not in "23456":
        assert mask(f"id {number} end") == f"id {number} end"


@given(st.emails())
def test_mail_addresses_are_hidden_plain_and_encoded(address: str) -> None:
    local, _, domain = address.partition("@")
    if not local.replace(".", "").replace("+", "").replace("-", "").isalnum() or "xn--" in domain:
        return
    for text in (f"to {address}!", f"email={quote_plus(address)}&b", f'"{local}\\u0040{domain}"', f"<{address}>"):
        assert domain not in mask(text), text
        assert "[email]" in mask(text), text


@pytest.mark.parametrize(
    "number", ["+4915123456789", "+1 (555) 123-4567", "+44 20 7946 0958", "%2B15551234567", "0049 151 2345678"]
)
def test_phone_numbers_are_hidden(number: str) -> None:
    assert mask(f"call {number}, now") == "call [phone], now"


@pytest.mark.parametrize(
    "text",
    [
        "tokens left: 5, keys: 3",
        "at 2026-11-26T03:02:57.123456+00:00 in 0.0123456789 s",
        "id=1795661807057-1 lag=12",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
        "GET /api/v1/orders/ord_9a8b7c6d5e -> 200",
        "8f14e45f-ceea-467f-a9e6-5f1c2d3b4a59",
        "basically fine; bearers of news",
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert mask(text) == text


def test_values_are_masked_by_name_at_any_depth_and_cycles_end() -> None:
    endless: dict[str, Any] = {"api_key": "k", "n": None, "empty": {"token": ""}, "card": 4242424242424242}
    endless["self"] = [endless]
    found = mask_value(endless)
    assert (found["api_key"], found["n"], found["empty"], found["card"]) == (
        "[secret]",
        None,
        {"token": ""},
        "[card *4242]",
    )
    assert "'k'" not in repr(found)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@settings(max_examples=40)
def test_masking_any_value_gives_json(value: Any) -> None:
    json.dumps(mask_value(value))
