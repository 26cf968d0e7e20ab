"""What the customer service expects of order and payment."""

from __future__ import annotations

from shop.customer.v1.events.consumers import subscribe_flag_payment_method_on_payment_failed
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import (
    ORDER_STATUS_CONFIRMED,
    ORDER_STATUS_PAID,
    ORDER_STATUS_PENDING,
    ORDER_STATUS_SHIPPED,
    ListOrdersRequest,
)

from harness.pacts.expectations import events
from harness.pacts.expectations.shapes import CUSTOMER, ORDER
from harness.pacts.interactions import Expectations, RpcInteraction, given
from harness.pacts.matching import identifier

UNDER_WAY = (ORDER_STATUS_PENDING, ORDER_STATUS_PAID, ORDER_STATUS_CONFIRMED, ORDER_STATUS_SHIPPED)
EXPECTATIONS = (
    Expectations(
        consumer="customer",
        provider="order",
        interactions=(
            RpcInteraction(
                rpc="order.v1.OrderService/ListOrders",
                case="whether an order is under way",
                client=OrderServiceClient,
                call=lambda client: client.list_orders(
                    ListOrdersRequest(customer_id=CUSTOMER, page_size=1, statuses=UNDER_WAY)
                ),
                answer={"orders": [{"order_id": identifier(ORDER), "customer_id": identifier(CUSTOMER)}]},
                states=(given("a confirmed order"),),
                from_state={"$.customer_id": "${customer_id}"},
            ),
        ),
    ),
    Expectations(
        consumer="customer",
        provider="payment",
        interactions=(events.payment_failed(subscribe_flag_payment_method_on_payment_failed),),
    ),
)
