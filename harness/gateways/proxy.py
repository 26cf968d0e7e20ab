"""Proxy mode: the vendors' own host names lead to the mocks, and no other host can be reached.

An HTTP proxy that knows CONNECT (RFC 9110 section 9.3.6) and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MAX_HEAD = 16 * 1024
HEAD_TIMEOUT = 10.0
_PIECE = 64 * 1024
_log = logging.getLogger(__name__)


class Proxy:
    """Maps host names to local ports. `refused` are the hosts that were asked for in vain."""

    def __init__(self, places: Mapping[str, int], host: str = "127.0.0.1") -> None:
        self.places = dict(places)
        self.refused: deque[str] = deque(maxlen=1000)
        self.url = ""
        self._host = host
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

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

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tunnels.add(task)
            task.add_done_callback(self._tunnels.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            _log.debug("a tunnel was broken off")
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_TIMEOUT):
            head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        target = rest.partition(" ")[0]
        host = target.rpartition(":")[0].strip("[]").lower()
        port = self.places.get(host)
        if method != "CONNECT" or port is None:
            self._refuse(writer, method, host if method == "CONNECT" else target)
            await writer.drain()
            return
        upstream_reader, upstream_writer = await asyncio.open_connection(self._host, port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pipe(reader, upstream_writer), _pipe(upstream_reader, writer))
        finally:
            upstream_writer.close()

    def _refuse(self, writer: asyncio.StreamWriter, method: str, target: str) -> None:
        self.refused.append(target)
        _log.warning("refused: %s %s; nothing but the mocks can be reached", method, target)
        known = ", ".join(sorted(self.places))
        reason = f"{target} is no host of a running mock. Only CONNECT to these is allowed: {known}\n".encode()
        writer.write(
            b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(reason), reason)
        )


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, then pass the end on."""
    with suppress(OSError):
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


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
