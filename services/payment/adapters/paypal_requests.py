"""What is sent to PayPal: request ids, and an order for a charge."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from shop.external.paypal.http.models import Money, OrderRequest
from shop.runtime.models import ValidationError

from services.payment import domain
from services.payment.adapters.paypal_errors import GATEWAY
from services.payment.adapters.paypal_money import decimal_text
from services.platform.gateways.errors import Rejected
from services.platform.gateways.keys import MAX_KEY

_METHOD = re.compile(r"(?P<kind>paypal|venmo|card|agreement|order):(?P<id>[A-Za-z0-9_-]{1,255})|(?P<page>paypal)")
_REQUEST_ID = re.compile(r"[\x21-\x7e]+")


def request_id(key: str, call: str = "") -> str:
    """The `PayPal-Request-Id` of one call of a step: `<key>`, or `<key>:<call>` where a step needs several calls.

    A key that makes it longer than PayPal takes is replaced by its SHA-256.
    """
    suffix = f":{call}" if call else ""
    if len(key) + len(suffix) > MAX_KEY or not _REQUEST_ID.fullmatch(key):
        key = hashlib.sha256(key.encode()).hexdigest()
    return key + suffix


def approved_order(request: domain.ChargeRequest) -> str | None:
    """The id of the order in the method `order:<id>`; None for other methods."""
    kind, reference = _method(request.method)
    return reference if kind == "order" else None


def order_request(request: domain.ChargeRequest) -> OrderRequest:
    """The order of a charge. `Rejected` for one that PayPal has no words for."""
    unit = {
        "reference_id": "default",
        "custom_id": request.order_id,
        "invoice_id": request_id(request.key),
        "amount": _amount(request.amount, "charge"),
    }
    try:
        return OrderRequest.from_dict(
            {
                "intent": "CAPTURE" if request.capture else "AUTHORIZE",
                "purchase_units": [unit],
                "payment_source": _source(request),
            }
        )
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(step) for step in first["loc"])
        raise Rejected(GATEWAY, "charge", f"PayPal takes no such /{place}: {first['msg']}") from None


def amount_of(money: domain.Money | None, operation: str) -> Money | None:
    """A part of a payment."""
    return None if money is None else Money.from_dict(_amount(money, operation))


def _amount(money: domain.Money, operation: str) -> dict[str, str]:
    try:
        return {"currency_code": money.currency, "value": decimal_text(money)}
    except ValueError as problem:
        raise Rejected(GATEWAY, operation, str(problem)) from None


def _source(request: domain.ChargeRequest) -> dict[str, Any]:
    kind, reference = _method(request.method)
    if kind == "agreement":
        return {"token": {"id": reference, "type": "BILLING_AGREEMENT"}}
    page = {"return_url": request.return_url, "cancel_url": request.return_url} if request.return_url else {}
    if not reference:
        return {"paypal": {"experience_context": {"user_action": "PAY_NOW", **page}}}
    return {kind: {"vault_id": reference, **({"experience_context": page} if page else {})}}


def _method(method: str) -> tuple[str, str]:
    found = _METHOD.fullmatch(method)
    if found is None:
        kinds = "paypal, paypal:<vault id>, venmo:<vault id>, card:<vault id>, agreement:<id> or order:<id>"
        raise Rejected(GATEWAY, "charge", f"a method of PayPal is {kinds}")
    return found["page"] or found["kind"], found["id"] or ""
