"""The gateway, checkout, order and payment: from a cart to an order that is paid."""

from __future__ import annotations

from typing import Any

from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.cart_pb2 import CreateCartRequest, GetCartRequest, RemoveCartItemRequest, SetCartItemRequest
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.checkout.v1.checkout_pb2 import (
    ConfirmCheckoutRequest,
    GetCheckoutStatusRequest,
    PreviewOrderRequest,
    StartCheckoutRequest,
)
from shop.common.v1.address_pb2 import Address
from shop.common.v1.money_pb2 import Money
from shop.order.v1.order_grpc import OrderServiceClient
from shop.order.v1.order_pb2 import CancelOrderRequest, GetOrderRequest, ListOrdersRequest
from shop.payment.v1.payment_grpc import PaymentServiceClient
from shop.payment.v1.payment_pb2 import PAYMENT_PROVIDER_STRIPE, GetPaymentStatusRequest, IngestWebhookRequest

from harness.pacts.expectations.shapes import (
    ADDRESS,
    CARD,
    CART,
    CHECKOUT,
    CUSTOMER,
    KEY,
    ORDER,
    PRODUCT,
    cart,
    order,
    payment,
    refused,
)
from harness.pacts.interactions import Call, RpcInteraction, given
from harness.pacts.matching import Exactly, identifier, moment, one_of, proto_money

OF_CART = {"$.cart_id": "${cart_id}"}
OF_CHECKOUT = {"$.checkout_id": "${checkout_id}"}
CONFIRMING = {
    **OF_CHECKOUT,
    "$.payment_method_id": "${payment_method_id}",
    "$.expected_total.minor_units": "${total}",
}


def _cart(method: str, case: str, call: Call, answer: Any, state: str = "", **more: Any) -> RpcInteraction:
    return RpcInteraction(
        rpc=f"checkout.v1.CartService/{method}",
        case=case,
        client=CartServiceClient,
        call=call,
        answer=answer,
        states=(given(state),) if state else (),
        **more,
    )


def _checkout(method: str, case: str, call: Call, answer: Any, state: str = "", **more: Any) -> RpcInteraction:
    return RpcInteraction(
        rpc=f"checkout.v1.CheckoutService/{method}",
        case=case,
        client=CheckoutServiceClient,
        call=call,
        answer=answer,
        states=(given(state),) if state else (),
        **more,
    )


def _order(method: str, case: str, call: Call, answer: Any, state: str = "", **more: Any) -> RpcInteraction:
    return RpcInteraction(
        rpc=f"order.v1.OrderService/{method}",
        case=case,
        client=OrderServiceClient,
        call=call,
        answer=answer,
        states=(given(state),) if state else (),
        **more,
    )


def _confirm(total: int) -> Call:
    return lambda client: client.confirm_checkout(
        ConfirmCheckoutRequest(
            checkout_id=CHECKOUT,
            payment_method_id=CARD,
            expected_total=Money(minor_units=total, currency_code="EUR"),
        )
    )


