"""Pages of ListOrders: what a request asks for, and tokens that belong to one query only."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime, timedelta

from shop.order.v1 import order_pb2
from shop.runtime.errors import InvalidArgument

from services.order.adapters.orders import Query, Stored
from services.order.domain import Status
from services.platform.refusals import invalid

DEFAULT_SIZE, MAX_SIZE = 20, 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def query_of(request: order_pb2.ListOrdersRequest) -> Query:
    """The page that is asked for. INVALID_ARGUMENT for a size, status or token that is none."""
    if not 0 <= request.page_size <= MAX_SIZE:
        raise invalid("page_size", f"must be 0 to {MAX_SIZE}")
    after = None
    if request.page_token:
        after = _read(request)
    return Query(
        customer_id=request.customer_id,
        limit=request.page_size or DEFAULT_SIZE,
        statuses=tuple(_status(index, value) for index, value in enumerate(request.statuses)),
        created_after=request.created_after.ToDatetime(tzinfo=UTC) if request.HasField("created_after") else None,
        after=after,
    )


def next_token(request: order_pb2.ListOrdersRequest, last: Stored) -> str:
    """The token of what comes after `last`."""
    micros = (last.created_at - _EPOCH) // timedelta(microseconds=1)
    text = f"{_digest(request)} {micros} {last.order.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _status(index: int, value: int) -> Status:
    try:
        return Status(order_pb2.OrderStatus.Name(order_pb2.OrderStatus.ValueType(value)).removeprefix("ORDER_STATUS_"))
    except ValueError:
        raise invalid(f"statuses[{index}]", "must be a status of an order") from None


def _read(request: order_pb2.ListOrdersRequest) -> tuple[datetime, str]:
    wrong: InvalidArgument = invalid("page_token", "must be the next_page_token of a page of the same query")
    try:
        padded = request.page_token + "=" * (-len(request.page_token) % 4)
        digest, micros, order_id = base64.urlsafe_b64decode(padded.encode()).decode().split(" ")
        moment = datetime.fromtimestamp(int(micros) // 1_000_000, UTC).replace(microsecond=int(micros) % 1_000_000)
    except (binascii.Error, ValueError, OverflowError, OSError):
        raise wrong from None
    if digest != _digest(request):
        raise wrong
    return moment, order_id


def _digest(request: order_pb2.ListOrdersRequest) -> str:
    """Of what must be the same for all pages."""
    asked = order_pb2.ListOrdersRequest()
    asked.CopyFrom(request)
    asked.ClearField("page_token")
    asked.ClearField("page_size")
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).hexdigest()[:16]
