"""Requests of WarehouseService as values of the domain; what breaks the contract is refused with the field's path."""

from __future__ import annotations

import re
from datetime import timedelta

from shop.runtime.errors import InvalidArgument
from shop.runtime.grpc_server import Call
from shop.warehouse.v1 import warehouse_pb2 as pb

from services.platform.refusals import invalid, refusal
from services.warehouse.domain import LONGEST_HOLD, MOST_PIECES, Line, ReleaseReason

MOST_LINES = 100
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NO_ID = "must be 1 to 64 letters, digits and . _ : -"
_REASONS = {
    pb.RELEASE_REASON_PAYMENT_FAILED: ReleaseReason.PAYMENT_FAILED,
    pb.RELEASE_REASON_ORDER_CANCELLED: ReleaseReason.ORDER_CANCELLED,
    pb.RELEASE_REASON_EXPIRED: ReleaseReason.EXPIRED,
}


def lines_of(request: pb.CheckAvailabilityRequest | pb.ReserveStockRequest) -> tuple[Line, ...]:
    """What is wanted: 1 to 100 lines, each product once."""
    wrong = line_violations(request)
    if wrong:
        raise _all_of(wrong)
    return tuple(Line(product_id=line.product_id, quantity=line.quantity) for line in request.lines)


def line_violations(request: pb.CheckAvailabilityRequest | pb.ReserveStockRequest) -> dict[str, str]:
    """What is wrong with the lines of a request."""
    if not 1 <= len(request.lines) <= MOST_LINES:
        return {"lines": f"must have 1 to {MOST_LINES} entries"}
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for index, line in enumerate(request.lines):
        if not _ID.fullmatch(line.product_id):
            wrong[f"lines[{index}].product_id"] = _NO_ID
        elif line.product_id in seen:
            wrong[f"lines[{index}].product_id"] = "must not be in another line, too"
        seen.add(line.product_id)
        if not 1 <= line.quantity <= MOST_PIECES:
            wrong[f"lines[{index}].quantity"] = f"must be 1 to {MOST_PIECES}"
    return wrong


def checked_reservation(request: pb.ReserveStockRequest, call: Call) -> tuple[tuple[Line, ...], timedelta | None, str]:
    """Lines, how long to hold them (None: the default), and the idempotency key."""
    wrong = line_violations(request)
    if not _ID.fullmatch(request.order_id):
        wrong["order_id"] = _NO_ID
    hold = None
    if request.HasField("ttl"):
        seconds = request.ttl.seconds + request.ttl.nanos / 1e9
        if 0 < seconds <= LONGEST_HOLD.total_seconds():
            hold = timedelta(seconds=seconds)
        else:
            wrong["ttl"] = "must be more than 0 and at most 24 hours"
    key = _key(request.idempotency_key, call, wrong)
    if wrong:
        raise _all_of(wrong)
    return lines_of(request), hold, key


def checked_adjustment(request: pb.AdjustStockRequest, call: Call) -> str:
    """The idempotency key of a correction that is well formed."""
    wrong = {name: _NO_ID for name in ("product_id", "warehouse_id") if not _ID.fullmatch(getattr(request, name))}
    if not wrong and len(request.product_id) + len(request.warehouse_id) > 63:
        wrong["warehouse_id"] = "must have, with product_id, at most 63 characters"
    if request.delta == 0:
        wrong["delta"] = "must not be 0"
    if request.reason not in pb.AdjustmentReason.values() or request.reason == pb.ADJUSTMENT_REASON_UNSPECIFIED:
        wrong["reason"] = "must say why"
    key = _key(request.idempotency_key, call, wrong)
    if wrong:
        raise _all_of(wrong)
    return key


def reservation_id_of(request: pb.ReleaseReservationRequest | pb.CommitReservationRequest) -> str:
    """The reservation that a request is about."""
    if not _ID.fullmatch(request.reservation_id):
        raise invalid("reservation_id", _NO_ID)
    return request.reservation_id


def reason_of(request: pb.ReleaseReservationRequest) -> ReleaseReason:
    """Why a reservation is given back."""
    if request.reason not in _REASONS:
        raise invalid("reason", "must say why")
    return _REASONS[request.reason]


def _key(given: str, call: Call, wrong: dict[str, str]) -> str:
    key = given or call.idempotency_key or ""
    if not _KEY.fullmatch(key):
        wrong["idempotency_key"] = "must be 1 to 255 visible ASCII characters"
    return key


def _all_of(wrong: dict[str, str]) -> InvalidArgument:
    text = "; ".join(f"{field} {rule}" for field, rule in wrong.items())
    return refusal(InvalidArgument, "INVALID_ARGUMENT", text, fields=tuple(wrong.items()))