CARTS = (
    _cart(
        "CreateCart",
        "a new cart",
        lambda client: client.create_cart(
            CreateCartRequest(customer_id=CUSTOMER, currency_code="EUR", idempotency_key=KEY)
        ),
        {
            "cart": {
                "cart_id": identifier(CART),
                "customer_id": identifier(CUSTOMER),
                "currency_code": Exactly("EUR"),
                "created_at": moment(),
                "updated_at": moment(),
            }
        },
        "a customer",
        from_state={"$.customer_id": "${customer_id}", "$.idempotency_key": "${key}"},
    ),
    _cart(
        "GetCart",
        "a cart with goods",
        lambda client: client.get_cart(GetCartRequest(cart_id=CART)),
        {"cart": cart()},
        "a cart with goods",
        from_state=OF_CART,
    ),
    _cart(
        "GetCart",
        "a cart of nobody",
        lambda client: client.get_cart(GetCartRequest(cart_id="crt_of_nobody")),
        {},
        status="NOT_FOUND",
    ),
    _cart(
        "SetCartItem",
        "a product for sale",
        lambda client: client.set_cart_item(SetCartItemRequest(cart_id=CART, product_id=PRODUCT, quantity=3)),
        {"cart": cart()},
        "a cart with goods",
        from_state=OF_CART,
    ),
    _cart(
        "SetCartItem",
        "a product that does not exist",
        lambda client: client.set_cart_item(SetCartItemRequest(cart_id=CART, product_id="prd_of_nobody", quantity=1)),
        {},
        "a cart with goods",
        status="NOT_FOUND",
        from_state=OF_CART,
    ),
    _cart(
        "RemoveCartItem",
        "a product of the cart",
        lambda client: client.remove_cart_item(RemoveCartItemRequest(cart_id=CART, product_id=PRODUCT)),
        {},
        "a cart with goods",
        from_state=OF_CART,
    ),
)
CHECKOUTS = (
    _checkout(
        "StartCheckout",
        "a cart with goods",
        lambda client: client.start_checkout(
            StartCheckoutRequest(cart_id=CART, customer_id=CUSTOMER, session_id="ses_b81f02")
        ),
        {
            "checkout_id": identifier(CHECKOUT),
            "status": Exactly("CHECKOUT_STATUS_STARTED"),
            "created_at": moment(),
        },
        "a cart with goods",
        from_state={**OF_CART, "$.customer_id": "${customer_id}"},
    ),
    _checkout(
        "StartCheckout",
        "an empty cart",
        lambda client: client.start_checkout(
            StartCheckoutRequest(cart_id=CART, customer_id=CUSTOMER, session_id="ses_b81f02")
        ),
        refused("CART_EMPTY"),
        "an empty cart",
        status="FAILED_PRECONDITION",
        from_state={**OF_CART, "$.customer_id": "${customer_id}"},
    ),
    _checkout(
        "PreviewOrder",
        "an address in Germany",
        lambda client: client.preview_order(
            PreviewOrderRequest(checkout_id=CHECKOUT, shipping_address=Address(**ADDRESS))
        ),
        {
            "checkout_id": identifier(CHECKOUT),
            "items": [
                {
                    "product_id": identifier(PRODUCT),
                    "sku": "TEA-GREEN-100",
                    "name": "Green tea, 100 g",
                    "quantity": 2,
                    "unit_price": proto_money(1250),
                    "line_total": proto_money(2500),
                    "in_stock": True,
                }
            ],
            "subtotal": proto_money(2500),
            "shipping_cost": proto_money(499),
            "tax": proto_money(570),
            "discount": proto_money(0),
            "total": proto_money(3569),
            "expires_at": moment(),
        },
        "a checkout",
        from_state=OF_CHECKOUT,
    ),
    _checkout(
        "ConfirmCheckout",
        "the agreed total",
        _confirm(3569),
        {
            "checkout_id": identifier(CHECKOUT),
            "order_id": identifier(ORDER),
            "status": one_of("CHECKOUT_STATUS_CONFIRMED", "CHECKOUT_STATUS_COMPLETED"),
        },
        "a previewed checkout",
        from_state=CONFIRMING,
    ),
    _checkout(
        "ConfirmCheckout",
        "a total that is no longer right",
        _confirm(1),
        refused("PRICE_CHANGED"),
        "a previewed checkout",
        status="FAILED_PRECONDITION",
        from_state={**OF_CHECKOUT, "$.payment_method_id": "${payment_method_id}"},
    ),
    _checkout(
        "ConfirmCheckout",
        "no preview yet",
        _confirm(3569),
        refused("PREVIEW_REQUIRED"),
        "a checkout and a card",
        status="FAILED_PRECONDITION",
        from_state={**OF_CHECKOUT, "$.payment_method_id": "${payment_method_id}"},
    ),
    _checkout(
        "GetCheckoutStatus",
        "a checkout that became an order",
        lambda client: client.get_checkout_status(GetCheckoutStatusRequest(checkout_id=CHECKOUT)),
        {
            "checkout_id": identifier(CHECKOUT),
            "status": one_of("CHECKOUT_STATUS_COMPLETED", "CHECKOUT_STATUS_CONFIRMED"),
            "order_id": identifier(ORDER),
            "created_at": moment(),
            "updated_at": moment(),
        },
        "a confirmed order",
        from_state=OF_CHECKOUT,
    ),
    _checkout(
        "GetCheckoutStatus",
        "a checkout of nobody",
        lambda client: client.get_checkout_status(GetCheckoutStatusRequest(checkout_id="chk_of_nobody")),
        {},
        status="NOT_FOUND",
    ),
)
CHECKOUT_SERVICE = (*CARTS, *CHECKOUTS)
ORDERS = (
    _order(
        "GetOrder",
        "a confirmed order",
        lambda client: client.get_order(GetOrderRequest(order_id=ORDER)),
        {"order": {**order(), "payment_id": identifier("pay_60ac2f"), "shipping_address": ADDRESS}},
        "a confirmed order",
        from_state={"$.order_id": "${order_id}"},
    ),
    _order(
        "GetOrder",
        "an order of nobody",
        lambda client: client.get_order(GetOrderRequest(order_id="ord_of_nobody")),
        {},
        status="NOT_FOUND",
    ),
    _order(
        "GetOrder",
        "an order whose card was declined",
        lambda client: client.get_order(GetOrderRequest(order_id=ORDER)),
        {"order": {**order("ORDER_STATUS_FAILED"), "status_reason": Exactly("PAYMENT_DECLINED")}},
        "an order whose card was declined",
        from_state={"$.order_id": "${order_id}"},
    ),
    _order(
        "ListOrders",
        "the orders of a customer",
        lambda client: client.list_orders(ListOrdersRequest(customer_id=CUSTOMER, page_size=10)),
        {"orders": [order("ORDER_STATUS_CONFIRMED", "ORDER_STATUS_PENDING", "ORDER_STATUS_CANCELLED")]},
        "a confirmed order",
        from_state={"$.customer_id": "${customer_id}"},
    ),
    _order(
        "CancelOrder",
        "an order that nobody has paid",
        lambda client: client.cancel_order(
            CancelOrderRequest(order_id=ORDER, reason="I changed my mind.", idempotency_key=KEY)
        ),
        {"order": order("ORDER_STATUS_CANCELLED")},
        "an order that nobody pays",
        from_state={"$.order_id": "${order_id}", "$.idempotency_key": "${key}"},
    ),
)
PAYMENTS = (
    RpcInteraction(
        rpc="payment.v1.PaymentService/GetPaymentStatus",
        case="the payment of an order",
        client=PaymentServiceClient,
        call=lambda client: client.get_payment_status(GetPaymentStatusRequest(order_id=ORDER)),
        answer={"payment": payment("PAYMENT_STATUS_SUCCEEDED")},
        states=(given("a confirmed order"),),
        from_state={"$.order_id": "${order_id}"},
    ),
    RpcInteraction(
        rpc="payment.v1.PaymentService/IngestWebhook",
        case="a signature of somebody else",
        client=PaymentServiceClient,
        call=lambda client: client.ingest_webhook(
            IngestWebhookRequest(
                provider=PAYMENT_PROVIDER_STRIPE, payload=b'{"id":"evt_1"}', signature="t=1769940930,v1=00"
            )
        ),
        status="UNAUTHENTICATED",
        answer={},
    ),
)
