"""Errors as PayPal words them.

`Refusal` and `OauthRefusal` say what is wrong; `Wording` makes the body of them and of every error that the framework
finds. The shapes are those of `error_details` in PayPal's Orders v2 and Payments v2, of the error of Webhooks v1, and
of RFC 6749 section 5.2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self
from urllib.parse import quote

from pydantic import ValidationError
from shop.external.paypal.http.models import Error, OauthError
from shop.runtime.http_operation import Operation
from shop.runtime.http_requests import RequestContext
from shop.runtime.problem import Fault, HttpProblem

from harness.gateways.paypal.issues import NAMES, description_of, status_of

DEBUG_ID = "paypal-debug-id"
_GUIDE = "https://developer.paypal.com/docs/api/{api}/#error-{topic}"
_ISSUE_OF_KIND = {
    "missing": "MISSING_REQUIRED_PARAMETER",
    "json_invalid": "MALFORMED_REQUEST_JSON",
    "string_pattern_mismatch": "INVALID_PARAMETER_SYNTAX",
    "string_type": "INVALID_PARAMETER_SYNTAX",
    "string_too_long": "INVALID_STRING_LENGTH",
    "string_too_short": "INVALID_STRING_LENGTH",
    "too_long": "INVALID_ARRAY_MAX_ITEMS",
    "too_short": "INVALID_ARRAY_MIN_ITEMS",
}


class Refusal(HttpProblem):
    """A request that PayPal refuses. `details` are the members of the error's `details`."""

    def __init__(self, status: int, details: Iterable[Mapping[str, Any]] = (), *, name: str = "", message: str = ""):
        super().__init__(status)
        usual = NAMES.get(status, ("INTERNAL_SERVER_ERROR", "An internal server error has occurred."))
        self.name = name or usual[0]
        self.message = message or usual[1]
        self.details = [dict(detail) for detail in details]

    @classmethod
    def of(cls, issue: str, *, field: str = "", value: str = "", location: str = "") -> Self:
        """The error with one issue, under the status that the issue has."""
        return cls(status_of(issue), [detail(issue, field=field, value=value, location=location)])

    @classmethod
    def unknown(cls, field: str, value: str) -> Self:
        """404 for an id that names nothing."""
        return cls.of("INVALID_RESOURCE_ID", field=field, value=value, location="path")


class OauthRefusal(HttpProblem):
    """An error of the authorization server, or of a token."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status)
        self.error = error
        self.description = description


def detail(issue: str, *, field: str = "", value: str = "", location: str = "") -> dict[str, str]:
    """One entry of `details`; what is empty is left out."""
    said = {"field": field, "value": value, "location": location, "issue": issue, "description": description_of(issue)}
    return {key: text for key, text in said.items() if text}


class Wording:
    """Makes error bodies. `debug_id` draws a new id for each."""

    def __init__(self, debug_id: Callable[[], str]) -> None:
        self._debug_id = debug_id

    def __call__(
        self, problem: HttpProblem, request: RequestContext | None, operation: Operation[Any] | None
    ) -> HttpProblem:
        """The problem with a body and the header `Paypal-Debug-Id`."""
        debug_id = self._debug_id()
        headers = {**problem.headers, DEBUG_ID: debug_id}
        path = operation.path if operation is not None else ""
        if path == "/v1/oauth2/token" and not isinstance(problem, Refusal) and problem.status < 500:
            problem = _of_oauth(problem)
        if isinstance(problem, OauthRefusal):
            body = {"error": problem.error, "error_description": problem.description}
            return HttpProblem(problem.status, headers=headers, model=OauthError.from_dict(body))
        refusal = problem if isinstance(problem, Refusal) else _of_framework(problem, request)
        if path.startswith("/v1/notifications/"):
            return HttpProblem(refusal.status, headers=headers, model=_v1_error(refusal, debug_id))
        return HttpProblem(refusal.status, headers=headers, model=_error(refusal, debug_id, path))


def _error(refusal: Refusal, debug_id: str, path: str) -> Error:
    topic = refusal.details[0]["issue"] if refusal.details else refusal.name
    api = "payments/v2" if path.startswith("/v2/payments/") else "orders/v2"
    link = {"href": _GUIDE.format(api=api, topic=quote(topic)), "rel": "information_link", "method": "GET"}
    body: dict[str, Any] = {"name": refusal.name, "message": refusal.message, "debug_id": debug_id, "links": [link]}
    return Error.from_dict({**body, **({"details": refusal.details} if refusal.details else {})})


def _v1_error(refusal: Refusal, debug_id: str) -> Error:
    name, message = refusal.name, refusal.message
    if refusal.status == 400 and name == "INVALID_REQUEST":
        name, message = "VALIDATION_ERROR", "Invalid data provided"
    if refusal.status == 404 and refusal.details:
        name, message = "INVALID_RESOURCE_ID", "The requested resource ID was not found"
    guide = _GUIDE.format(api="webhooks/v1", topic=quote(name))
    body = {"name": name, "message": message, "debug_id": debug_id, "information_link": guide, "links": []}
    return Error.from_dict({**body, **({"details": refusal.details} if refusal.details else {})})


def _of_oauth(problem: HttpProblem) -> OauthRefusal:
    if isinstance(problem, OauthRefusal):
        return problem
    if problem.status == 401:
        return OauthRefusal(401, "invalid_client", "Client Authentication failed")
    return OauthRefusal(problem.status, "unsupported_grant_type", "Grant Type is NULL")


def _of_framework(problem: HttpProblem, request: RequestContext | None) -> Refusal:
    if not problem.faults:
        return Refusal(problem.status if problem.status in NAMES else 500 if problem.status >= 500 else 400)
    body = request.body if request is not None else b""
    return Refusal(400, [_detail_of(fault, body) for fault in problem.faults])


def _detail_of(fault: Fault, body: bytes) -> dict[str, str]:
    issue = _ISSUE_OF_KIND.get(fault.kind, "INVALID_PARAMETER_VALUE")
    if fault.parameter is not None:
        return detail(issue, field=fault.parameter, location="header" if "-" in fault.parameter else "query")
    pointer = fault.pointer or "/"
    return detail(issue, field=pointer, value=_value_at(body, pointer), location="body")


def _value_at(body: bytes, pointer: str) -> str:
    """The text at a pointer, to be shown in the error; nothing of what a card has."""
    try:
        found = json.loads(body)
        for token in pointer.split("/")[1:]:
            key = token.replace("~1", "/").replace("~0", "~")
            found = found[int(key)] if isinstance(found, list) else found[key]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""
    return found if isinstance(found, str) and "/card/" not in pointer else ""


def refusal_of(error: ValidationError) -> Refusal:
    """The refusal of a value that breaks the contract."""
    found = [
        detail(_ISSUE_OF_KIND.get(one["type"], "INVALID_PARAMETER_VALUE"), field=_pointer(one["loc"]), location="body")
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return Refusal(400, found)


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{step}" for step in location)
