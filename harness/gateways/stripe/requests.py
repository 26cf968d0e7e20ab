"""What Stripe looks at before an operation begins, whatever the operation is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from harness.gateways.stripe.errors import StripeError
from harness.gateways.stripe.shown import check_expand

if TYPE_CHECKING:
    from shop.runtime.http_operation import Operation, Shape
    from shop.runtime.http_requests import RequestContext

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?(; ?[a-z_]+=v\d+)*")
_SUBJECT = re.compile(
    r"(list)?.*?(PaymentIntent|Charge|Refund|Dispute|BalanceTransaction|Customer|PaymentMethod|Event|WebhookEndpoint)s?"
)
SEARCH = (
    "Search is not offered by this mock, and with Stripe it lags behind by up to a minute. List objects with a filter"
    " instead, such as `customer` or `created`."
)


def _flag(text: str) -> object:
    return {"true": True, "false": False}.get(text.lower(), text)


_Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]


def lenient(operation: Operation[Any]) -> Operation[Any]:
    """The operation with booleans that may be capitalised, as stripe-python before version 11 writes them."""
    body = tuple(replace(content, shape=_words_too(content.shape)) for content in operation.body)
    params = tuple(
        replace(param, type=_Flag, shape="string") if param.shape == "boolean" else param for param in operation.params
    )
    return replace(operation, body=body, params=params, cache={})


def _words_too(shape: Shape) -> Shape:
    if shape == "boolean":
        return ("boolean", "string")
    if isinstance(shape, dict):
        return {name: _words_too(member) for name, member in shape.items()}
    if isinstance(shape, tuple):
        return tuple(_words_too(each) for each in shape)
    return shape


def subject(operation: Operation[Any]) -> tuple[str, bool]:
    """(kind, whether it is a list) of what an operation answers with: `listCharges` -> (`charge`, True)."""
    found = _SUBJECT.fullmatch(operation.name)
    if found is None:
        raise ValueError(f"{operation.name} is about no known kind of object")
    return re.sub(r"(?<!^)([A-Z])", r"_\1", found[2]).lower(), found[1] is not None


def check(context: RequestContext, asked: tuple[str, bool], expand: Sequence[str] | None) -> None:
    """`StripeError` 400: the version, a search, an unknown parameter, or what cannot be expanded."""
    version = context.headers.get("stripe-version")
    if version is not None and not _VERSION.fullmatch(version):
        raise StripeError(400, f"Invalid Stripe API version: {version}")
    if context.path.endswith("/search"):
        raise StripeError(400, SEARCH)
    known = {param.name for param in context.operation.params if param.place == "query"}
    for name in context.query if context.method in ("GET", "HEAD") else ():
        param = name.partition("[")[0]
        if param not in known:
            raise StripeError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    check_expand(*asked, expand or ())
