"""Every HTTP exchange held to the gateway's contract by openapi-core: statuses, headers, bodies, and what was accepted.

A request that got a 2xx answer must be one that the contract allows. Requests that were refused may be anything.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.exceptions import OperationNotFound, PathNotFound
from werkzeug.datastructures import Headers, ImmutableMultiDict

from harness.pacts.observed import Exchange

HOST = "http://gateway.test"
PROBLEM = "application/problem+json"
EVENTS = "text/event-stream"
LIMITS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one exchange: the same `cause` for the same mistake, and the words for this one."""

    cause: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One way in which answers break the contract; `count` exchanges do, `example` is the first of them."""

    operation: str
    status: int
    problem: str
    count: int
    example: str


@dataclass(slots=True)
class Judgement:
    """What came of judging. `outside` are exchanges that the contract does not describe, by method and status."""

    judged: int = 0
    cut_short: int = 0
    """Answers of which only the head was judged: the connection ended before they did."""
    outside: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(operationId, status) -> exchanges."""


@dataclass(slots=True)
class _Request:
    """What openapi-core asks of a request."""

    exchange: Exchange
    parameters: RequestParameters
    host_url: str = HOST

    @property
    def path(self) -> str:
        return unquote(self.exchange.path)

    @property
    def full_url_pattern(self) -> str:
        return f"{HOST}{self.exchange.path}"

    @property
    def method(self) -> str:
        return self.exchange.method.lower()

    @property
    def content_type(self) -> str:
        return _header(self.exchange.request_headers, "content-type") or "application/octet-stream"

    @property
    def body(self) -> bytes | None:
        return self.exchange.request_body or None


@dataclass(slots=True)
class _Response:
    """What openapi-core asks of a response."""

    exchange: Exchange

    @property
    def status_code(self) -> int:
        return self.exchange.status

    @property
    def content_type(self) -> str:
        return _header(self.exchange.headers, "content-type")

    @property
    def headers(self) -> Headers:
        return Headers(list(self.exchange.headers))

    @property
    def data(self) -> bytes | None:
        return self.exchange.body or None


class Judge:
    """Holds exchanges to one OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        # Where it is served is no part of what is judged.
        served = {**document, "servers": [{"url": HOST}]}
        self._contract = OpenAPI.from_dict(
            served, config=Config(extra_media_type_deserializers={PROBLEM: json.loads, EVENTS: bytes.decode})
        )
        self._paths = [
            (re.compile(re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(path)) + r"\Z"), item)
            for path, item in sorted(document["paths"].items(), key=lambda each: each[0].count("{"))
        ]

    def operation(self, exchange: Exchange) -> str | None:
        """The operationId; None when the contract has no such operation."""
        for pattern, item in self._paths:
            if pattern.match(exchange.path):
                found = item.get(exchange.method.lower())
                if found:
                    return str(found["operationId"])
        return None

    def judge(self, exchanges: Iterable[Exchange]) -> Judgement:
        """A judgement of all of them; findings with one cause are one."""
        result = Judgement()
        found: dict[tuple[str, int, str], list[str]] = {}
        for exchange in exchanges:
            operation = self.operation(exchange)
            if operation is None:
                result.outside[f"{exchange.method} {exchange.status}"] += 1
                continue
            result.judged += 1
            result.cut_short += not exchange.complete
            result.statuses[operation, exchange.status] += 1
            for problem in self.problems(exchange):
                found.setdefault((operation, exchange.status, problem.cause), []).append(
                    f"{exchange.method} {exchange.url[:_LONGEST]}: {(problem.words or problem.cause)[:_LONGEST]}"
                )
        result.findings = [
            Finding(operation=operation, status=status, problem=cause, count=len(examples), example=examples[0])
            for (operation, status, cause), examples in sorted(found.items())
        ]
        return result

    def problems(self, exchange: Exchange) -> Iterator[Problem]:
        """What is wrong with one exchange."""
        query = ImmutableMultiDict(parse_qsl(exchange.url.partition("?")[2], keep_blank_values=True))
        parameters = RequestParameters(query=query, header=Headers(list(exchange.request_headers)))
        request = _Request(exchange, parameters)
        yield from self._wrong_answer(request, exchange)
        if 200 <= exchange.status < 300:
            for error in self._contract.iter_request_errors(request):
                yield _problem(error, "a request that the contract does not allow was accepted: ")
        yield from _beyond(exchange)

    def _wrong_answer(self, request: _Request, exchange: Exchange) -> Iterator[Problem]:
        streamed = _header(exchange.headers, "content-type").startswith(EVENTS)
        if not exchange.complete or streamed or exchange.method == "HEAD":
            # A part of a body, or a stream of events, is no document of the schema.
            head = exchange.status
            documented = self._documented(exchange)
            if str(head) not in documented:
                yield Problem(f"status {head} is not in the contract")
            return
        for error in self._contract.iter_response_errors(request, _Response(exchange)):
            if isinstance(error, PathNotFound | OperationNotFound):
                continue
            yield _problem(error)

    def _documented(self, exchange: Exchange) -> frozenset[str]:
        for pattern, item in self._paths:
            if pattern.match(exchange.path) and exchange.method.lower() in item:
                return frozenset(item[exchange.method.lower()]["responses"])
        return frozenset()


def _beyond(exchange: Exchange) -> Iterator[Problem]:
    """What the contract says in words: problems for errors, limits with every answer."""
    kind = _header(exchange.headers, "content-type")
    if exchange.status >= 400 and exchange.method != "HEAD":
        if not kind.startswith(PROBLEM):
            yield Problem(f"an error of type {kind or 'none'}, not {PROBLEM}")
        elif exchange.complete and _status_of(exchange.body) != exchange.status:
            yield Problem("the problem names another status than the answer has")
    names = {name for name, _ in exchange.headers}
    absent = [name for name in LIMITS if name not in names]
    if absent:
        yield Problem(f"without {', '.join(absent)}")


def _status_of(body: bytes) -> Any:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found.get("status") if isinstance(found, dict) else None


def _header(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key == name), "")


def _problem(error: BaseException, prefix: str = "") -> Problem:
    """The error by what caused it: places in the schema where there are some, its own words otherwise."""
    cause: BaseException | None = error
    while cause is not None:
        errors = getattr(cause, "schema_errors", None)
        if errors:
            places = sorted({_place(each) for each in errors})
            words = "; ".join(f"{each.json_path}: {each.message}" for each in errors)
            return Problem(f"{prefix}{_named(error)}{', '.join(places)}", words)
        cause = cause.__cause__
    return Problem(f"{prefix}{_VALUES.sub('…', str(error))[:_LONGEST]}", str(error))


def _place(error: Any) -> str:
    """`$.items[*].quantity minimum`; what is missing or too much is named."""
    path = re.sub(r"\[\d+\]", "[*]", error.json_path)
    named = f" {error.message}" if error.validator in {"required", "additionalProperties"} else ""
    return f"{path} {error.validator}{named}"


def _named(error: BaseException) -> str:
    name = getattr(error, "name", None)
    return f"{name}: " if isinstance(name, str) else ""
