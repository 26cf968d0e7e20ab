from __future__ import annotations

import base64

import pytest
from shop.external.paypal.http.client import Client
from shop.external.paypal.http.models import (
    Amount,
    CaptureStatus,
    Error,
    Intent,
    OauthError,
    OrderRequest,
    OrderStatus,
    PurchaseUnitRequest,
    TokenRequest,
)
from shop.runtime.errors import HttpError

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.paypal.sdk import WHOLE, Shop


def an_order() -> OrderRequest:
    amount = Amount(currency_code="USD", value="10.00")
    return OrderRequest(intent=Intent.CAPTURE, purchase_units=[PurchaseUnitRequest(amount=amount)])


async def test_the_client_that_is_generated_from_the_contract_pays_an_order(mock: RunningMock, shop: Shop) -> None:
    basic = base64.b64encode(b"client-1:of no account").decode()
    async with Client(mock.url, headers={"authorization": f"Basic {basic}"}) as authorization:
        token = await authorization.request_token(TokenRequest(grant_type="client_credentials"))
    async with Client(mock.url, access_token=token.access_token) as client:
        order = await client.create_order(an_order(), paypal_request_id="k", prefer=WHOLE)
        assert order.status is OrderStatus.CREATED
        with pytest.raises(HttpError) as caught:
            await client.capture_order(order.id)
        assert isinstance(caught.value.model, Error) and caught.value.model.details is not None
        assert caught.value.model.details[0].issue == "ORDER_NOT_APPROVED"
        shop.control.action("approve_order", order_id=order.id)
        paid = await client.capture_order(order.id, paypal_request_id="c")
        assert paid.purchase_units is not None and paid.purchase_units[0].payments is not None
        captures = paid.purchase_units[0].payments.captures
        assert captures is not None and captures[0].status is CaptureStatus.COMPLETED
        refund = await client.refund_capture(captures[0].id, paypal_request_id="r", prefer=WHOLE)
        assert refund.amount is not None and refund.amount.value == "10.00"


async def test_the_generated_client_tells_the_two_kinds_of_401_apart(mock: RunningMock, shop: Shop) -> None:
    async with Client(mock.url) as client:
        with pytest.raises(HttpError) as missing:
            await client.get_order("X")
    async with Client(mock.url, access_token="A21AA.forged") as client:
        with pytest.raises(HttpError) as forged:
            await client.get_order("X")
    assert (missing.value.status, forged.value.status) == (401, 401)
    assert isinstance(missing.value.model, Error) and isinstance(forged.value.model, OauthError)
