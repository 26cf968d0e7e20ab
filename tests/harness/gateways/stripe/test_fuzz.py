"""Requests that nobody would send: always an answer of Stripe's, never a crash, never a hang."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop.external.stripe.http import operations
from shop.runtime.http_operation import Operation

from harness.gateways.inprocess import RunningMock

OPERATIONS: list[Operation[Any]] = [each for each in vars(operations).values() if isinstance(each, Operation)]
NASTY = st.sampled_from(
    [
        *("", "0", "-1", "500", "true", "True", "null", "NaN", "1e400", "٢", "9223372036854775808", "9" * 5000, "\x00"),
        *(
            "usd",
            "jpy",
            "manual",
            "card",
            "pm_card_visa",
            "pm_card_visa_chargeDeclined",
            "tok_visa",
            "4242424242424242",
        ),
        *(
            "http://[",
            "latest_charge.balance_transaction",
            "data.customer",
            "x" * 600,
            "[]",
            "%",
            "a@b.co",
            "fraudulent",
        ),
    ]
)
"""What has broken parsers before, and what comes far."""
Asked: TypeAlias = tuple[str, str, str]
"""(method, path with query, form)"""
SUFFIXES = st.sampled_from(["", "", "", "[]", "[0]", "[x]", "[x][y]", "[", "]", "[[a]]", "[a]b"])
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "authorization": st.sampled_from([b"", b"Bearer", b"Basic =", b"Basic !", b"Bearer sk_\xe9", b"Digest x"]),
        "idempotency-key": st.sampled_from([b"", b"k1", b"k" * 256, b"\xe9"]),
        "stripe-version": st.sampled_from([b"", b"soon", b"2020-08-27"]),
        "content-type": st.sampled_from([b"application/json", b"multipart/form-data", b";", b"text/plain"]),
        "accept": st.sampled_from([b"text/html", b"*/*;q=0", b",,"]),
    },
)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield client


def names_of(operation: Operation[Any]) -> list[str]:
    listed = [param.name for param in operation.params if param.place == "query"]
    for content in operation.body:
        listed += list(content.shape) if isinstance(content.shape, dict) else []
    return sorted(listed) or ["expand"]


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    operation = draw(st.sampled_from(OPERATIONS))
    pairs = draw(st.lists(st.tuples(st.sampled_from(names_of(operation)), SUFFIXES, NASTY | st.text()), max_size=5))
    text = "&".join(f"{quote(name + suffix, safe='[]')}={quote_plus(value)}" for name, suffix, value in pairs)
    start = {"createPaymentIntent": "amount=500&currency=usd&", "createRefund": "payment_intent=pi_x&"}
    form = start.get(operation.name, "") + text
    id = quote(draw(st.sampled_from(["pi_x", "pm_card_visa", "\x00", "..", "é", "search"])), safe="")
    path = "/".join(id if each.startswith("{") else each for each in operation.path.split("/"))
    return (operation.method, path, form) if operation.method == "POST" else (operation.method, f"{path}?{form}", "")


@given(asked=requests(), headers=HEADERS)
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_request_is_answered_in_stripes_form(
    served: RunningMock, http: httpx.Client, caplog: pytest.LogCaptureFixture, asked: Asked, headers: dict[str, bytes]
) -> None:
    ask(served, http, asked, headers)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.slow
@given(asked=requests(), headers=HEADERS)
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
def test_thousands_of_requests_are_answered_in_stripes_form(
    served: RunningMock, http: httpx.Client, caplog: pytest.LogCaptureFixture, asked: Asked, headers: dict[str, bytes]
) -> None:
    ask(served, http, asked, headers)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def ask(mock: RunningMock, http: httpx.Client, asked: Asked, headers: dict[str, bytes]) -> None:
    """Send it; AssertionError when the answer is none of Stripe's."""
    method, path, form = asked
    sent: dict[str, Any] = {"authorization": "Bearer sk_test_123"}
    if method == "POST":
        sent["content-type"] = "application/x-www-form-urlencoded"
    answer = http.request(method, mock.url + path, content=form.encode(), headers={**sent, **headers})
    body = answer.json()
    assert answer.status_code < 500
    assert answer.status_code == 200 or body["error"]["message"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET /v1/customers\r\n\r\n",
        b"GET /v1/customers HTTP/9.9\r\n\r\n",
        b"FOO /v1/customers HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/customers HTTP/1.1\r\nhost x\r\n\r\n",
        b"GET /v1/cust\xffomers HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\ncontent-length: 1\r\n\r\nx",
        b"POST /v1/customers HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nname=",
        b"GET http://[/v1 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET //evil/ HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/customers HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/customers HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ],
)
def test_broken_http_is_answered_or_cut_off(mock: RunningMock, caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    host, port = mock.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    assert not answer or answer.split()[1][:1] == b"4"
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert mock.control.call("GET", "")["gateway"] == "stripe"
