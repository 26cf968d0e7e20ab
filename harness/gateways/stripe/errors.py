"""Errors in Stripe's words (docs.stripe.com/api/errors, docs.stripe.com/error-codes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from shop.external.stripe.http.models import ErrorAnswer
from shop.runtime.problem import Fault, HttpProblem

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

_EXECUTED = frozenset(
    {
        "payment_intent_unexpected_state",
        "charge_already_refunded",
        "charge_disputed",
        "charge_already_captured",
        "refund_disputed_payment",
    }
)
"""Codes of 400 that are found while an operation runs, not while its parameters are checked."""


class StripeError(HttpProblem):
    """An error answer. `executed`: it is the result of the operation, which a repetition with the same key gets."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        param: str = "",
        type: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        error: dict[str, Any] = {"type": type, "message": message}
        if code:
            error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param:
            error["param"] = param
        error |= {name: value for name, value in members.items() if value is not None}
        self.error = error
        self.executed = status == 402 or status >= 500 or code in _EXECUTED
        super().__init__(status, message, headers=headers, model=ErrorAnswer.from_dict({"error": error}))

    def logged(self, request_id: str, at: int) -> StripeError:
        """This error with a link to the log of the request that met it first."""
        if "request_log_url" not in self.error:
            self.error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}?t={at}"
            self.model = ErrorAnswer.from_dict({"error": self.error})
        return self


def again(status: int, error: Mapping[str, Any]) -> StripeError:
    """The same error once more."""
    rest = {name: value for name, value in error.items() if name not in ("type", "message", "code", "param", "doc_url")}
    return StripeError(
        status,
        error["message"],
        code=error.get("code", ""),
        param=error.get("param", ""),
        type=error["type"],
        **rest,
    )


def missing(param: str) -> StripeError:
    """A required parameter is not there."""
    return StripeError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_such(kind: str, id: str, param: str, status: int = 400) -> StripeError:
    """An identifier names nothing. 404 for one in the path."""
    return StripeError(status, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def invalid(param: str, message: str, code: str = "") -> StripeError:
    """A parameter has a value that cannot be used."""
    return StripeError(400, message, code=code, param=param)


def crashed() -> StripeError:
    """What Stripe says when it failed itself."""
    return StripeError(500, "An unknown error occurred.", type="api_error")


def of_problem(problem: HttpProblem, request: RequestContext | None, method: str, path: str) -> StripeError:
    """Stripe's words for what the framework found."""
    if problem.faults:
        return _of_fault(problem.faults[0], request)
    status = problem.status
    if status in (404, 405):
        where = f"{method}: {path}" if method else path
        text = f"Unrecognized request URL ({where}). If you are trying to list objects, remove the trailing slash. If"
        return StripeError(404, f"{text} you are trying to retrieve an object, make sure you passed a valid (non-empty)"
                           " identifier in your code. Please see https://stripe.com/docs or we can help at "
                           "https://support.stripe.com/.")  # fmt: skip
    if status == 415:
        return StripeError(
            400, "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
        )
    if status == 413:
        return StripeError(413, "The request is too large.")
    if status >= 500:
        return crashed()
    return StripeError(status, problem.problem.detail if problem.problem else "The request is not valid.")


def _of_fault(fault: Fault, request: RequestContext | None) -> StripeError:
    param = _spelled(fault)
    given = _given(param, request)
    if fault.kind == "missing":
        return missing(param)
    if fault.kind == "extra_forbidden":
        return StripeError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    if given == "":
        text = f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter;"
        text += f" however '{param}' cannot be unset. You should remove '{param}' from your request or supply a"
        return invalid(param, f"{text} non-empty value.", "parameter_invalid_empty")
    if fault.kind.startswith("int") or fault.kind in ("less_than_equal", "greater_than_equal"):
        return invalid(param, f"Invalid integer: {given}", "parameter_invalid_integer")
    if fault.kind.startswith("bool"):
        return invalid(param, f"Invalid boolean: {given}")
    if fault.kind == "list_type":
        return invalid(param, "Invalid array")
    if fault.kind in ("dict_type", "model_type", "value_and_object", "deep_object"):
        return invalid(param, "Invalid object")
    if fault.kind in ("value_type", "string_type"):
        return invalid(param, "Invalid string: must be one value")
    return invalid(param, f"Invalid {param}: {given or fault.detail}")


def _spelled(fault: Fault) -> str:
    """`/metadata/order` as `metadata[order]`."""
    if fault.parameter is not None:
        return fault.parameter
    first, *rest = (fault.pointer or "").removeprefix("/").replace("~1", "/").replace("~0", "~").split("/")
    return first + "".join(f"[{token}]" for token in rest)


def _given(param: str, request: RequestContext | None) -> str | None:
    if request is None:
        return None
    text = request.body or request.scope["query_string"]
    return dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True)).get(param)
