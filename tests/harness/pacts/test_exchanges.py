"""The tap hears every exchange and changes none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from harness.pacts.exchanges import Tap, tapped
from harness.pacts.observed import Observed

PATIENCE = 10.0


class Echo(BaseHTTPRequestHandler):
    """Answers with what was asked, in the way that the path says."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        said = f"{self.command} {self.path} ".encode() + body
        self.send_response(404 if self.path == "/missing" else 200)
        if self.path == "/chunked":
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for part in (said[:3], said[3:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/cut":
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(said)
            self.close_connection = True
        else:
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(said)

    do_GET = do_POST = do_HEAD = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
def tap(observed: Observed) -> Iterator[Tap]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    with tapped("127.0.0.1", server.server_port, observed) as made:
        yield made
    server.shutdown()
    server.server_close()
    thread.join(5)


def wait_for(observed: Observed, count: int) -> None:
    limit = time.monotonic() + PATIENCE
    while len(observed.exchanges) < count and time.monotonic() < limit:
        time.sleep(0.01)
    assert len(observed.exchanges) == count


def test_requests_of_one_connection_are_heard_each_with_its_answer(tap: Tap, observed: Observed) -> None:
    with httpx.Client(base_url=tap.url) as http:
        http.get("/a?b=c", headers={"X-One": "1"})
        http.post("/d", content=b"body")
        http.get("/missing")
    wait_for(observed, 3)
    first, second, third = observed.exchanges
    assert (first.method, first.url, first.path, first.status) == ("GET", "/a?b=c", "/a", 200)
    assert ("x-one", "1") in first.request_headers
    assert (second.request_body, second.body) == (b"body", b"POST /d body")
    assert third.status == 404
    assert tap.unread == 0


def test_an_answer_without_a_body_does_not_hide_the_next(tap: Tap, observed: Observed) -> None:
    with httpx.Client(base_url=tap.url) as http:
        http.head("/a")
        assert http.get("/chunked").content == b"GET /chunked "
    wait_for(observed, 2)
    assert [each.body for each in observed.exchanges] == [b"", b"GET /chunked "]


def test_an_answer_that_breaks_off_is_kept_as_such(tap: Tap, observed: Observed) -> None:
    with httpx.Client(base_url=tap.url) as http, pytest.raises(httpx.RemoteProtocolError):
        http.get("/cut")
    wait_for(observed, 1)
    assert not observed.exchanges[0].complete


def test_what_is_no_http_is_passed_on_and_counted(tap: Tap, observed: Observed) -> None:
    with socket.create_connection(("127.0.0.1", tap.port), timeout=PATIENCE) as link:
        link.sendall(b"\x00\x01 nonsense\r\n\r\n")
        assert b"400" in link.recv(4096)
    limit = time.monotonic() + PATIENCE
    while not tap.unread and time.monotonic() < limit:
        time.sleep(0.01)
    assert tap.unread == 1
    assert observed.exchanges == []


def test_a_server_that_is_away_is_a_closed_connection(observed: Observed) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        tapped("127.0.0.1", port, observed) as tap,
        httpx.Client(base_url=tap.url) as http,
        pytest.raises(httpx.TransportError),
    ):
        http.get("/")
