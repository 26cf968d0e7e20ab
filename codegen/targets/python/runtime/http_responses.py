"""Responses as ASGI messages, problem documents among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from .errors import ProblemDetails
from .http_bodies import codec_of, encode, find_content
from .http_operation import Operation
from .http_requests import AsgiScope, AsgiSend
from .models import Model
from .parameters import header_text
from .problem import MEDIA_TYPE, HttpProblem, problem_json

Describe: TypeAlias = Callable[[HttpProblem, AsgiScope], Mapping[str, Any]]
"""Further members of a problem document, such as a trace id; those that the problem has itself go before."""
Translate: TypeAlias = "Callable[[HttpProblem, AsgiScope, Operation[Any] | None], HttpProblem]"
"""An error in the words of an API that has its own: a problem with a `model`, for one that has none.

The operation is None when the request is none of the contract's."""

_WITHOUT_BODY = (204, 304)


class Sender:
    """Writes one response."""

    __slots__ = ("_describe", "_scope", "_send", "_translate", "head", "started")

    def __init__(
        self, send: AsgiSend, scope: AsgiScope, describe: Describe | None = None, translate: Translate | None = None
    ) -> None:
        self._send = send
        self._scope = scope
        self._describe = describe
        self._translate = translate
        self.head = scope["method"] == "HEAD"
        self.started = False

    async def send(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if status >= 200 and status not in _WITHOUT_BODY:
            raw.append((b"content-length", str(len(body)).encode()))
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
        await self._send({"type": "http.response.body", "body": b"" if self.head else body})

    async def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.started = True
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def chunk(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def problem(self, problem: HttpProblem, operation: Operation[Any] | None = None) -> None:
        """Answer with a problem, in the declared form of its status where its model says so."""
        if self.started:
            raise ConnectionAbortedError("the response was cut off") from problem
        if self._translate is not None and problem.model is None:
            problem = self._translate(problem, self._scope, operation)
        headers = [(name.lower(), header_text(name, value)) for name, value in problem.headers.items()]
        if problem.status in _WITHOUT_BODY:
            await self.send(problem.status, headers, b"")
            return
        content_type, body = problem_body(described(problem, self._scope, self._describe), operation)
        await self.send(problem.status, [("content-type", content_type), *headers], body)


def problem_body(problem: HttpProblem, operation: Operation[Any] | None) -> tuple[str, bytes]:
    answer = operation.answer_to(problem.status) if operation is not None else None
    if problem.model is not None and operation is not None and answer is not None and answer.content:
        content = find_content(answer.content, MEDIA_TYPE) or answer.content[0]
        codec = codec_of(operation, (answer.status, content.media_type), content.type) if content.type else None
        return encode(content, problem.model, codec)
    if isinstance(problem.model, Model):
        return "application/json", problem.model.to_json()
    return MEDIA_TYPE, problem_json(problem.problem or ProblemDetails(status=problem.status))


def described(problem: HttpProblem, scope: AsgiScope, describe: Describe | None) -> HttpProblem:
    """The problem with the members that every problem of the application has."""
    document = problem.problem
    if describe is None or document is None:
        return problem
    problem.problem = replace(document, extensions={**describe(problem, scope), **document.extensions})
    return problem
