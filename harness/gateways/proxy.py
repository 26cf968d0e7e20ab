"""Proxy mode: the vendors' own host names lead to the mocks, and no other host can be reached.

An HTTP proxy that knows CONNECT (RFC 9110 section 9.3.6) and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

MAX_HEAD = 16 * 1024
HEAD_TIMEOUT = 10.0
_PIECE = 64 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The first line of a request. `host` is empty when there is none in it."""

    method: str
    target: str
    host: str


class Proxy:
    """Maps host names to local ports. `refused` are the hosts that were asked for in vain."""

    def __init__(self, places: Mapping[str, int], host: str = "127.0.0.1") -> None:
        self.places = dict(places)
        self.refused: deque[str] = deque(maxlen=1000)
        self.url = ""
        self._host = host
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    @property
    def tunnels(self) -> int:
        """How many connections are open."""
        return len(self._tunnels)

    async def start(self, port: int = 0) -> str:
        """Listen; returns the URL for HTTPS_PROXY."""
        self._server = await asyncio.start_server(self._accept, self._host, port, limit=MAX_HEAD)
        self.url = f"http://{self._host}:{self._server.sockets[0].getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        """Close every tunnel."""
        if self._server is not None:
            self._server.close()
            for task in self._tunnels:
                task.cancel()
            await asyncio.gather(*self._tunnels, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio logs a traceback for one of its own that is cancelled.
        task = asyncio.create_task(self._run(reader, writer))
        self._tunnels.add(task)
        task.add_done_callback(self._tunnels.discard)

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                await self._serve(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            await _answer(writer, 431, f"The head of a request is limited to {MAX_HEAD:,} bytes.")
            return
        except TimeoutError:
            await _answer(writer, 408, f"The head of the request did not come within {HEAD_TIMEOUT:g} seconds.")
            return
        asked = _read(head)
        if asked is None:
            await _answer(writer, 400, "This is no HTTP request.")
            return
        port = self.places.get(asked.host)
        if asked.method != "CONNECT" or port is None:
            await self._refuse(writer, asked)
            return
        await self._tunnel(reader, writer, asked, port)

    async def _refuse(self, writer: asyncio.StreamWriter, asked: _Asked) -> None:
        self.refused.append(asked.host or asked.target)
        _log.warning("refused: %s %s; nothing but the mocks can be reached", asked.method, asked.host or asked.target)
        known = ", ".join(sorted(self.places))
        why = f"{asked.host or asked.target} is no host of a running mock."
        if asked.host in self.places:
            why = f"{asked.host} is reached by HTTPS only."
        await _answer(writer, 403, f"{why} Only CONNECT to these is allowed: {known}")

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: _Asked, port: int
    ) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(self._host, port)
        except OSError:
            await _answer(writer, 502, f"The mock of {asked.host} cannot be reached.")
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pipe(reader, upstream_writer))
                both.create_task(_pipe(upstream_reader, writer))
        finally:
            upstream_writer.transport.abort()


def _read(head: bytes) -> _Asked | None:
    """The first line of a request (RFC 9112 section 3); None when it is none."""
    line = head.partition(b"\r\n")[0].decode("latin-1")
    method, target, version = line.split(" ") if line.count(" ") == 2 else ("", "", "")
    if not version.startswith("HTTP/1.") or not method.isascii() or not method.isalpha() or not target.isprintable():
        return None
    try:
        host = urlsplit(target if "://" in target else f"//{target}").hostname
    except ValueError:
        return None
    return _Asked(method, target, (host or "").rstrip("."))


async def _answer(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, then pass the end on."""
    try:
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


def environment(proxy_url: str, ca_file: Path | None) -> dict[str, str]:
    """Variables that SDKs understand: Python's requests, httpx and urllib, Node, curl, Go."""
    trusted = str(ca_file or "")
    return {
        "HTTPS_PROXY": proxy_url,
        "https_proxy": proxy_url,
        "HTTP_PROXY": proxy_url,
        "http_proxy": proxy_url,
        "NO_PROXY": "localhost,127.0.0.1,::1",
        "no_proxy": "localhost,127.0.0.1,::1",
        "SSL_CERT_FILE": trusted,
        "REQUESTS_CA_BUNDLE": trusted,
        "CURL_CA_BUNDLE": trusted,
        "NODE_EXTRA_CA_CERTS": trusted,
    }
