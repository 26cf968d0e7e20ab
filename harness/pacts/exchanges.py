"""Listens in: passes bytes on to an HTTP server unchanged, and keeps each request with its answer.

Clients and server notice nothing. What h11 cannot read, such as requests that are wrong by intent, is passed on all the
same, and counted in `unread`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import h11

from harness.pacts.observed import Exchange, Observed

CHUNK = 65536
START_TIMEOUT = 10.0
_GONE = (ConnectionError, OSError, asyncio.IncompleteReadError)


class Listener:
    """One connection: h11 as the server reads requests, h11 as the client reads answers."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._server = h11.Connection(h11.SERVER)
        self._client = h11.Connection(h11.CLIENT)
        self._request: h11.Request | None = None
        self._response: h11.Response | None = None
        self._asked = bytearray()
        self._answered = bytearray()
        self.readable = True

    def asked(self, data: bytes) -> None:
        """Bytes of the client; empty when it has closed its side."""
        self._try(self._server, data, self._on_request)

    def answered(self, data: bytes) -> None:
        """Bytes of the server; empty when it has closed its side."""
        self._try(self._client, data, self._on_response)

    def ended(self) -> None:
        """The connection is over, whatever was under way."""
        if self._response is not None:
            self._keep(complete=False)

    def _try(self, side: h11.Connection, data: bytes, take: Any) -> None:
        if not self.readable:
            return
        try:
            side.receive_data(data)
            self._take_all(side, take)
        except h11.ProtocolError:
            self.readable = False

    def _take_all(self, side: h11.Connection, take: Any) -> None:
        while True:
            event = side.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return
            take(event)

    def _on_request(self, event: Any) -> None:
        if isinstance(event, h11.Request):
            self._request = event
        elif isinstance(event, h11.Data):
            self._asked += event.data
        self._client.send(event)

    def _on_response(self, event: Any) -> None:
        if isinstance(event, h11.Response):
            self._response = event
        elif isinstance(event, h11.Data):
            self._answered += event.data
        self._server.send(event)
        if isinstance(event, h11.EndOfMessage):
            self._keep(complete=True)
            if self._server.our_state is h11.DONE and self._server.their_state is h11.DONE:
                self._server.start_next_cycle()
                self._client.start_next_cycle()
                self._take_all(self._server, self._on_request)

    def _keep(self, *, complete: bool) -> None:
        request, response = self._request, self._response
        if request is not None and response is not None:
            self._observed.exchanges.append(
                Exchange(
                    method=request.method.decode(),
                    url=request.target.decode("latin-1"),
                    request_headers=_text(request.headers),
                    request_body=bytes(self._asked),
                    status=response.status_code,
                    headers=_text(response.headers),
                    body=bytes(self._answered),
                    complete=complete,
                )
            )
        self._request = self._response = None
        self._asked.clear()
        self._answered.clear()


def _text(headers: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)


class Tap:
    """A port in front of an HTTP server."""

    def __init__(self, host: str, port: int, observed: Observed) -> None:
        self._upstream = (host, port)
        self._observed = observed
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="http-tap", daemon=True)
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self.port = 0
        self.unread = 0
        """Connections of which not everything could be read."""

    @property
    def url(self) -> str:
        """Where to call instead of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Accept connections, in a thread."""
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT):
            raise RuntimeError("the tap did not start")

    def stop(self) -> None:
        """Cut what is open; what was heard stays heard."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(START_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._links.add(task)
        listener = Listener(self._observed)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
            try:
                await _both(reader, writer, upstream_reader, upstream_writer, listener)
            finally:
                upstream_writer.close()
        except _GONE:
            pass
        finally:
            listener.ended()
            self.unread += not listener.readable
            writer.close()
            self._links.discard(task)


async def _both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream_reader: asyncio.StreamReader,
    upstream_writer: asyncio.StreamWriter,
    listener: Listener,
) -> None:
    forth = asyncio.ensure_future(_pump(reader, upstream_writer, listener.asked))
    back = asyncio.ensure_future(_pump(upstream_reader, writer, listener.answered))
    try:
        # A server that has answered and closed is done, whether or not its client is.
        await back
    finally:
        forth.cancel()
        back.cancel()
        await asyncio.gather(forth, back, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: Any) -> None:
    while data := await reader.read(CHUNK):
        told(data)
        writer.write(data)
        await writer.drain()
    told(b"")
    with suppress(OSError):
        writer.write_eof()


@contextmanager
def tapped(host: str, port: int, observed: Observed) -> Iterator[Tap]:
    """A tap for the length of a block."""
    tap = Tap(host, port, observed)
    tap.start()
    try:
        yield tap
    finally:
        tap.stop()
