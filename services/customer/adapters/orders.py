"""The order service, as far as an erasure needs it: whether an order is under way."""

from __future__ import annotations

from shop.order.v1 import order_pb2
from shop.order.v1.order_grpc import OrderServiceClient

UNDER_WAY = (
    order_pb2.ORDER_STATUS_PENDING,
    order_pb2.ORDER_STATUS_PAID,
    order_pb2.ORDER_STATUS_CONFIRMED,
    order_pb2.ORDER_STATUS_SHIPPED,
)


class Orders:
    """Asks the order service; its errors are those of the generated client."""

    def __init__(self, client: OrderServiceClient, *, deadline: float = 5.0) -> None:
        self._client = client
        self._deadline = deadline

    async def under_way(self, customer_id: str) -> bool:
        """Whether the customer has an order that has not come to an end."""
        request = order_pb2.ListOrdersRequest(customer_id=customer_id, page_size=1, statuses=UNDER_WAY)
        return bool((await self._client.list_orders(request, deadline=self._deadline)).orders)
