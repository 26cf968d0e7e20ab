"""Customers see their own things only, whatever the services behind check besides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from shop.gateway.v1.http.front import Front
from shop.gateway.v1.http.models import (
    CancelOrderBody,
    GetPaymentStatusResponse,
    Order,
    TrackShipmentResponse,
    WatchOrderStatusResponse,
)
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_server import Route
from shop.runtime.problem import HttpProblem

from services.platform.security import Principal


def must_be(context: RequestContext, customer_id: str, what: str) -> None:
    """403 NOT_OWNER when the token of the request is another customer's."""
    principal = context.principal
    if isinstance(principal, Principal) and principal.subject != customer_id:
        raise HttpProblem(403, f"The {what} belongs to another customer.", extensions={"code": "NOT_OWNER"})


def own(route: Route) -> Route:
    """The route, for a customer that the request names only when it is the caller: in path, query or body."""
    handler: Callable[..., Any] = route.handler

    def guarded(context: RequestContext, **arguments: Any) -> Any:
        named = arguments.get("customer_id"), getattr(arguments.get("body"), "customer_id", None)
        for customer_id in named:
            if isinstance(customer_id, str):
                must_be(context, customer_id, "resource")
        return handler(context, **arguments)

    return Route(route.operation, guarded, route.path)


class OwnFront(Front):
    """The generated front; what has an owner that the request does not name is looked at before it is given away."""

    async def get_order(self, context: RequestContext, *, id: str) -> Order:
        """The order, of the caller."""
        order = await super().get_order(context, id=id)
        must_be(context, order.customer_id, "order")
        return order

    async def cancel_order(
        self, context: RequestContext, *, id: str, idempotency_key: str, body: CancelOrderBody
    ) -> Order:
        """Cancels an order of the caller."""
        await self.get_order(context, id=id)
        return await super().cancel_order(context, id=id, idempotency_key=idempotency_key, body=body)

    async def watch_order_status(
        self, context: RequestContext, *, id: str, last_event_id: int | None
    ) -> AsyncIterator[WatchOrderStatusResponse]:
        """The status of an order of the caller as it changes."""
        await self.get_order(context, id=id)
        changes = super().watch_order_status(context, id=id, last_event_id=last_event_id)
        try:
            async for each in changes:
                yield each
        finally:
            close = getattr(changes, "aclose", None)
            if close is not None:
                await close()

    async def get_order_payment(self, context: RequestContext, *, id: str) -> GetPaymentStatusResponse:
        """The payment of an order of the caller."""
        found = await super().get_order_payment(context, id=id)
        must_be(context, found.payment.customer_id, "payment")
        return found

    async def track_shipment(self, context: RequestContext, *, id: str) -> TrackShipmentResponse:
        """The journey of a shipment of an order of the caller."""
        found = await super().track_shipment(context, id=id)
        await self.get_order(context, id=found.shipment.order_id)
        return found
