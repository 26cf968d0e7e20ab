"""The services behind the gateway, as one small real gRPC server that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from shop.catalog.v1.catalog_grpc import CatalogServiceMethods as Catalog
from shop.checkout.v1.cart_grpc import CartServiceMethods as Carts
from shop.checkout.v1.cart_pb2 import Cart, CreateCartResponse
from shop.checkout.v1.checkout_grpc import CheckoutServiceMethods as Checkout
from shop.checkout.v1.checkout_pb2 import (
    CHECKOUT_STATUS_CONFIRMED,
    ConfirmCheckoutResponse,
    StartCheckoutResponse,
)
from shop.common.v1.money_pb2 import Money
from shop.customer.v1.authentication_grpc import AuthenticationServiceMethods as Authentication
from shop.customer.v1.authentication_pb2 import AuthenticateResponse, GetSigningKeysResponse, TokenSet
from shop.customer.v1.customer_grpc import CustomerServiceMethods as Customers
from shop.customer.v1.customer_pb2 import ListPaymentMethodsResponse
from shop.order.v1.order_grpc import OrderServiceMethods as Orders
from shop.order.v1.order_pb2 import (
    ORDER_STATUS_CONFIRMED,
    ORDER_STATUS_PAID,
    ORDER_STATUS_PENDING,
    CancelOrderResponse,
    GetOrderResponse,
    ListOrdersResponse,
    Order,
    OrderItem,
    WatchOrderStatusResponse,
)
from shop.payment.v1.payment_grpc import PaymentServiceMethods as Payments
from shop.payment.v1.payment_pb2 import (
    PAYMENT_PROVIDER_STRIPE,
    PAYMENT_STATUS_SUCCEEDED,
    GetPaymentStatusResponse,
    IngestWebhookResponse,
    Payment,
)
from shop.runtime.errors import Unimplemented
from shop.runtime.grpc_method import Method
from shop.runtime.grpc_server import Call, GrpcServer, server_stream, unary

ADA = "cus_ada"
EUR = Money(minor_units=3569, currency_code="EUR")
NOW = Timestamp()
NOW.FromDatetime(datetime(2026, 2, 1, 10, 15, tzinfo=UTC))

UNARY: dict[str, list[Method[Any, Any]]] = {
    "customer.v1.AuthenticationService": [Authentication.AUTHENTICATE, Authentication.GET_SIGNING_KEYS],
    "customer.v1.CustomerService": [Customers.GET_CUSTOMER, Customers.LIST_PAYMENT_METHODS],
    "catalog.v1.CatalogService": [Catalog.GET_PRODUCT, Catalog.LIST_PRODUCTS],
    "checkout.v1.CartService": [Carts.CREATE_CART, Carts.GET_CART],
    "checkout.v1.CheckoutService": [Checkout.START_CHECKOUT, Checkout.CONFIRM_CHECKOUT],
    "payment.v1.PaymentService": [Payments.GET_PAYMENT_STATUS, Payments.INGEST_WEBHOOK],
}


@dataclass
class Behind:
    """`answers` are by method name: a message, an error to raise, or a function that waits."""

    server: GrpcServer = field(default_factory=lambda: GrpcServer(health=False, reflection=False, grace=0))
    answers: dict[str, Message | Exception | Callable[[], Awaitable[Message]]] = field(default_factory=dict)
    calls: list[tuple[str, Any, Call]] = field(default_factory=list)

    async def start(self) -> None:
        """Serve."""
        for service, methods in UNARY.items():
            self.server.add(service, [unary(method, self._handler(method)) for method in methods])
        orders: list[Method[Any, Any]] = [Orders.GET_ORDER, Orders.CANCEL_ORDER, Orders.LIST_ORDERS]
        self.server.add(
            "order.v1.OrderService",
            [
                *(unary(method, self._handler(method)) for method in orders),
                server_stream(Orders.WATCH_ORDER_STATUS, self._watch),
            ],
        )
        await self.server.start()

    @property
    def names(self) -> list[str]:
        """The methods that were called, in order; those for keys left out."""
        return [name for name, _, _ in self.calls if name != "GetSigningKeys"]

    @property
    def last(self) -> tuple[Any, Call]:
        """The last call's request, and what came with it."""
        return self.calls[-1][1:]

    def publish_keys(self, keys: dict[str, Any]) -> None:
        """What verifies tokens from now on."""
        self.answers["GetSigningKeys"] = ParseDict(keys, GetSigningKeysResponse())

    def _handler(self, method: Method[Any, Any]) -> Callable[[Any, Call], Awaitable[Any]]:
        async def handle(request: Any, call: Call) -> Any:
            self.calls.append((method.name, request, call))
            answer = self.answers.get(method.name) or DEFAULTS.get(method.name) or Unimplemented("not here")
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, Message) else await answer()

        return handle

    async def _watch(self, request: Any, call: Call) -> Any:
        self.calls.append(("WatchOrderStatus", request, call))
        for version, status in enumerate((ORDER_STATUS_PENDING, ORDER_STATUS_PAID, ORDER_STATUS_CONFIRMED), 1):
            if version > request.after_version:
                yield WatchOrderStatusResponse(
                    order_id=request.order_id, status=status, version=version, changed_at=NOW
                )


def order_of(customer_id: str) -> Order:
    """A paid order."""
    return Order(
        order_id="ord_1",
        customer_id=customer_id,
        items=[OrderItem(product_id="prd_1", sku="S", name="Tea", quantity=1, unit_price=EUR)],
        status=ORDER_STATUS_PAID,
        subtotal=EUR,
        shipping_cost=EUR,
        tax=EUR,
        discount=EUR,
        total=EUR,
        version=2,
        created_at=NOW,
        updated_at=NOW,
    )


def payment_of(customer_id: str) -> GetPaymentStatusResponse:
    """The payment of an order."""
    return GetPaymentStatusResponse(
        payment=Payment(
            payment_id="pay_1",
            order_id="ord_1",
            customer_id=customer_id,
            amount=EUR,
            refunded_amount=Money(currency_code="EUR"),
            provider=PAYMENT_PROVIDER_STRIPE,
            status=PAYMENT_STATUS_SUCCEEDED,
            created_at=NOW,
            updated_at=NOW,
        )
    )


DEFAULTS: dict[str, Message] = {
    "Authenticate": AuthenticateResponse(
        tokens=TokenSet(
            access_token="a.b.c", refresh_token="rt_1", token_type="Bearer", expires_in=900, customer_id=ADA
        )
    ),
    "ListPaymentMethods": ListPaymentMethodsResponse(),
    "CreateCart": CreateCartResponse(
        cart=Cart(cart_id="crt_1", customer_id=ADA, currency_code="EUR", created_at=NOW, updated_at=NOW)
    ),
    "StartCheckout": StartCheckoutResponse(checkout_id="chk_1", status="CHECKOUT_STATUS_STARTED", created_at=NOW),
    "ConfirmCheckout": ConfirmCheckoutResponse(checkout_id="chk_1", order_id="ord_1", status=CHECKOUT_STATUS_CONFIRMED),
    "GetOrder": GetOrderResponse(order=order_of(ADA)),
    "CancelOrder": CancelOrderResponse(order=order_of(ADA)),
    "ListOrders": ListOrdersResponse(),
    "GetPaymentStatus": payment_of(ADA),
    "IngestWebhook": IngestWebhookResponse(),
}
