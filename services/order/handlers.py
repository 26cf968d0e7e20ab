"""What the order service does when it is called."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

from shop.order.v1 import order_pb2
from shop.runtime.errors import FailedPrecondition, NotFound
from shop.runtime.grpc_server import Call

from services.order.adapters.orders import KeyReused, Orders, Stored
from services.order.domain import CUSTOMER_REQUEST, ORDER_CANCELLED, Shipped, cancel
from services.order.pages import next_token, query_of
from services.order.purchases import placing_of
from services.order.shown import shown
from services.order.watching import Watch
from services.platform.caller import customer_of, must_own
from services.platform.refusals import invalid, refusal

MAX_WORDS = 1000


class OrderHandlers:
    """Serves order.v1.OrderService. Calls in the name of a customer see that customer's orders only."""

    def __init__(self, orders: Orders, watch: Watch) -> None:
        self._orders = orders
        self._watch = watch

    async def create_order(self, request: order_pb2.CreateOrderRequest, call: Call, /) -> order_pb2.CreateOrderResponse:
        """Stores an order, publishes order-created and queues the order on order-processing, all
        in one transaction. Errors: INVALID_ARGUMENT (no items, or totals that do not add up).
        """
        asked = placing_of(request, f"ord_{secrets.token_hex(10)}")
        must_own(call, request.customer_id, "order")
        try:
            stored = await self._orders.place(asked)
        except KeyReused:
            text = "the idempotency key or the checkout was used for another order"
            raise refusal(FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", text) from None
        return order_pb2.CreateOrderResponse(order=shown(stored))

    async def get_order(self, request: order_pb2.GetOrderRequest, call: Call, /) -> order_pb2.GetOrderResponse:
        """Returns an order. Errors: NOT_FOUND."""
        return order_pb2.GetOrderResponse(order=shown(await self._owned(request.order_id, call)))

    async def cancel_order(self, request: order_pb2.CancelOrderRequest, call: Call, /) -> order_pb2.CancelOrderResponse:
        """Cancels an order that has not been shipped; a paid one is refunded. Cancelling a
        cancelled order succeeds. Errors: NOT_FOUND, FAILED_PRECONDITION ORDER_SHIPPED.
        """
        if len(request.reason) > MAX_WORDS:
            raise invalid("reason", f"must have at most {MAX_WORDS} characters")
        await self._owned(request.order_id, call)
        # The customer's own words may say who they are: events carry a code only.
        code = ORDER_CANCELLED if customer_of(call) is None else CUSTOMER_REQUEST
        try:
            stored = await self._orders.change(
                request.order_id, lambda order: cancel(order, code), words=request.reason
            )
        except Shipped:
            raise refusal(FailedPrecondition, "ORDER_SHIPPED", "the order is on its way already") from None
        return order_pb2.CancelOrderResponse(order=shown(stored or _unknown(request.order_id)))

    async def list_orders(self, request: order_pb2.ListOrdersRequest, call: Call, /) -> order_pb2.ListOrdersResponse:
        """Lists the orders of a customer, newest first.
        Errors: INVALID_ARGUMENT (a page token of another query).
        """
        if not request.customer_id:
            raise invalid("customer_id", "is required")
        must_own(call, request.customer_id, "order")
        query = query_of(request)
        found = await self._orders.search(replace(query, limit=query.limit + 1))
        page = found[: query.limit]
        return order_pb2.ListOrdersResponse(
            orders=[shown(stored) for stored in page],
            next_page_token=next_token(request, page[-1]) if len(found) > len(page) else "",
        )

    async def watch_order_status(
        self, request: order_pb2.WatchOrderStatusRequest, call: Call, /
    ) -> AsyncIterator[order_pb2.WatchOrderStatusResponse]:
        """Sends the status of an order now and at every change; ends when the status is final.
        Errors: NOT_FOUND.
        """
        await self._owned(request.order_id, call)
        after = request.after_version if request.HasField("after_version") else None
        async for found in self._watch.statuses(request.order_id, after=after):
            yield found

    async def _owned(self, order_id: str, call: Call) -> Stored:
        stored = await self._orders.find(order_id) or _unknown(order_id)
        must_own(call, stored.order.purchase.customer_id, "order")
        return stored


def _unknown(order_id: str) -> Stored:
    raise refusal(NotFound, "ORDER_NOT_FOUND", f"there is no order {order_id!r}")
