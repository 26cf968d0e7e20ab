"""What the checkout service expects of catalog, warehouse, order and payment."""

from __future__ import annotations

from collections.abc import Awaitable

from shop.catalog.v1.catalog_grpc import CatalogServiceClient
from shop.catalog.v1.catalog_pb2 import GetPricesRequest, GetProductRequest
from shop.checkout.v1.events.consumers import (
    subscribe_compensate_on_stock_shortage,
    subscribe_expire_previews_on_price_changed,
    subscribe_process_order,
    subscribe_settle_checkout_on_order_status,
)
from shop.common.v1.address_pb2 import Address
from shop.common.v1.money_pb2 import Money
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import CancelOrderRequest, CreateOrderRequest, GetOrderRequest, OrderItem
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.payment.v1.payment_pb2 import (
    REFUND_REASON_OUT_OF_STOCK,
    GetPaymentStatusRequest,
    ProcessPaymentRequest,
    ProcessPaymentResponse,
    RefundPaymentRequest,
)
from shop.warehouse.v1.warehouse_grpc import WarehouseServiceClient
from shop.warehouse.v1.warehouse_pb2 import CheckAvailabilityRequest, StockLine

from harness.pacts.expectations import events
from harness.pacts.expectations.shapes import ADDRESS, CARD, CHECKOUT, CUSTOMER, KEY, ORDER, PAYMENT, PRODUCT, refused
from harness.pacts.interactions import EventInteraction, Expectations, Interaction, RpcInteraction, given
from harness.pacts.matching import Exactly, cloud_event, identifier, int64, moment, money, one_of, proto_money

CATALOG = (
    RpcInteraction(
        rpc="catalog.v1.CatalogService/GetProduct",
        case="a product for sale",
        client=CatalogServiceClient,
        call=lambda client: client.get_product(GetProductRequest(product_id=PRODUCT)),
        answer={
            "product": {
                "product_id": identifier(PRODUCT),
                "sku": "TEA-GREEN-100",
                "name": "Green tea, 100 g",
                "status": Exactly("PRODUCT_STATUS_ACTIVE"),
            }
        },
        states=(given("a product for sale"),),
        from_state={"$.product_id": "${product_id}"},
    ),
    RpcInteraction(
        rpc="catalog.v1.CatalogService/GetProduct",
        case="a product that does not exist",
        client=CatalogServiceClient,
        call=lambda client: client.get_product(GetProductRequest(product_id="prd_of_nobody")),
        status="NOT_FOUND",
        answer={},
    ),
    RpcInteraction(
        rpc="catalog.v1.CatalogService/GetPrices",
        case="the products of a cart",
        client=CatalogServiceClient,
        call=lambda client: client.get_prices(GetPricesRequest(product_ids=[PRODUCT], currency_code="EUR")),
        answer={"prices": {PRODUCT: {"product_id": identifier(PRODUCT), "amount": proto_money(1250)}}},
        states=(given("a product for sale", product_id=PRODUCT),),
    ),
    EventInteraction(
        channel="price-changed",
        case="a new price",
        subscribe=subscribe_expire_previews_on_price_changed,
        event=cloud_event(
            "price-changed",
            source="catalog",
            subject=PRODUCT,
            aggregate="product",
            data={
                "product_id": identifier(PRODUCT),
                "amount": money(1190),
                "effective_from": moment(),
                "price_version": 2,
            },
        ),
        states=(given("a price has changed"),),
    ),
)
WAREHOUSE = (
    RpcInteraction(
        rpc="warehouse.v1.WarehouseService/CheckAvailability",
        case="the lines of a cart",
        client=WarehouseServiceClient,
        call=lambda client: client.check_availability(
            CheckAvailabilityRequest(lines=[StockLine(product_id=PRODUCT, quantity=2)])
        ),
        answer={"lines": [{"product_id": identifier(PRODUCT), "requested": 2, "available": int64(120)}]},
        states=(given("a product in stock"),),
        from_state={"$.lines[0].product_id": "${product_id}"},
    ),
    events.stock_reservation_failed(subscribe_compensate_on_stock_shortage),
)


def _order_request() -> CreateOrderRequest:
    def euros(minor_units: int) -> Money:
        return Money(minor_units=minor_units, currency_code="EUR")

    return CreateOrderRequest(
        customer_id=CUSTOMER,
        checkout_id=CHECKOUT,
        items=[
            OrderItem(
                product_id=PRODUCT, sku="TEA-GREEN-100", name="Green tea, 100 g", quantity=2, unit_price=euros(1250)
            )
        ],
        shipping_cost=euros(499),
        tax=euros(570),
        discount=euros(0),
        total=euros(3569),
        shipping_address=Address(**ADDRESS),
        payment_method_id=CARD,
        metadata={"channel": "web", "checkout_id": CHECKOUT},
        idempotency_key=KEY,
    )


