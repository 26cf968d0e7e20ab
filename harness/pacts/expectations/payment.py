"""What the payment service expects of customer."""

from __future__ import annotations

from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.customer.v1.customer_pb2 import ResolvePaymentMethodRequest
from shop.payment.v1.events.consumers import (
    subscribe_forget_tokens_on_customer_deleted,
    subscribe_register_payment_method_at_provider,
)

from harness.pacts.expectations import events
from harness.pacts.expectations.shapes import CARD, CUSTOMER
from harness.pacts.interactions import Expectations, RpcInteraction, given
from harness.pacts.matching import Exactly

RESOLVE = "customer.v1.CustomerService/ResolvePaymentMethod"
EXPECTATIONS = (
    Expectations(
        consumer="payment",
        provider="customer",
        interactions=(
            RpcInteraction(
                rpc=RESOLVE,
                case="a stored card",
                client=CustomerServiceClient,
                call=lambda client: client.resolve_payment_method(
                    ResolvePaymentMethodRequest(customer_id=CUSTOMER, payment_method_id=CARD)
                ),
                answer={"type": Exactly("PAYMENT_METHOD_TYPE_CARD"), "provider_token": "pm_card_visa"},
                states=(given("a customer with a card"),),
                from_state={"$.customer_id": "${customer_id}", "$.payment_method_id": "${payment_method_id}"},
            ),
            RpcInteraction(
                rpc=RESOLVE,
                case="a card of nobody",
                client=CustomerServiceClient,
                call=lambda client: client.resolve_payment_method(
                    ResolvePaymentMethodRequest(customer_id=CUSTOMER, payment_method_id="pm_of_nobody")
                ),
                status="NOT_FOUND",
                answer={},
                states=(given("a customer"),),
                from_state={"$.customer_id": "${customer_id}"},
            ),
            events.payment_method_added(subscribe_register_payment_method_at_provider),
            events.customer_deleted(subscribe_forget_tokens_on_customer_deleted),
        ),
    ),
)
