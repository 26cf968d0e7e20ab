"""Payments through PayPal as the payment service sees them."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import pytest_asyncio
from shop.runtime.errors import http_error_class

from harness.gateways.inprocess import RunningMock, running
from services.payment.adapters.paypal import PaypalGateway
from services.payment.adapters.paypal_errors import judge
from services.payment.domain import Card, ChargeRequest, Money, Payment, PaymentGateway, PaymentStatus, RefundStatus
from services.platform.gateways.calling import Policy
from services.platform.gateways.errors import (
    CredentialsRefused,
    Declined,
    GatewayError,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    UnknownReference,
)
from services.platform.gateways.keys import idempotency_key

QUICK = Policy(first_wait=0.01, longest_wait=0.02, timeout=2.0, deadline=5.0)
HOURS = 3600.0
pytestmark = pytest.mark.asyncio(loop_scope="module")
SPOILED = [{"lost": True}, {"truncate": 10}, {"answer_html": 502}, {"status": 500}, {"status": 429}]


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def served() -> Iterator[RunningMock]:
    with running("paypal", seed=1) as mocks:
        yield mocks.paypal


@pytest.fixture(autouse=True)
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    served.control.action("set_processing_time", seconds=0)
    return served


def gateway(mock: RunningMock, policy: Policy = QUICK, **more: Any) -> PaypalGateway:
    return PaypalGateway("client-1", "the-secret-1", base_url=mock.url, policy=policy, **more)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def paypal(served: RunningMock) -> AsyncIterator[PaypalGateway]:
    async with gateway(served) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(mock: RunningMock) -> AsyncIterator[PaypalGateway]:
    """One that has no access token yet, and whose circuit breaker has seen nothing."""
    async with gateway(mock) as found:
        yield found


def request(order: str = "o1", **more: Any) -> ChargeRequest:
    key = idempotency_key(order, "charge")
    return ChargeRequest(
        **{"key": key, "amount": Money(2000, "USD"), "method": "paypal:vault-1", "order_id": order, **more}
    )


def by_payer(**more: Any) -> ChargeRequest:
    return request(method="paypal", return_url="https://shop.example/back", **more)


async def approved(paypal: PaymentGateway, mock: RunningMock, asked: ChargeRequest) -> Payment:
    waiting = await paypal.charge(asked)
    mock.control.action("approve_order", order_id=waiting.id)
    return await paypal.charge(asked)


# ---- money


async def test_a_vaulted_wallet_is_charged_at_once(paypal: PaypalGateway) -> None:
    paid = await paypal.charge(request())
    assert (paid.status, paid.amount, paid.captured) == (PaymentStatus.CAPTURED, Money(2000, "USD"), 2000)
    assert (paid.order_id, paid.action_url, paid.failure) == ("o1", None, "")
    assert await paypal.payment(paid.id) == paid


async def test_of_a_vaulted_card_its_brand_and_last_digits_are_shown(paypal: PaypalGateway) -> None:
    paid = await paypal.charge(request(method="card:vault-2"))
    assert paid.card == Card(brand="visa", last4="1111")


async def test_an_agreement_is_charged_at_once(paypal: PaypalGateway) -> None:
    assert (await paypal.charge(request(method="agreement:B-1"))).status is PaymentStatus.CAPTURED


async def test_a_payer_who_has_to_approve_is_told_where_and_the_same_charge_completes_it(
    paypal: PaypalGateway, mock: RunningMock
) -> None:
    waiting = await paypal.charge(by_payer())
    assert (waiting.status, waiting.captured) == (PaymentStatus.ACTION_REQUIRED, 0)
    assert waiting.action_url is not None and waiting.action_url.endswith(f"/checkoutnow?token={waiting.id}")
    assert await paypal.charge(by_payer()) == waiting
    mock.control.action("approve_order", order_id=waiting.id)
    assert (await paypal.payment(waiting.id)).status is PaymentStatus.PENDING
    paid = await paypal.charge(by_payer())
    assert (paid.id, paid.status, paid.captured) == (waiting.id, PaymentStatus.CAPTURED, 2000)
    assert [entry["key"] for entry in mock.control.ledger("capture")] == ["o1/charge:capture"]


async def test_an_order_that_the_payer_has_approved_is_charged_by_its_id(
    paypal: PaypalGateway, mock: RunningMock
) -> None:
    waiting = await paypal.charge(by_payer())
    again = request(key="o1/later", method=f"order:{waiting.id}")
    assert (await paypal.charge(again)).status is PaymentStatus.ACTION_REQUIRED
    mock.control.action("approve_order", order_id=waiting.id)
    assert (await paypal.charge(again)).status is PaymentStatus.CAPTURED
    assert (await paypal.charge(replace(again, key="o1/even-later"))).captured == 2000
    assert mock.control.totals() == {"capture": {"USD": 2000}}


async def test_an_order_pays_only_for_what_it_was_made_for(paypal: PaypalGateway, mock: RunningMock) -> None:
    paid = await approved(paypal, mock, by_payer())
    for other in (request("o2"), request(amount=Money(1999, "USD")), request(amount=Money(2000, "EUR"))):
        with pytest.raises(Rejected, match=r"made for something else|has another amount"):
            await paypal.charge(replace(other, method=f"order:{paid.id}"))
    assert mock.control.totals() == {"capture": {"USD": 2000}}


async def test_held_money_is_captured_in_part_and_refunded_in_parts(paypal: PaypalGateway, mock: RunningMock) -> None:
    held = await paypal.charge(request(capture=False))
    assert (held.status, held.captured) == (PaymentStatus.AUTHORIZED, 0)
    paid = await paypal.capture(held.id, key="o1/capture", amount=Money(1500, "USD"))
    assert (paid.id, paid.status, paid.captured, paid.refunded) == (held.id, PaymentStatus.CAPTURED, 1500, 0)
    with pytest.raises(Rejected):
        await paypal.capture(held.id, key="o1/more", amount=Money(100, "USD"))
    first = await paypal.refund(held.id, key="o1/refund", amount=Money(500, "USD"))
    assert (first.status, first.amount, first.payment_id) == (RefundStatus.SUCCEEDED, Money(500, "USD"), held.id)
    assert await paypal.refund_status(first.id) == first
    assert (await paypal.refund(held.id, key="o1/rest")).amount == Money(1000, "USD")
    assert (await paypal.payment(held.id)).refunded == 1500
    with pytest.raises(Rejected) as caught:
        await paypal.refund(held.id, key="o1/too-much")
    assert caught.value.code == "CAPTURE_FULLY_REFUNDED"
    assert mock.control.totals() == {"authorization": {"USD": 2000}, "capture": {"USD": 1500}, "refund": {"USD": 1500}}


async def test_held_money_is_released(paypal: PaypalGateway, mock: RunningMock) -> None:
    held = await approved(paypal, mock, by_payer(capture=False))
    assert held.status is PaymentStatus.AUTHORIZED
    for key in ("o1/cancel", "o1/cancel", "o1/cancel-again"):
        assert (await paypal.cancel(held.id, key=key)).status is PaymentStatus.CANCELED
    with pytest.raises(Rejected):
        await paypal.capture(held.id, key="o1/capture")
    assert len(mock.control.ledger("void")) == 1


async def test_money_that_was_taken_is_not_released_and_what_was_not_taken_is_not_refunded(
    paypal: PaypalGateway,
) -> None:
    paid, waiting = await paypal.charge(request()), await paypal.charge(by_payer(key="o2/charge"))
    with pytest.raises(Rejected, match="taken already"):
        await paypal.cancel(paid.id, key="o1/cancel")
    with pytest.raises(Rejected, match="holds no money"):
        await paypal.capture(paid.id, key="o1/capture")
    with pytest.raises(Rejected, match="nothing was taken"):
        await paypal.refund(waiting.id, key="o2/refund")
    assert (await paypal.cancel(waiting.id, key="o2/cancel")).status is PaymentStatus.CANCELED


@pytest.mark.parametrize(("currency", "amount", "text"), [("JPY", 1050, 1050), ("HUF", 105000, 1050), ("EUR", 5, 5)])
async def test_an_amount_means_the_same_in_every_currency(
    paypal: PaypalGateway, mock: RunningMock, currency: str, amount: int, text: int
) -> None:
    paid = await paypal.charge(request(amount=Money(amount, currency)))
    assert (paid.amount, paid.captured) == (Money(amount, currency), amount)
    refund = await paypal.refund(paid.id, key="o1/refund", amount=Money(amount, currency))
    assert refund.amount == Money(amount, currency)
    assert mock.control.totals()["refund"] == {currency: text}


@pytest.mark.parametrize("money", [Money(105050, "HUF"), Money(150, "TWD"), Money(1000, "KWD")])
async def test_an_amount_that_paypal_cannot_express_is_rejected(
    paypal: PaypalGateway, mock: RunningMock, money: Money
) -> None:
    with pytest.raises(Rejected):
        await paypal.charge(request(amount=money))
    assert mock.control.requests() == []


@pytest.mark.parametrize("method", ["", "pm_card_visa", "order:/", "card:a/b", "paypal:" + "x" * 256, "token:x"])
async def test_a_method_that_is_none_of_paypals_is_rejected_without_being_repeated_to_the_log(
    paypal: PaypalGateway, method: str
) -> None:
    with pytest.raises(Rejected, match="a method of PayPal is") as caught:
        await paypal.charge(request(method=method))
    assert not method or method not in str(caught.value)


# ---- answers that get lost


@pytest.mark.parametrize("outcome", SPOILED)
@pytest.mark.parametrize("operation", ["createOrder", "captureOrder", "refundCapture"])
async def test_whatever_happens_to_an_answer_an_approved_order_is_paid_and_refunded_once(
    paypal: PaypalGateway, mock: RunningMock, operation: str, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation=operation)
    paid = await approved(paypal, mock, by_payer())
    await paypal.refund(paid.id, key="o1/refund")
    assert mock.control.totals() == {"capture": {"USD": 2000}, "refund": {"USD": 2000}}
    assert [len(mock.control.ledger(kind)) for kind in ("capture", "refund")] == [1, 1]
    assert len({each["key"] for each in mock.control.requests(operation)}) == 1


@pytest.mark.parametrize("operation", ["createOrder", "getOrder", "captureAuthorization"])
async def test_a_lost_answer_does_not_hold_or_capture_twice(
    paypal: PaypalGateway, mock: RunningMock, operation: str
) -> None:
    mock.control.script({"lost": True}, operation=operation)
    held = await paypal.charge(request(capture=False))
    assert (await paypal.capture(held.id, key="o1/capture")).captured == 2000
    assert [len(mock.control.ledger(kind)) for kind in ("authorization", "capture")] == [1, 1]


@pytest.mark.parametrize("operation", ["authorizeOrder", "voidAuthorization"])
async def test_a_lost_answer_does_not_hold_or_release_twice(
    paypal: PaypalGateway, mock: RunningMock, operation: str
) -> None:
    mock.control.script({"lost": True}, operation=operation)
    held = await approved(paypal, mock, by_payer(capture=False))
    assert (await paypal.cancel(held.id, key="o1/cancel")).status is PaymentStatus.CANCELED
    assert [len(mock.control.ledger(kind)) for kind in ("authorization", "void")] == [1, 1]


@pytest.mark.parametrize("operation", ["createOrder", "captureOrder", "refundCapture"])
async def test_an_answer_that_does_not_come_in_time_is_asked_for_again(mock: RunningMock, operation: str) -> None:
    async with gateway(mock, replace(QUICK, timeout=0.3)) as paypal:
        mock.control.script({"hang": 0.5}, operation=operation)
        paid = await approved(paypal, mock, by_payer())
        await paypal.refund(paid.id, key="o1/refund")
    assert mock.control.totals() == {"capture": {"USD": 2000}, "refund": {"USD": 2000}}


async def test_steps_that_are_repeated_after_a_crash_change_nothing(paypal: PaypalGateway, mock: RunningMock) -> None:
    paid = await paypal.charge(request())
    refund = await paypal.refund(paid.id, key="o1/refund", amount=Money(500, "USD"))
    async with gateway(mock) as restarted:
        assert await restarted.charge(request()) == replace(paid, refunded=500)
        assert await restarted.refund(paid.id, key="o1/refund", amount=Money(500, "USD")) == refund
    assert mock.control.totals() == {"capture": {"USD": 2000}, "refund": {"USD": 500}}


async def test_a_refund_that_is_under_way_is_waited_for(paypal: PaypalGateway, mock: RunningMock) -> None:
    paid = await paypal.charge(request())
    mock.control.action("set_processing_time", seconds=0.03)
    patient = replace(QUICK, first_wait=0.03, longest_wait=0.03)
    async with gateway(mock, patient) as one, gateway(mock, patient) as other:
        first, second = await asyncio.gather(*[each.refund(paid.id, key="o1/refund") for each in (one, other)])
    assert first == second
    assert len(mock.control.ledger("refund")) == 1


@pytest.mark.parametrize(
    ("capture", "operation", "issue"),
    [(True, "captureOrder", "ORDER_ALREADY_CAPTURED"), (False, "authorizeOrder", "ORDER_ALREADY_AUTHORIZED")],
)
async def test_a_lost_answer_whose_request_id_is_forgotten_is_settled_by_reading_the_order(
    paypal: PaypalGateway, mock: RunningMock, capture: bool, operation: str, issue: str
) -> None:
    mock.control.script({"lost": True}, {"status": 422, "code": issue}, operation=operation)
    paid = await approved(paypal, mock, by_payer(capture=capture))
    assert paid.status is (PaymentStatus.CAPTURED if capture else PaymentStatus.AUTHORIZED)
    assert len(mock.control.ledger()) == 1


async def test_what_was_captured_is_not_said_to_be_undone_when_it_cannot_be_read(
    paypal: PaypalGateway, mock: RunningMock
) -> None:
    held = await paypal.charge(request(capture=False))
    mock.control.script({}, *[{"status": 429}] * 4, operation="getOrder")
    with pytest.raises(OutcomeUnknown):
        await paypal.capture(held.id, key="o1/capture")
    assert (await paypal.capture(held.id, key="o1/capture")).captured == 2000


async def test_a_charge_that_is_repeated_when_paypal_has_forgotten_it_takes_no_money(
    paypal: PaypalGateway, mock: RunningMock
) -> None:
    paid = await paypal.charge(request())
    mock.control.advance(7 * HOURS)
    with pytest.raises(OutcomeUnknown) as caught:
        await paypal.charge(request())
    assert caught.value.code == "DUPLICATE_INVOICE_ID"
    assert await paypal.charge(request(method=f"order:{paid.id}")) == paid
    assert mock.control.totals() == {"capture": {"USD": 2000}}


# ---- errors


@pytest.mark.parametrize("script", [{"decline": "INSTRUMENT_DECLINED"}, {"status": 422, "code": "PAYER_CANNOT_PAY"}])
@pytest.mark.parametrize(("operation", "method"), [("createOrder", "paypal:vault-1"), ("captureOrder", "paypal")])
async def test_a_decline_takes_no_money_and_another_attempt_may(
    paypal: PaypalGateway, mock: RunningMock, operation: str, method: str, script: dict[str, Any]
) -> None:
    mock.control.script(script, operation=operation)
    with pytest.raises(Declined) as caught:
        await approved(paypal, mock, request(method=method))
    assert caught.value.code == script.get("decline", script.get("code"))
    assert len(mock.control.requests(operation)) == 1 and mock.control.ledger() == []
    again = request(key=idempotency_key("o1", "charge", attempt=2))
    assert (await paypal.charge(again)).status is PaymentStatus.CAPTURED


async def test_a_capture_that_the_processor_declines_is_a_decline_with_its_code(
    paypal: PaypalGateway, mock: RunningMock
) -> None:
    mock.control.script({"decline": "5120"}, operation="captureOrder")
    waiting = await paypal.charge(by_payer())
    mock.control.action("approve_order", order_id=waiting.id)
    for _ in range(2):
        with pytest.raises(Declined) as caught:
            await paypal.charge(by_payer())
        assert caught.value.code == "5120"
    found = await paypal.payment(waiting.id)
    assert (found.status, found.captured, found.failure) == (PaymentStatus.FAILED, 0, "5120")


async def test_held_money_whose_capture_is_declined_stays_held(paypal: PaypalGateway, mock: RunningMock) -> None:
    held = await paypal.charge(request(capture=False))
    mock.control.script({"decline": "0500"}, operation="captureAuthorization")
    with pytest.raises(Declined):
        await paypal.capture(held.id, key="o1/capture")
    assert (await paypal.payment(held.id)).status is PaymentStatus.AUTHORIZED
    assert (await paypal.capture(held.id, key="o1/capture/2")).captured == 2000


async def test_money_that_paypal_reviews_is_pending_until_it_is_settled(
    paypal: PaypalGateway, mock: RunningMock
) -> None:
    mock.control.script({"decline": "PENDING_REVIEW"}, operation="createOrder")
    paid = await paypal.charge(request())
    assert (paid.status, paid.captured) == (PaymentStatus.PENDING, 0)
    with pytest.raises(Rejected) as caught:
        await paypal.refund(paid.id, key="o1/refund")
    assert caught.value.code == "PENDING_CAPTURE"
    mock.control.action("settle_capture", capture_id=mock.control.ledger("capture")[0]["id"])
    assert (await paypal.payment(paid.id)).status is PaymentStatus.CAPTURED


@pytest.mark.parametrize(
    ("outcome", "error", "code", "requests"),
    [
        ({"status": 400, "code": "INVALID_PARAMETER_VALUE"}, Rejected, "INVALID_PARAMETER_VALUE", 1),
        ({"status": 403, "code": "PERMISSION_DENIED"}, CredentialsRefused, "PERMISSION_DENIED", 1),
        ({"status": 404}, UnknownReference, "RESOURCE_NOT_FOUND", 1),
        ({"html": 404}, Rejected, "", 1),
        ({"status": 409, "code": "PREVIOUS_REQUEST_IN_PROGRESS"}, OutcomeUnknown, "PREVIOUS_REQUEST_IN_PROGRESS", 4),
        ({"status": 422, "code": "CURRENCY_NOT_SUPPORTED"}, Rejected, "CURRENCY_NOT_SUPPORTED", 1),
        ({"status": 429, "retry_after": 0.0}, RateLimited, "RATE_LIMIT_REACHED", 4),
        ({"status": 500}, OutcomeUnknown, "INTERNAL_SERVER_ERROR", 4),
        ({"html": 502}, OutcomeUnknown, "", 4),
        ({"reset": True}, OutcomeUnknown, "", 4),
    ],
)
async def test_each_cause_has_its_error_and_is_repeated_only_where_paypal_says_so(
    fresh: PaypalGateway,
    mock: RunningMock,
    outcome: dict[str, Any],
    error: type[GatewayError],
    code: str,
    requests: int,
) -> None:
    mock.control.script(outcome, operation="createOrder", times=4)
    with pytest.raises(GatewayError) as caught:
        await fresh.charge(request())
    assert (type(caught.value), caught.value.code) == (error, code)
    assert str(caught.value).startswith("paypal charge: ") and "<" not in str(caught.value)
    assert bool(caught.value.request_id) == bool(code)
    assert len(mock.control.requests("createOrder")) == requests


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Rejected), (404, Rejected), (401, CredentialsRefused), (422, Rejected), (502, OutcomeUnknown)],
)
async def test_an_answer_without_a_body_is_told_by_its_status(status: int, kind: type[GatewayError]) -> None:
    error = judge("charge", http_error_class(status)(status)).error
    assert (type(error), str(error)) == (kind, f"paypal charge: HTTP {status}")


async def test_a_key_that_was_used_for_something_else_is_a_bug_that_is_told(paypal: PaypalGateway) -> None:
    paid = await paypal.charge(request())
    with pytest.raises(KeyReused):
        await paypal.charge(request(amount=Money(1, "USD")))
    await paypal.refund(paid.id, key="o1/refund", amount=Money(100, "USD"))
    with pytest.raises(KeyReused):
        await paypal.refund(paid.id, key="o1/refund", amount=Money(200, "USD"))


@pytest.mark.parametrize("key", ["k" * 108, "k" * 300, "schlüssel/charge"])
async def test_every_key_makes_request_ids_that_paypal_takes(
    paypal: PaypalGateway, mock: RunningMock, key: str
) -> None:
    await approved(paypal, mock, by_payer(key=key))
    await approved(paypal, mock, by_payer(key=key + "2"))
    sent = {each["key"] for each in mock.control.requests() if each["key"]}
    assert len(sent) == 4 and all(len(each) <= 108 for each in sent)
    assert mock.control.totals() == {"capture": {"USD": 4000}}


async def test_unknown_payments_and_refunds_have_their_error(paypal: PaypalGateway) -> None:
    for call in (paypal.payment("NOTHING"), paypal.refund_status("NOTHING"), paypal.refund("NOTHING", key="r")):
        with pytest.raises(UnknownReference):
            await call


async def test_a_gateway_that_is_not_there_is_told() -> None:
    async with PaypalGateway("client-1", "s", base_url="http://127.0.0.1:9", policy=QUICK) as nowhere:
        with pytest.raises(GatewayError):
            await nowhere.charge(request())


# ---- access tokens


async def test_calls_that_wait_for_a_token_and_calls_with_an_expired_one_fetch_it_once(
    fresh: PaypalGateway, mock: RunningMock
) -> None:
    await asyncio.gather(*[fresh.charge(request(f"o{number}")) for number in range(8)])
    assert len(mock.control.requests("requestToken")) == 1
    mock.control.advance(9 * HOURS + 1)
    await asyncio.gather(*[fresh.charge(request(f"p{number}")) for number in range(8)])
    assert len(mock.control.requests("requestToken")) == 2
    assert mock.control.totals() == {"capture": {"USD": 32000}}


async def test_a_token_is_renewed_before_it_ends(mock: RunningMock) -> None:
    time = Time()
    async with gateway(mock, clock=time) as paypal:
        paid = await paypal.charge(request())
        for seconds, fetched in ((9 * HOURS - 61, 1), (2, 2)):
            mock.control.advance(seconds)
            time.now += seconds
            await paypal.payment(paid.id)
            assert len(mock.control.requests("requestToken")) == fetched
    assert {each["status"] for each in mock.control.requests()} == {200, 201}


async def test_a_token_that_is_refused_is_renewed_once(fresh: PaypalGateway, mock: RunningMock) -> None:
    mock.control.script({"status": 401}, operation="createOrder")
    assert (await fresh.charge(request())).captured == 2000
    assert len(mock.control.requests("requestToken")) == 2
    mock.control.script({"status": 401}, {"status": 401}, operation="createOrder")
    with pytest.raises(CredentialsRefused):
        await fresh.charge(request("o2"))
    assert len(mock.control.requests("requestToken")) == 3


@pytest.mark.parametrize("outcome", [{"lost": True}, {"status": 500}, {"truncate": 20}, {"html": 502}])
async def test_a_token_that_does_not_arrive_is_asked_for_again(
    fresh: PaypalGateway, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation="requestToken")
    assert (await fresh.charge(request())).captured == 2000


async def test_wrong_credentials_are_told_and_no_credential_is_in_a_log_or_an_error(
    mock: RunningMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with PaypalGateway("client-1", "invalid-secret", base_url=mock.url, policy=QUICK) as wrong:
        with pytest.raises(CredentialsRefused) as caught:
            await wrong.charge(request())
        assert "secret" not in repr(vars(wrong))
    assert caught.value.code == "invalid_client"
    async with gateway(mock) as right:
        await right.charge(request())
    said = caplog.text + str(caught.value) + repr(caught.value) + repr(caught.value.__cause__)
    basic = base64.b64encode(b"client-1:the-secret-1").decode()
    for secret in ("invalid-secret", "the-secret-1", basic, "Bearer ", "A21AA"):
        assert secret not in said


class BrokenIssuer(BaseHTTPRequestHandler):
    """Answers with a token and without what belongs to it."""

    def do_POST(self) -> None:
        body = b'{"access_token": "A21AAtoken", "token_type": "Bearer"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


async def test_an_answer_with_a_token_that_cannot_be_read_is_not_shown() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BrokenIssuer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        async with PaypalGateway("c", "s", base_url=f"http://127.0.0.1:{server.server_port}", policy=QUICK) as broken:
            with pytest.raises(OutcomeUnknown) as caught:
                await broken.payment("P")
        server.shutdown()
    assert "A21AA" not in "".join(traceback.format_exception(caught.value))
