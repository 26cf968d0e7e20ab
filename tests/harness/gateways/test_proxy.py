"""Proxy mode: official SDKs with the vendors' own URLs, and callers that behave badly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import stripe
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from harness.gateways import proxy as proxy_module
from harness.gateways.proxy import MAX_HEAD, Proxy
from harness.gateways.serving import Mocks, Options

KNOWN = "CONNECT api.stripe.com:443 HTTP/1.1\r\nhost: api.stripe.com:443\r\n\r\n"


@pytest.fixture
async def mocks() -> AsyncIterator[Mocks]:
    async with Mocks(Options(names=("stripe", "twilio"), proxy=True)) as found:
        yield found


@pytest.fixture
async def proxy(mocks: Mocks) -> Proxy:
    assert mocks.proxy is not None
    return mocks.proxy


@pytest.fixture(autouse=True)
def silent_asyncio(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that asyncio has to complain of: a callback that failed, an exception that nobody took."""
    with caplog.at_level(logging.DEBUG):
        yield
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelno >= logging.ERROR] == []


@contextlib.asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = proxy.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said(proxy: Proxy, head: bytes) -> tuple[int, bytes]:
    """(status, body) of what the proxy answers to these bytes; it closes the connection after that."""
    async with connected(proxy) as (reader, writer):
        writer.write(head)
        answer = await asyncio.wait_for(reader.read(), 5)
    first, _, body = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]) if first else 0, body


async def test_the_sdk_of_stripe_pays_with_its_own_url(mocks: Mocks, proxy: Proxy, monkeypatch: Any) -> None:
    assert mocks.authority is not None
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    monkeypatch.setattr(stripe, "ca_bundle_path", str(mocks.authority.ca_file))
    client = stripe.StripeClient("sk_test_123", proxy=proxy.url, http_client=None)
    params: Any = {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    intent = await asyncio.to_thread(client.v1.payment_intents.create, params)
    assert intent.status == "succeeded"
    assert list(proxy.refused) == []


async def test_the_sdk_of_twilio_sends_with_its_own_url(mocks: Mocks, proxy: Proxy, monkeypatch: Any) -> None:
    assert mocks.authority is not None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(mocks.authority.ca_file))
    account = f"AC{'0' * 32}"
    http = TwilioHttpClient(proxy={"https": proxy.url})
    client = Client(account, "0" * 32, http_client=http)
    message = await asyncio.to_thread(client.messages.create, to="+15005550010", from_="+15005550006", body="Hello")
    assert message.sid.startswith("SM")


async def test_a_host_of_nobody_is_refused_and_recorded(mocks: Mocks, proxy: Proxy) -> None:
    with pytest.raises(httpx.ProxyError, match="403"):
        async with httpx.AsyncClient(proxy=proxy.url, trust_env=False) as client:
            await client.get("https://example.com/")
    status, body = await said(proxy, b"CONNECT api.paypal.com:443 HTTP/1.1\r\n\r\n")
    assert (status, b"api.paypal.com is no host of a running mock" in body) == (403, True)
    assert list(proxy.refused) == ["example.com", "api.paypal.com"]


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("GET http://example.com/path HTTP/1.1", "example.com"),
        ("POST http://api.stripe.com/v1/customers HTTP/1.1", "api.stripe.com"),
        ("CONNECT [::1]:443 HTTP/1.1", "::1"),
        ("CONNECT 127.0.0.1:22 HTTP/1.1", "127.0.0.1"),
        ("CONNECT api.stripe.com.evil.example:443 HTTP/1.1", "api.stripe.com.evil.example"),
        ("CONNECT user@example.com:443 HTTP/1.1", "example.com"),
        ("OPTIONS * HTTP/1.1", "*"),
    ],
)
async def test_everything_but_connect_to_a_known_host_is_refused(proxy: Proxy, line: str, host: str) -> None:
    status, body = await said(proxy, f"{line}\r\nhost: {host}\r\n\r\n".encode())
    assert (status, list(proxy.refused)) == (403, [host])
    assert b"Only CONNECT to these is allowed: " in body


