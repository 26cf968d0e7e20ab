"""Errors as the contract words them: RFC 9457 problems with the members of common.v1.ErrorDetail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.runtime.context import current_trace
from shop.runtime.errors import Code, RpcError
from shop.runtime.http_operation import Operation
from shop.runtime.http_requests import AsgiScope
from shop.runtime.problem import HttpProblem

from services.gateway.domain import CODES, duration, kind_of, whole_seconds
from services.platform.refusals import detail_of

_INSIDE = frozenset({Code.UNKNOWN, Code.INTERNAL, Code.DATA_LOSS})
"""Their details are about the inside."""
_STATUS = {499: 503, 501: 503}
"""Statuses that the contract has not: the service behind cannot do it, or stopped doing it."""


def describe(error: RpcError) -> Mapping[str, Any]:
    """The members that a service gave with its status."""
    detail = detail_of(error)
    if detail is None or error.code in _INSIDE:
        return {}
    found: dict[str, Any] = {}
    if detail.code:
        found["code"] = detail.code
    if detail.metadata:
        found["metadata"] = dict(detail.metadata)
    if detail.errors:
        found["errors"] = [{"field": each.field, "detail": each.detail} for each in detail.errors]
    if detail.HasField("retry_after"):
        found["retry_after"] = duration(detail.retry_after.seconds, detail.retry_after.nanos)
    return found


def translate(problem: HttpProblem, scope: AsgiScope, operation: Operation[Any] | None) -> HttpProblem:
    """The problem with its kind, code, path and trace."""
    document = problem.problem
    status = _STATUS.get(problem.status, problem.status)
    members = dict(document.extensions) if document is not None else {}
    code = members.setdefault("code", CODES.get(status, ""))
    if not code:
        del members["code"]
    trace = current_trace()
    if trace is not None:
        members["trace_id"] = trace.trace_id
    return HttpProblem(
        status,
        document.detail if document is not None and status == problem.status else "",
        type=kind_of(code),
        title=document.title if document is not None and status == problem.status else "",
        instance=path_of(scope),
        extensions=members,
        headers=_headers(problem, status, members),
    )


def path_of(scope: AsgiScope) -> str:
    """The request path as a URI reference."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("ascii", "replace").partition("?")[0]


def _headers(problem: HttpProblem, status: int, members: Mapping[str, Any]) -> dict[str, str]:
    found = {name.lower(): value for name, value in problem.headers.items()}
    if "retry_after" in members:
        found.setdefault("retry-after", str(whole_seconds(members["retry_after"])))
    elif status == 503:
        found.setdefault("retry-after", "1")
    return found
