"""Values of the domain as responses of WarehouseService, and what is refused as errors."""

from __future__ import annotations

from shop.runtime.errors import FailedPrecondition, NotFound, RpcError
from shop.warehouse.v1 import warehouse_pb2 as pb

from services.platform.refusals import refusal
from services.warehouse.domain import Lack, Level, Refusal, Reservation, Shortage, Status

_STATUS = {
    Status.ACTIVE: pb.RESERVATION_STATUS_ACTIVE,
    Status.COMMITTED: pb.RESERVATION_STATUS_COMMITTED,
    Status.RELEASED: pb.RESERVATION_STATUS_RELEASED,
    Status.EXPIRED: pb.RESERVATION_STATUS_EXPIRED,
}
_REFUSALS = {
    Refusal.COMMITTED: "its goods have left already",
    Refusal.RELEASED: "it was given back",
    Refusal.EXPIRED: "its time ran out",
}


def reservation(found: Reservation) -> pb.Reservation:
    """A reservation."""
    message = pb.Reservation(
        reservation_id=found.reservation_id,
        order_id=found.order_id,
        lines=[pb.StockLine(product_id=line.product_id, quantity=line.quantity) for line in found.lines],
        status=_STATUS[found.status],
    )
    message.created_at.FromDatetime(found.created_at)
    message.expires_at.FromDatetime(found.expires_at)
    return message


def level(found: Level) -> pb.StockLevel:
    """A level."""
    return pb.StockLevel(
        product_id=found.product_id,
        warehouse_id=found.warehouse_id,
        on_hand=found.on_hand,
        reserved=found.reserved,
        available=found.available,
        version=found.version,
    )


def missing(shortage: Shortage) -> RpcError:
    """Nothing was set aside."""
    first = shortage.lines[0]
    facts = {"product_id": first.product_id, "requested": str(first.requested), "available": str(first.available)}
    if shortage.lack is Lack.UNKNOWN_PRODUCT:
        return refusal(NotFound, shortage.lack.value, "a product is not known", facts=facts)
    return refusal(FailedPrecondition, shortage.lack.value, "there is not enough in stock", facts=facts)


def unmoved(why: Refusal) -> RpcError:
    """The reservation is in a final state that does not fit."""
    return refusal(FailedPrecondition, why.value, _REFUSALS[why])
