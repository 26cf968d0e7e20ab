"""CreateOrder requests: what is wrong with them, and the purchase that they ask for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import islice

from google.protobuf.json_format import MessageToDict
from shop.common.v1 import address_pb2, money_pb2
from shop.order.v1 import order_pb2
from shop.runtime.errors import InvalidArgument

from services.order.adapters.orders import Placing
from services.order.domain import Line, Money, Purchase
from services.platform.refusals import refusal

MAX_LINES, MAX_QUANTITY, MAX_KEY = 100, 999, 255
MAX_SHOWN = 10
"""Wrong fields that are named: gRPC refuses metadata above 8 kB, and they are in it three times."""
MAX_AMOUNT = 10**15
"""In the smallest unit: what a JSON number with decimals holds exactly."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ID_RULE = "must be 1 to 64 letters, digits or any of . _ : -"
_CURRENCY = re.compile(r"[A-Z]{3}")
Problem = tuple[str, str]


def placing_of(request: order_pb2.CreateOrderRequest, order_id: str) -> Placing:
    """The purchase under a new id. INVALID_ARGUMENT names the fields that break a rule, the first `MAX_SHOWN`."""
    problems = list(islice(_problems(request), MAX_SHOWN))
    if problems:
        text = "; ".join(f"{field} {rule}" for field, rule in problems)
        raise refusal(InvalidArgument, "INVALID_ARGUMENT", text, fields=problems)
    purchase = _purchase(request, order_id)
    if not purchase.adds_up:
        rule = "must be the sum of all lines, shipping_cost and tax, less discount"
        raise refusal(InvalidArgument, "TOTAL_MISMATCH", f"total {rule}", fields=[("total", rule)])
    has_billing = request.HasField("billing_address")
    return Placing(
        purchase=purchase,
        idempotency_key=request.idempotency_key,
        fingerprint=_fingerprint(request),
        shipping_address=_address(request.shipping_address),
        billing_address=_address(request.billing_address) if has_billing else None,
    )


def is_id(text: str) -> bool:
    """Whether it can name anything."""
    return _ID.fullmatch(text) is not None


def _problems(request: order_pb2.CreateOrderRequest) -> Iterator[Problem]:
    for name in ("customer_id", "checkout_id", "payment_method_id"):
        if not is_id(getattr(request, name)):
            yield name, _ID_RULE
    if request.HasField("shipping_rate_id") and not is_id(request.shipping_rate_id):
        yield "shipping_rate_id", _ID_RULE
    if not 1 <= len(request.idempotency_key) <= MAX_KEY:
        yield "idempotency_key", f"must have 1 to {MAX_KEY} characters"
    if not request.HasField("shipping_address"):
        yield "shipping_address", "is required"
    currency = request.total.currency_code
    if not 1 <= len(request.items) <= MAX_LINES:
        yield "items", f"must have 1 to {MAX_LINES} lines"
    seen: set[str] = set()
    for index, item in enumerate(request.items):
        yield from _line_problems(item, f"items[{index}]", currency)
        if item.product_id in seen:
            yield f"items[{index}].product_id", "must not be in another line"
        seen.add(item.product_id)
    given = {field.name for field, _ in request.ListFields()}
    for name in ("shipping_cost", "tax", "total"):
        if name not in given:
            yield name, "is required"
        else:
            yield from _money_problems(getattr(request, name), name, currency)
    if request.HasField("discount"):
        yield from _money_problems(request.discount, "discount", currency)


def _line_problems(item: order_pb2.OrderItem, path: str, currency: str) -> Iterator[Problem]:
    if not is_id(item.product_id):
        yield f"{path}.product_id", _ID_RULE
    if not 1 <= item.quantity <= MAX_QUANTITY:
        yield f"{path}.quantity", f"must be 1 to {MAX_QUANTITY}"
    if not item.HasField("unit_price"):
        yield f"{path}.unit_price", "is required"
    else:
        yield from _money_problems(item.unit_price, f"{path}.unit_price", currency)


def _money_problems(money: money_pb2.Money, path: str, currency: str) -> Iterator[Problem]:
    if not 0 <= money.minor_units < MAX_AMOUNT:
        yield f"{path}.minor_units", f"must be 0 or more and below {MAX_AMOUNT}"
    if not _CURRENCY.fullmatch(money.currency_code):
        yield f"{path}.currency_code", "must be an ISO 4217 code in capitals"
    elif money.currency_code != currency and _CURRENCY.fullmatch(currency):
        yield f"{path}.currency_code", f"must be {currency} as in total"


def _purchase(request: order_pb2.CreateOrderRequest, order_id: str) -> Purchase:
    currency = request.total.currency_code
    return Purchase(
        order_id=order_id,
        customer_id=request.customer_id,
        checkout_id=request.checkout_id,
        payment_method_id=request.payment_method_id,
        lines=tuple(
            Line(
                product_id=item.product_id,
                sku=item.sku,
                name=item.name,
                quantity=item.quantity,
                unit_price=Money(item.unit_price.minor_units, currency),
            )
            for item in request.items
        ),
        shipping_cost=Money(request.shipping_cost.minor_units, currency),
        tax=Money(request.tax.minor_units, currency),
        discount=Money(request.discount.minor_units, currency),
        total=Money(request.total.minor_units, currency),
        shipping_rate_id=request.shipping_rate_id if request.HasField("shipping_rate_id") else None,
        metadata=dict(request.metadata),
    )


def _fingerprint(request: order_pb2.CreateOrderRequest) -> bytes:
    asked = order_pb2.CreateOrderRequest()
    asked.CopyFrom(request)
    asked.ClearField("idempotency_key")
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).digest()


def _address(address: address_pb2.Address) -> dict[str, object]:
    return MessageToDict(address, preserving_proto_field_name=True)