async def test_a_known_host_by_plain_http_is_told_to_use_https(proxy: Proxy) -> None:
    async with httpx.AsyncClient(proxy=proxy.url, trust_env=False) as client:
        answer = await client.get("http://api.stripe.com/v1/customers")
    assert (answer.status_code, "by HTTPS only" in answer.text) == (403, True)


@pytest.mark.parametrize("target", ["API.Stripe.com:443", "api.stripe.com.:443", "api.stripe.com"])
async def test_a_known_host_is_known_however_it_is_written(proxy: Proxy, target: str) -> None:
    async with connected(proxy) as (reader, writer):
        writer.write(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"CONNECT api.stripe.com:443\r\n\r\n", 400),
        (b"CONNECT  api.stripe.com:443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT http://[ HTTP/1.1\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"CONNECT \x00\xff:443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT api.stripe.com:443 HTTP/1.1\r\nx: " + b"y" * MAX_HEAD + b"\r\n\r\n", 431),
        (b"x" * 3 * MAX_HEAD, 431),
    ],
)
async def test_garbage_is_answered_as_garbage(proxy: Proxy, head: bytes, status: int) -> None:
    assert (await said(proxy, head))[0] == status


async def test_a_head_that_does_not_come_is_given_up(proxy: Proxy, monkeypatch: Any) -> None:
    monkeypatch.setattr(proxy_module, "HEAD_TIMEOUT", 0.05)
    assert (await said(proxy, b"CONNECT api.stri"))[0] == 408
    assert (await said(proxy, b""))[0] == 408


async def test_a_caller_that_goes_away_leaves_nothing_behind(proxy: Proxy) -> None:
    for _ in range(5):
        async with connected(proxy) as (reader, writer):
            writer.write(KNOWN.encode())
            await reader.readuntil(b"\r\n\r\n")
    async with connected(proxy) as (_, writer):
        writer.write(b"CONNECT api")
        writer.write_eof()
        await asyncio.sleep(0.01)
    for _ in range(500):
        if proxy.tunnels == 0:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{proxy.tunnels} connections are kept")


async def test_a_caller_that_ends_its_side_gets_the_answer(mocks: Mocks, proxy: Proxy) -> None:
    """Both directions of a tunnel end on their own (RFC 9110 section 9.3.6)."""

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(late, "127.0.0.1")
    proxy.places["echo.example"] = server.sockets[0].getsockname()[1]
    async with server, connected(proxy) as (reader, writer):
        writer.write(b"CONNECT echo.example:443 HTTP/1.1\r\n\r\nearly ")
        writer.write(b"late")
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.endswith(b"\r\n\r\nearly late")


async def test_a_mock_that_is_gone_is_a_bad_gateway(proxy: Proxy) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        proxy.places["gone.example"] = free.getsockname()[1]
    assert (await said(proxy, b"CONNECT gone.example:443 HTTP/1.1\r\n\r\n"))[0] == 502


async def test_stopping_ends_tunnels_that_are_open_and_logs_no_traceback() -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with Mocks(Options(names=("stripe",), proxy=True)) as mocks:
            assert mocks.proxy is not None
            assert mocks.authority is not None
            trusted = ssl.create_default_context(cafile=str(mocks.authority.ca_file))
            idle, _ = await stack.enter_async_context(connected(mocks.proxy))
            reader, writer = await stack.enter_async_context(connected(mocks.proxy))
            writer.write(KNOWN.encode())
            await reader.readuntil(b"\r\n\r\n")
            await writer.start_tls(trusted, server_hostname="api.stripe.com")
            writer.write(b"GET /v1/customers HTTP/1.1\r\nhost: api.stripe.com\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
        async with asyncio.timeout(5):
            assert await idle.read() == b""
            with contextlib.suppress(OSError):
                await reader.read()


async def test_stopping_does_not_wait_for_a_caller_that_reads_nothing() -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()

    server = await asyncio.start_server(endless, "127.0.0.1")
    proxy = Proxy({"endless.example": server.sockets[0].getsockname()[1]})
    await proxy.start()
    async with server, connected(proxy) as (reader, writer):
        writer.write(b"CONNECT endless.example:443 HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.2)
        await asyncio.wait_for(proxy.stop(), 5)
    assert reader.at_eof() is False
