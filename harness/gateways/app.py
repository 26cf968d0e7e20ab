"""One mock as an ASGI application: control calls, scripted outcomes, the contract's operations, webhooks."""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from shop.runtime.http_operation import Operation
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_responses import problem_body
from shop.runtime.http_server import ContractApp, ServerOptions
from shop.runtime.problem import HttpProblem

from harness.gateways.gateway import Gateway
from harness.gateways.outcomes import PLAIN, ControlError, Outcome, Scripts
from harness.gateways.transport import cut_off, reset

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

CONTROL = "/_control"
MAX_RECORDED = 10_000
MAX_SNAPSHOTS = 50
_PAGE = (
    "<html><head><title>{status}</title></head>\n<body><center><h1>{status} Bad Gateway</h1></center></body></html>\n"
)
"""What a load balancer in front of an API says."""


@dataclass(slots=True)
class Recorded:
    """A request that came in. Bodies and credentials are not kept. `status` 0: the connection was cut."""

    at: float
    method: str
    path: str
    operation: str
    key: str
    user_agent: str
    status: int = 0


class _Answer:
    """A response that is looked at before it is sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send, *, until: int | None = None) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        if until is None:
            await send({"type": "http.response.body", "body": self.body})
        else:
            await send({"type": "http.response.body", "body": self.body[:until], "more_body": True})


class _ClosingError(Exception):
    """The mock is being stopped while a request waits."""


class MockApp:
    """Serves one gateway and its control API. `closing` ends what waits."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.world = gateway.world
        self.scripts = Scripts()
        self.requests: deque[Recorded] = deque(maxlen=MAX_RECORDED)
        self.closing = asyncio.Event()
        self._snapshots: dict[str, Any] = {}
        routes = gateway.routes()
        self.operations = tuple(sorted({route.operation.name for route in routes}))
        options = ServerOptions(
            authenticators=gateway.authenticators(),
            max_body_bytes=gateway.max_body_bytes,
            translate_problem=self._translate,
        )
        self._contract = ContractApp(routes, gateway.schemes, options)
        self._key_header = gateway.idempotency_header.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path == CONTROL or path.startswith(CONTROL + "/"):
            from harness.gateways.control import serve_control

            await serve_control(self, scope, receive, send)
            return
        self.world.agenda.run_due()
        operation = self._contract.operation(scope)
        recorded = self._record(scope, path, operation)
        outcome = self.scripts.take(recorded.operation, recorded.key, path) if self.scripts else PLAIN
        scope["treaty.outcome"], scope["treaty.pause"] = outcome, self._pause
        try:
            await self._serve(scope, receive, send, outcome, operation, recorded)
        except _ClosingError:
            await reset(scope, receive)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return
        raise _ClosingError

    async def _serve(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        outcome: Outcome,
        operation: Operation[Any] | None,
        recorded: Recorded,
    ) -> None:
        if outcome.delay:
            await self._pause(outcome.delay)
        if outcome.reset:
            # A caller that is still sending would meet the reset there, and see no more than an end when it reads.
            await _drain(receive, self.gateway.max_body_bytes)
            await reset(scope, receive)
            return
        answer = _Answer()
        if outcome.status or outcome.html:
            await _drain(receive, self.gateway.max_body_bytes)
            self._fail(answer, outcome.status, outcome.html, outcome, operation)
            await self._finish(answer, scope, send, recorded)
            return
        with self.world.webhooks.collecting() as batch:
            await self._contract(scope, receive, answer.take)
        if answer.status == 413:
            await _drain(receive, 2 * self.gateway.max_body_bytes)
        try:
            await self.world.webhooks.send_first(batch, everything=outcome.webhooks_first)
            if outcome is not PLAIN and await self._spoil(answer, scope, receive, send, outcome, operation):
                return
            await self._finish(answer, scope, send, recorded)
        finally:
            self.world.webhooks.release(batch)

    async def _spoil(
        self,
        answer: _Answer,
        scope: Scope,
        receive: Receive,
        send: Send,
        outcome: Outcome,
        operation: Operation[Any] | None,
    ) -> bool:
        """What happens between the effect and the answer; True when there is nothing more to send."""
        if outcome.answer_delay:
            await self._pause(outcome.answer_delay)
        if outcome.lost:
            await reset(scope, receive)
            return True
        if outcome.hang:
            await self._pause(outcome.hang)
            await cut_off(scope, receive)
            return True
        if outcome.truncate is not None:
            answer.headers += self._added_headers(scope)
            await answer.send(send, until=outcome.truncate)
            await cut_off(scope, receive)
            return True
        if outcome.answer_status or outcome.answer_html:
            self._fail(answer, outcome.answer_status, outcome.answer_html, outcome, operation)
        return False

    async def _finish(self, answer: _Answer, scope: Scope, send: Send, recorded: Recorded) -> None:
        recorded.status = answer.status
        answer.headers += self._added_headers(scope)
        if scope["method"] == "HEAD":
            answer.body = b""
        await answer.send(send)

    def _added_headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        context: RequestContext | None = scope.get("treaty.request")
        return [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in self.gateway.response_headers(context)
        ]

    def _fail(
        self, answer: _Answer, status: int, html: int, outcome: Outcome, operation: Operation[Any] | None
    ) -> None:
        headers = dict(outcome.headers)
        if outcome.retry_after is not None:
            headers["retry-after"] = f"{outcome.retry_after:g}"
        if html:
            answer.status = html
            content_type, answer.body = "text/html", _PAGE.format(status=html).encode()
        else:
            problem = self.gateway.failure(status, outcome.code, outcome.message)
            answer.status = problem.status
            headers = {**problem.headers, **headers}
            content_type, answer.body = problem_body(problem, operation)
        sent = {"content-type": content_type, "content-length": str(len(answer.body)), **headers}
        answer.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]

    def _record(self, scope: Scope, path: str, operation: Operation[Any] | None) -> Recorded:
        key, agent = "", ""
        for name, value in scope["headers"]:
            if name == self._key_header:
                key = value.decode("latin-1")
            elif name == b"user-agent":
                agent = value.decode("latin-1")
        name = operation.name if operation is not None else ""
        recorded = Recorded(self.world.clock.now(), scope["method"], path, name, key, agent)
        self.requests.append(recorded)
        return recorded

    def _translate(self, problem: HttpProblem, scope: Scope, operation: Operation[Any] | None) -> HttpProblem:
        return self.gateway.translate(problem, scope.get("treaty.request"), operation)

    # ---- control

    def recorded(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Requests as JSON values, the oldest first."""
        return [asdict(each) for each in self.requests if operation is None or each.operation == operation]

    def reset(self) -> None:
        """As at the start: state, ledger, clock, scripts, webhooks, recorded requests."""
        self.world.reset()
        self.scripts.clear()
        self.requests.clear()
        self.gateway.reset()

    def snapshot(self) -> str:
        """Keep the state, ledger, clock, identifiers and agenda; returns a name for `restore`."""
        if len(self._snapshots) >= MAX_SNAPSHOTS:
            raise ControlError(409, f"there are {MAX_SNAPSHOTS} snapshots already")
        world = self.world
        name = f"snapshot-{len(self._snapshots) + 1}"
        parts = [part.position() for part in (world.clock, world.ids, world.ledger, world.agenda)]
        self._snapshots[name] = (copy.deepcopy(self.gateway.state), parts)
        return name

    def restore(self, name: str) -> None:
        """Back to a snapshot, which stays. `ControlError` 404 when there is none of that name."""
        if name not in self._snapshots:
            raise ControlError(404, f"there is no {name!r}")
        state, (clock, ids, ledger, agenda) = self._snapshots[name]
        world = self.world
        self.gateway.state = copy.deepcopy(state)
        world.clock.restore(clock)
        world.ids.restore(ids)
        world.ledger.restore(ledger)
        world.agenda.restore(agenda)


async def _drain(receive: Receive, limit: int) -> None:
    """Read what the caller sends, so that it can read the answer."""
    size = 0
    while size <= limit:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
