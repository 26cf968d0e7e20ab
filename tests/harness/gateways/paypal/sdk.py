"""PayPal's own SDK, pointed at the mock, and the requests that the tests send with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from paypalserversdk.configuration import Configuration, Server
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.models.amount_with_breakdown import AmountWithBreakdown
from paypalserversdk.models.card_request import CardRequest
from paypalserversdk.models.order_request import OrderRequest
from paypalserversdk.models.payment_source import PaymentSource
from paypalserversdk.models.purchase_unit_request import PurchaseUnitRequest
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

WHOLE = "return=representation"


def client_of(url: str, client_id: str = "client-1") -> PaypalServersdkClient:
    """The SDK as shops use it, with another base URL."""

    class Here(Configuration):  # type: ignore[misc] # the SDK carries no types
        def get_base_uri(self, server: Any = Server.DEFAULT) -> str:
            return url

    credentials = ClientCredentialsAuthCredentials(client_id, "of no account")
    return PaypalServersdkClient(config=Here(client_credentials_auth_credentials=credentials))


def unit(value: str = "10.00", currency: str = "USD", **members: Any) -> PurchaseUnitRequest:
    return PurchaseUnitRequest(amount=AmountWithBreakdown(currency, value), **members)


def order_body(value: str = "10.00", currency: str = "USD", intent: str = "CAPTURE", **members: Any) -> OrderRequest:
    return OrderRequest(intent=intent, purchase_units=[unit(value, currency, **members)])


def card_source() -> PaymentSource:
    return PaymentSource(card=CardRequest(vault_id="8kk845"))


class Shop:
    """An SDK client and the payer behind it."""

    def __init__(self, url: str, control: Any) -> None:
        self.url = url
        self.control = control
        self.client = client_of(url)
        self.orders = self.client.orders
        self.payments = self.client.payments

    def created(self, value: str = "10.00", currency: str = "USD", intent: str = "CAPTURE", **members: Any) -> str:
        body = order_body(value, currency, intent, **members)
        return str(self.orders.create_order({"body": body}).body.id)

    def approved(self, value: str = "10.00", currency: str = "USD", intent: str = "CAPTURE", **members: Any) -> str:
        order_id = self.created(value, currency, intent, **members)
        self.control.action("approve_order", order_id=order_id)
        return order_id

    def captured(self, value: str = "10.00", currency: str = "USD", **members: Any) -> str:
        answer = self.orders.capture_order({"id": self.approved(value, currency, **members)})
        return str(answer.body.purchase_units[0].payments.captures[0].id)

    def authorized(self, value: str = "10.00", currency: str = "USD", **members: Any) -> str:
        answer = self.orders.authorize_order({"id": self.approved(value, currency, "AUTHORIZE", **members)})
        return str(answer.body.purchase_units[0].payments.authorizations[0].id)

    def refused(self, call: Callable[[], Any]) -> ErrorException:
        """The error of a call, which must be PayPal's."""
        with pytest.raises(ErrorException) as caught:
            call()
        assert caught.value.debug_id == caught.value.response.headers["paypal-debug-id"]
        return caught.value

    def issue(self, call: Callable[[], Any]) -> tuple[int, str]:
        """The status and the issue of a call that is refused."""
        problem = self.refused(call)
        return problem.response_code, str(problem.details[0].issue)
