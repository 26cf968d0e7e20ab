"""What Pact's verifier asks beside the provider: `/_state` brings states about, `/_message` fetches messages.

A synchronous message becomes a live gRPC call; an asynchronous one is the real entry of the real stream.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harness.pacts import streams
from harness.pacts.shop import Shop
from harness.pacts.states import provide

STATE, MESSAGE = "/_state", "/_message"
METADATA = "Pact-Message-Metadata"
_EXPRESSION = re.compile(r"\$\{([a-z_]+)\}")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\['([^']+)'\]")


class Unprepared(ValueError):
    """An interaction needs a value that its states do not give, or has a path that cannot be followed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to the verifier."""

    status: int
    body: bytes
    content_type: str = "application/json"
    metadata: Mapping[str, str] = field(default_factory=dict)


class Side:
    """Answers the verifier, one interaction after another."""

    def __init__(self, shop: Shop, redis_url: str) -> None:
        self._shop = shop
        self._redis_url = redis_url
        self._values: dict[str, str] = {}
        self._torn_down = True
        self.problems: list[str] = []
        """Why states or messages could not be had: the verifier itself says little about it."""

    def answer(self, path: str, asked: Mapping[str, Any]) -> Reply:
        """The reply to one question. Whatever goes wrong is told as HTTP 500 and kept in `problems`."""
        try:
            if path == STATE:
                return self._state(asked)
            if path == MESSAGE:
                return self._message(asked)
        except Exception as problem:  # noqa: BLE001 one interaction that cannot be had must not end the others
            what = asked.get("state") or asked.get("description")
            self.problems.append(f"{what}: {type(problem).__name__}: {problem}")
            return Reply(500, json.dumps({"error": self.problems[-1]}).encode())
        return Reply(404, b"{}")

    def _state(self, asked: Mapping[str, Any]) -> Reply:
        if asked.get("action") == "teardown":
            self._torn_down = True
            return Reply(200, b"{}")
        if self._torn_down:
            self._values = {}
            self._torn_down = False
        if asked.get("state"):
            self._values |= provide(self._shop, str(asked["state"]), asked.get("params"))
        return Reply(200, json.dumps(self._values).encode())

    def _message(self, asked: Mapping[str, Any]) -> Reply:
        if self._torn_down:
            self._values = {}
        name, _, case = str(asked["description"]).partition(": ")
        if "request" in asked:
            return self._called(name, asked["request"])
        about = self._values.get("about")
        if not about:
            raise Unprepared("no state says what the event is about")
        found = streams.wait_for(
            self._redis_url,
            name,
            lambda event: streams.is_about(event, about) and _has_status(event, case),
        )
        return Reply(200, found.raw, "application/cloudevents+json", {"channel": found.channel})

    def _called(self, rpc: str, request: Mapping[str, Any]) -> Reply:
        content = request.get("contents", {}).get("content") or {}
        generators = request.get("generators", {}).get("body", {})
        answer = self._shop.caller.call(rpc, filled(content, generators, self._values))
        return Reply(200, json.dumps(answer.body).encode(), metadata={"grpc-status": answer.status})


def filled(content: Mapping[str, Any], generators: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """A request with what the provider state gives put where the pact's generators say."""
    made: dict[str, Any] = json.loads(json.dumps(content))
    for path, generator in generators.items():
        if generator.get("type") != "ProviderState":
            raise Unprepared(f"{path}: a generator of type {generator.get('type')}")
        _put(made, path, _evaluated(generator["expression"], values))
    return made


def _evaluated(expression: str, values: Mapping[str, str]) -> str:
    absent = [name for name in _EXPRESSION.findall(expression) if name not in values]
    if absent:
        raise Unprepared(f"no state gives {', '.join(absent)}")
    return _EXPRESSION.sub(lambda found: values[found[1]], expression)


def _put(content: Any, path: str, value: str) -> None:
    steps = [name or quoted or int(index) for name, index, quoted in _STEP.findall(path.removeprefix("$"))]
    if not steps or "".join(found.group() for found in _STEP.finditer(path)) != path.removeprefix("$"):
        raise Unprepared(f"{path} is no path that can be followed")
    place = content
    try:
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = value
    except (KeyError, IndexError, TypeError):
        raise Unprepared(f"{path} leads nowhere") from None


def _has_status(event: Mapping[str, Any], case: str) -> bool:
    """Cases that are named like a status mean the event with that status."""
    return not re.fullmatch(r"[A-Z_]+_STATUS_[A-Z_]+", case) or event.get("data", {}).get("status") == case


@contextmanager
def serving(side: Side) -> Iterator[int]:
    """Serve it on a free port of the loopback for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            reply = side.answer(self.path, json.loads(self.rfile.read(length) or b"{}"))
            self.send_response(reply.status)
            self.send_header("content-type", reply.content_type)
            self.send_header("content-length", str(len(reply.body)))
            if reply.metadata:
                self.send_header(METADATA, base64.b64encode(json.dumps(dict(reply.metadata)).encode()).decode())
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the verifier tells what came of it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="pact-side", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5.0)
