"""Problem details (RFC 9457): what servers answer with when a request fails, and how clients read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .errors import HTTP_STATUS, Code, HttpError, ProblemDetails, RpcError
from .retry_after import header_value

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: a JSON pointer into the body, or the name of a parameter.

    `field` says the same as a path (`items[0].quantity`); it is derived when it is not given.
    `kind` names the rule for programs, as pydantic does (`missing`, `int_parsing`, `extra_forbidden`); it is not sent.
    """

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    field: str | None = None
    kind: str = ""

    def as_dict(self) -> dict[str, str]:
        """The member of `errors`."""
        found = {"field": self._path() if self.field is None else self.field, "detail": self.detail}
        if self.pointer is not None:
            found["pointer"] = self.pointer
        if self.parameter is not None:
            found["parameter"] = self.parameter
        return found

    def _path(self) -> str:
        path = self.parameter or ""
        for token in (self.pointer or "").split("/")[1:]:
            key = token.replace("~1", "/").replace("~0", "~")
            path += f"[{key}]" if key.isdigit() else f".{key}" if path else key
        return path


class HttpProblem(HttpError):
    """Raise it in a handler to answer with that status.

    The answer is a problem document made of the arguments. `model` replaces it: a
    value of the type that the contract declares for the status. `errors` name
    what is wrong, one by one; `extensions` are further members of the document.
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        type: str = "about:blank",
        title: str = "",
        instance: str = "",
        errors: Iterable[Fault] = (),
        extensions: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        model: Any = None,
    ) -> None:
        members = dict(extensions or {})
        self.faults = tuple(errors)
        """What is wrong with the request, one by one."""
        if self.faults:
            members["errors"] = [fault.as_dict() for fault in self.faults]
        super().__init__(
            status,
            headers=headers or {},
            model=model,
            problem=ProblemDetails(
                type=type,
                title=title or phrase(status),
                status=status,
                detail=detail,
                instance=instance,
                extensions=members,
            ),
        )


def phrase(status: int) -> str:
    """The reason phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Closed Request" if status == 499 else f"Status {status}"


def problem_json(problem: ProblemDetails) -> bytes:
    """The document as UTF-8 JSON; empty members are left out."""
    document: dict[str, Any] = {"type": problem.type}
    if problem.title:
        document["title"] = problem.title
    if problem.status is not None:
        document["status"] = problem.status
    if problem.detail:
        document["detail"] = problem.detail
    if problem.instance:
        document["instance"] = problem.instance
    document.update((key, value) for key, value in problem.extensions.items() if key not in document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def read_problem(status: int, content_type: str, body: bytes) -> ProblemDetails | None:
    """The problem document in a response; None when there is none. Members of a wrong type are ignored (section 3)."""
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None

    def text(key: str, default: str = "") -> str:
        value = found.get(key)
        return value if isinstance(value, str) else default

    stated = found.get("status")
    return ProblemDetails(
        type=text("type", "about:blank"),
        title=text("title"),
        detail=text("detail"),
        instance=text("instance"),
        status=stated if isinstance(stated, int) else status,
        extensions={
            key: value for key, value in found.items() if key not in ("type", "title", "status", "detail", "instance")
        },
    )


def problem_of_rpc(error: RpcError) -> HttpProblem:
    """The HTTP answer for a gRPC status that a handler raised (google.rpc.Code's table).

    What a peer said is not passed on: UNAVAILABLE and DEADLINE_EXCEEDED keep their status, the rest is 500.
    """
    if error.remote:
        status = HTTP_STATUS[error.code] if error.code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED) else 500
        return HttpProblem(status, "A service behind this one failed.")
    headers = {} if error.retry_after is None else {"retry-after": header_value(error.retry_after)}
    faults = tuple(Fault(violation.description, field=violation.field) for violation in error.field_violations)
    return HttpProblem(HTTP_STATUS[error.code], error.message, errors=faults, headers=headers)
