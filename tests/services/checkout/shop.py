"""The services around checkout, as small real gRPC servers with a ledger of what really happened.

`hooks` run at a place of a call: `"ProcessPayment before"` is reached before the effect, `"... after"` when it has
landed and is not answered yet. What a hook raises is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shop.catalog.v1.catalog_grpc import CatalogServiceMethods
from shop.catalog.v1.catalog_pb2 import (
    PRODUCT_STATUS_ACTIVE,
    PRODUCT_STATUS_DISCONTINUED,
    GetPricesRequest,
    GetPricesResponse,
    GetProductRequest,
    GetProductResponse,
    Price,
    Product,
)
from shop.common.v1.money_pb2 import Money
from shop.order.v1.order_grpc import OrderServiceMethods
from shop.order.v1.order_pb2 import (
    CancelOrderRequest,
    CancelOrderResponse,
    CreateOrderRequest,
    CreateOrderResponse,
    GetOrderRequest,
    GetOrderResponse,
    Order,
    OrderStatus,
)
from shop.payment.v1.payment_grpc import PaymentServiceMethods
from shop.payment.v1.payment_pb2 import (
    PAYMENT_STATUS_REFUNDED,
    PAYMENT_STATUS_SUCCEEDED,
    REFUND_STATUS_SUCCEEDED,
    GetPaymentStatusRequest,
    GetPaymentStatusResponse,
    Payment,
    PaymentStatus,
    ProcessPaymentRequest,
    ProcessPaymentResponse,
    Refund,
    RefundPaymentRequest,
    RefundPaymentResponse,
)
from shop.runtime.errors import FailedPrecondition, NotFound
from shop.runtime.grpc_server import Call, GrpcServer, unary
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceMethods
from shop.warehouse.v1.warehouse_pb2 import Availability, CheckAvailabilityRequest, CheckAvailabilityResponse

from services.platform.refusals import refusal

TEA, CUP, OLD = "prd_tea_green", "prd_cup", "prd_old"


@dataclass
class Shop:
    """All peers behind one address."""

    server: GrpcServer = field(default_factory=lambda: GrpcServer(health=False, reflection=False, grace=0))
    prices: dict[str, int] = field(default_factory=lambda: {TEA: 1250, CUP: 899, OLD: 100})
    stock: dict[str, int] = field(default_factory=lambda: {TEA: 10, CUP: 0})
    orders: dict[str, CreateOrderRequest] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    charges: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, RefundPaymentRequest] = field(default_factory=dict)
    cancelled: dict[str, CancelOrderRequest] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)
    charge_status: PaymentStatus.ValueType = PAYMENT_STATUS_SUCCEEDED
    traces: list[str] = field(default_factory=list)

    async def start(self) -> None:
        """Serve."""
        catalog, orders, payments = CatalogServiceMethods, OrderServiceMethods, PaymentServiceMethods
        self.server.add(
            "catalog.v1.CatalogService",
            [unary(catalog.GET_PRODUCT, self._product), unary(catalog.GET_PRICES, self._prices)],
        )
        self.server.add(
            "warehouse.v1.WarehouseService",
            [unary(WarehouseServiceMethods.CHECK_AVAILABILITY, self._availability)],
        )
        self.server.add(
            "order.v1.OrderService",
            [
                unary(orders.CREATE_ORDER, self._create),
                unary(orders.GET_ORDER, self._order),
                unary(orders.CANCEL_ORDER, self._cancel),
            ],
        )
        self.server.add(
            "payment.v1.PaymentService",
            [
                unary(payments.PROCESS_PAYMENT, self._charge),
                unary(payments.GET_PAYMENT_STATUS, self._payment),
                unary(payments.REFUND_PAYMENT, self._refund),
            ],
        )
        await self.server.start()

    @property
    def address(self) -> str:
        """Of every peer."""
        return self.server.address

    def reach(self, place: str) -> None:
        """A call has come to a place."""
        hook = self.hooks.get(place)
        if hook is not None:
            hook()

    def _called(self, name: str, call: Call) -> None:
        self.calls.append(name)
        self.traces.append(call.trace.trace_id)
        self.reach(f"{name} before")

    async def _product(self, request: GetProductRequest, call: Call) -> GetProductResponse:
        self._called("GetProduct", call)
        if request.product_id not in self.prices:
            raise NotFound("no such product")
        status = PRODUCT_STATUS_DISCONTINUED if request.product_id == OLD else PRODUCT_STATUS_ACTIVE
        sku = request.product_id.removeprefix("prd_").upper()
        product = Product(product_id=request.product_id, sku=sku, name=f"Fine {sku.lower()}", status=status)
        return GetProductResponse(product=product)

    async def _prices(self, request: GetPricesRequest, call: Call) -> GetPricesResponse:
        self._called("GetPrices", call)
        known = {id_: self.prices[id_] for id_ in request.product_ids if id_ in self.prices}
        if request.currency_code != "EUR":
            known = {}
        return GetPricesResponse(
            prices={
                id_: Price(product_id=id_, amount=Money(minor_units=price, currency_code="EUR"))
                for id_, price in known.items()
            },
            missing_product_ids=[id_ for id_ in request.product_ids if id_ not in known],
        )

    async def _availability(self, request: CheckAvailabilityRequest, call: Call) -> CheckAvailabilityResponse:
        self._called("CheckAvailability", call)
        lines = [
            Availability(
                product_id=line.product_id, requested=line.quantity, available=self.stock.get(line.product_id, 0)
            )
            for line in request.lines
        ]
        return CheckAvailabilityResponse(
            all_available=all(line.available >= line.requested for line in lines), lines=lines
        )

    async def _create(self, request: CreateOrderRequest, call: Call) -> CreateOrderResponse:
        self._called("CreateOrder", call)
        known = self.orders.get(request.idempotency_key)
        if known is not None and known != request:
            raise refusal(FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", "another request")
        if known is None:
            self.orders[request.idempotency_key] = request
            self.effects.append("order")
        self.reach("CreateOrder after")
        order_id = self.order_id(request.idempotency_key)
        self.statuses.setdefault(order_id, "PENDING")
        return CreateOrderResponse(order=Order(order_id=order_id))

    @staticmethod
    def order_id(key: str) -> str:
        """The order made under a key."""
        return f"ord_{key.removeprefix('chk_')}"

    async def _order(self, request: GetOrderRequest, call: Call) -> GetOrderResponse:
        self._called("GetOrder", call)
        status = self.statuses.get(request.order_id, "PENDING")
        order = Order(order_id=request.order_id, status=OrderStatus.Value(f"ORDER_STATUS_{status}"))
        return GetOrderResponse(order=order)

    async def _cancel(self, request: CancelOrderRequest, call: Call) -> CancelOrderResponse:
        self._called("CancelOrder", call)
        if request.idempotency_key not in self.cancelled:
            self.cancelled[request.idempotency_key] = request
            self.effects.append("cancel")
        self.reach("CancelOrder after")
        return CancelOrderResponse(order=Order(order_id=request.order_id))

    async def _charge(self, request: ProcessPaymentRequest, call: Call) -> ProcessPaymentResponse:
        self._called("ProcessPayment", call)
        if request.idempotency_key not in self.charges:
            self.charges[request.idempotency_key] = Payment(
                payment_id=f"pay_{request.order_id}",
                order_id=request.order_id,
                customer_id=request.customer_id,
                amount=request.amount,
                status=self.charge_status,
            )
            self.effects.append("charge")
        self.reach("ProcessPayment after")
        return ProcessPaymentResponse(payment=self.charges[request.idempotency_key])

    def _found(self, payment_id: str, order_id: str) -> Payment:
        for payment in self.charges.values():
            if payment.payment_id == payment_id or payment.order_id == order_id:
                return payment
        raise NotFound("no such payment")

    async def _payment(self, request: GetPaymentStatusRequest, call: Call) -> GetPaymentStatusResponse:
        self._called("GetPaymentStatus", call)
        return GetPaymentStatusResponse(payment=self._found(request.payment_id, request.order_id))

    async def _refund(self, request: RefundPaymentRequest, call: Call) -> RefundPaymentResponse:
        self._called("RefundPayment", call)
        payment = self._found(request.payment_id, "")
        if request.idempotency_key not in self.refunds:
            if payment.status != PAYMENT_STATUS_SUCCEEDED:
                raise refusal(FailedPrecondition, "NOT_REFUNDABLE", "it has no money in it")
            self.refunds[request.idempotency_key] = request
            payment.status = PAYMENT_STATUS_REFUNDED
            self.effects.append("refund")
        self.reach("RefundPayment after")
        refund = Refund(payment_id=payment.payment_id, amount=payment.amount, status=REFUND_STATUS_SUCCEEDED)
        return RefundPaymentResponse(refund=refund, payment=payment)