ORDERS: tuple[Interaction, ...] = (
    RpcInteraction(
        rpc="order.v1.OrderService/CreateOrder",
        case="a confirmed checkout",
        client=OrderServiceClient,
        call=lambda client: client.create_order(_order_request()),
        answer={"order": {"order_id": identifier(ORDER), "status": Exactly("ORDER_STATUS_PENDING")}},
        states=(given("a customer with a card"),),
        from_state={
            "$.customer_id": "${customer_id}",
            "$.payment_method_id": "${payment_method_id}",
            "$.checkout_id": "${key}",
            "$.idempotency_key": "${key}",
        },
    ),
    RpcInteraction(
        rpc="order.v1.OrderService/GetOrder",
        case="how far an order has come",
        client=OrderServiceClient,
        call=lambda client: client.get_order(GetOrderRequest(order_id=ORDER)),
        answer={"order": {"order_id": identifier(ORDER), "status": Exactly("ORDER_STATUS_CONFIRMED")}},
        states=(given("a confirmed order"),),
        from_state={"$.order_id": "${order_id}"},
    ),
    RpcInteraction(
        rpc="order.v1.OrderService/CancelOrder",
        case="an order whose time has run out",
        client=OrderServiceClient,
        call=lambda client: client.cancel_order(
            CancelOrderRequest(order_id=ORDER, reason="TIMED_OUT", idempotency_key=KEY)
        ),
        answer={"order": {"order_id": identifier(ORDER), "status": Exactly("ORDER_STATUS_CANCELLED")}},
        states=(given("an order that nobody pays"),),
        from_state={"$.order_id": "${order_id}", "$.idempotency_key": "${key}"},
    ),
    EventInteraction(
        channel="order-processing",
        case="a new order",
        subscribe=subscribe_process_order,
        event=cloud_event(
            "order-processing",
            source="order",
            subject=ORDER,
            aggregate="order",
            data={
                "order_id": identifier(ORDER),
                "customer_id": identifier(CUSTOMER),
                "payment_method_id": identifier(CARD),
                "total": money(3569),
            },
        ),
        states=(given("a confirmed order"),),
    ),
    *(
        events.order_status_changed(subscribe_settle_checkout_on_order_status, status)
        for status in ("ORDER_STATUS_CONFIRMED", "ORDER_STATUS_FAILED", "ORDER_STATUS_REFUNDED")
    ),
)


def _charge(client: PaymentServiceClient) -> Awaitable[ProcessPaymentResponse]:
    return client.process_payment(
        ProcessPaymentRequest(
            order_id=ORDER,
            customer_id=CUSTOMER,
            amount=Money(minor_units=3569, currency_code="EUR"),
            payment_method_id=CARD,
            idempotency_key=KEY,
        )
    )


CHARGED = {
    "$.order_id": "${new_order_id}",
    "$.customer_id": "${customer_id}",
    "$.payment_method_id": "${payment_method_id}",
    "$.idempotency_key": "${key}",
}
PAYMENTS = (
    RpcInteraction(
        rpc="payment.v1.PaymentService/ProcessPayment",
        case="a good card",
        client=PaymentServiceClient,
        call=_charge,
        answer={
            "payment": {
                "payment_id": identifier(PAYMENT),
                "order_id": identifier(ORDER),
                "status": Exactly("PAYMENT_STATUS_SUCCEEDED"),
            }
        },
        states=(given("a customer with a card"),),
        from_state=CHARGED,
    ),
    RpcInteraction(
        rpc="payment.v1.PaymentService/ProcessPayment",
        case="a declined card is a result",
        client=PaymentServiceClient,
        call=_charge,
        answer={
            "payment": {
                "payment_id": identifier(PAYMENT),
                "order_id": identifier(ORDER),
                "status": Exactly("PAYMENT_STATUS_FAILED"),
                "failure": {"code": one_of("CARD_DECLINED", "INSUFFICIENT_FUNDS")},
            }
        },
        states=(given("a customer with a declined card"),),
        from_state=CHARGED,
    ),
    RpcInteraction(
        rpc="payment.v1.PaymentService/ProcessPayment",
        case="an order that is paid",
        client=PaymentServiceClient,
        call=_charge,
        status="FAILED_PRECONDITION",
        answer=refused("ORDER_ALREADY_PAID"),
        states=(given("a confirmed order"),),
        from_state={**CHARGED, "$.order_id": "${order_id}"},
    ),
    RpcInteraction(
        rpc="payment.v1.PaymentService/GetPaymentStatus",
        case="the newest payment of an order",
        client=PaymentServiceClient,
        call=lambda client: client.get_payment_status(GetPaymentStatusRequest(order_id=ORDER)),
        answer={
            "payment": {"payment_id": identifier(PAYMENT), "status": Exactly("PAYMENT_STATUS_SUCCEEDED")},
        },
        states=(given("a confirmed order"),),
        from_state={"$.order_id": "${order_id}"},
    ),
    RpcInteraction(
        rpc="payment.v1.PaymentService/GetPaymentStatus",
        case="an order without a payment",
        client=PaymentServiceClient,
        call=lambda client: client.get_payment_status(GetPaymentStatusRequest(order_id="ord_of_nobody")),
        status="NOT_FOUND",
        answer={},
    ),
    RpcInteraction(
        rpc="payment.v1.PaymentService/RefundPayment",
        case="all of it, because stock is missing",
        client=PaymentServiceClient,
        call=lambda client: client.refund_payment(
            RefundPaymentRequest(payment_id=PAYMENT, reason=REFUND_REASON_OUT_OF_STOCK, idempotency_key=KEY)
        ),
        answer={
            "refund": {
                "payment_id": identifier(PAYMENT),
                "amount": proto_money(3569),
                "status": one_of("REFUND_STATUS_SUCCEEDED", "REFUND_STATUS_PENDING"),
            }
        },
        states=(given("a payment of no order"),),
        from_state={"$.payment_id": "${payment_id}", "$.idempotency_key": "${key}"},
    ),
)
EXPECTATIONS = (
    Expectations(consumer="checkout", provider="catalog", interactions=CATALOG),
    Expectations(consumer="checkout", provider="warehouse", interactions=WAREHOUSE),
    Expectations(consumer="checkout", provider="order", interactions=ORDERS),
    Expectations(consumer="checkout", provider="payment", interactions=PAYMENTS),
)
