"""What the payment service does when it is called, and with the work of its queue."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shop.payment.v1 import payment_pb2
from shop.payment.v1.events.models import PaymentProcessingMessage, RefundWork, WebhookWork
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.errors import (
    Aborted,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from shop.runtime.grpc_server import Call
from shop.runtime.transport import Drop, Outcome, Retry

from services.payment import errors
from services.payment.adapters import payments
from services.payment.charging import Charging
from services.payment.domain import Money
from services.payment.lifecycle import Charge, ExceedsPayment, NotRefundable, Repayment, State
from services.payment.refunding import AskedBack, Refunding
from services.payment.requests import charge_of, refund_of
from services.payment.shown import shown, shown_refund
from services.payment.webhooks import Webhooks
from services.platform.caller import must_own
from services.platform.database import Database
from services.platform.refusals import invalid, refusal

LOG = logging.getLogger(__name__)


class PaymentHandlers:
    """Serves payment.v1.PaymentService."""

    def __init__(self, database: Database, charging: Charging, refunding: Refunding, webhooks: Webhooks) -> None:
        self._database = database
        self._charging = charging
        self._refunding = refunding
        self._webhooks = webhooks

    async def process_payment(
        self, request: payment_pb2.ProcessPaymentRequest, call: Call, /
    ) -> payment_pb2.ProcessPaymentResponse:
        """Charges a customer for an order. The key reaches the provider too, so that a lost reply
        never charges twice. A new attempt after a decline needs a new key. Errors:
        INVALID_ARGUMENT, NOT_FOUND (payment method), FAILED_PRECONDITION ORDER_ALREADY_PAID,
        ABORTED (the same key is in progress), UNAVAILABLE (the provider does not answer).
        """
        asked = charge_of(request)
        must_own(call, asked.customer_id, "payment")
        with _refusals():
            return payment_pb2.ProcessPaymentResponse(payment=shown(await self._charging.process(asked)))

    async def refund_payment(
        self, request: payment_pb2.RefundPaymentRequest, call: Call, /
    ) -> payment_pb2.RefundPaymentResponse:
        """Pays back all or part of a charge. Compensates ProcessPayment. Errors: NOT_FOUND,
        FAILED_PRECONDITION NOT_REFUNDABLE or AMOUNT_EXCEEDS_PAYMENT, UNAVAILABLE.
        """
        asked = refund_of(request)
        with _refusals():
            charge, repayment = await self._refunding.refund(asked)
        return payment_pb2.RefundPaymentResponse(refund=shown_refund(repayment), payment=shown(charge))

    async def get_payment_status(
        self, request: payment_pb2.GetPaymentStatusRequest, call: Call, /
    ) -> payment_pb2.GetPaymentStatusResponse:
        """Returns a payment with its refunds, by its own id or by its order. Errors: NOT_FOUND."""
        charge, refunds = await self._find(request)
        must_own(call, charge.customer_id, "payment")
        return payment_pb2.GetPaymentStatusResponse(
            payment=shown(charge), refunds=[shown_refund(each) for each in refunds]
        )

    async def ingest_webhook(
        self, request: payment_pb2.IngestWebhookRequest, call: Call, /
    ) -> payment_pb2.IngestWebhookResponse:
        """Takes a provider's webhook exactly as it came in, checks its signature, stores it once
        and queues its processing. Answers at once, because providers give up after seconds.
        Errors: UNAUTHENTICATED (bad signature or too old), INVALID_ARGUMENT (not an event).
        """
        if request.provider == payment_pb2.PAYMENT_PROVIDER_PAYPAL:
            raise refusal(Unimplemented, "UNIMPLEMENTED", "webhooks of PayPal are not taken")
        if request.provider != payment_pb2.PAYMENT_PROVIDER_STRIPE:
            raise invalid("provider", "must be a payment provider")
        with _refusals():
            await self._webhooks.ingest(request.payload, request.signature)
        return payment_pb2.IngestWebhookResponse()

    async def _find(self, request: payment_pb2.GetPaymentStatusRequest) -> tuple[Charge, list[Repayment]]:
        named = request.WhichOneof("key")
        if named is None:
            raise invalid("key", "must be payment_id or order_id")
        async with self._database.transaction() as connection:
            if named == "payment_id":
                charge = await payments.by_id(connection, request.payment_id)
            else:
                charge = next(iter(await payments.of_order(connection, request.order_id)), None)
            if charge is None:
                raise refusal(NotFound, "PAYMENT_NOT_FOUND", "there is no such payment")
            return charge, await payments.refunds_of(connection, charge.payment_id)


class PaymentWork:
    """Does what the queue payment-processing brings."""

    def __init__(self, refunding: Refunding, webhooks: Webhooks) -> None:
        self._refunding = refunding
        self._webhooks = webhooks

    async def process_payment_work(
        self, event: PaymentProcessingMessage, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Carries out refunds and digests webhooks."""
        try:
            match event.data:
                case RefundWork() as work:
                    return await self._refund(work)
                case WebhookWork() as work:
                    await self._webhooks.digest(work.webhook_id)
                    return None
                case _:
                    return Drop("unknown kind of work")
        except errors.ProviderUnavailable as problem:
            return Retry(str(problem))

    async def _refund(self, work: RefundWork) -> Outcome | None:
        amount = None if work.amount is None else Money(work.amount.minor_units, work.amount.currency_code)
        reason = str(work.reason).removeprefix("REFUND_REASON_")
        asked = AskedBack(payment_id=work.payment_id, amount=amount, reason=reason, key=work.idempotency_key)
        try:
            await self._refunding.refund(asked)
        except NotRefundable:
            charge = await self._refunding.payment(work.payment_id)
            if charge.state is State.REFUNDED:
                return None
            return Drop(f"payment {work.payment_id} is {charge.state}: there is nothing to pay back")
        except (errors.UnknownPayment, errors.KeyReused, ExceedsPayment) as problem:
            return Drop(f"{type(problem).__name__}: {work.payment_id}")
        return None


@contextmanager
def _refusals() -> Iterator[None]:
    """What callers are told of this service's errors."""
    try:
        yield
    except errors.KeyReused:
        text = "the idempotency key was used for something else"
        raise refusal(FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", text) from None
    except errors.InProgress:
        text = "another attempt to charge this order is under way"
        raise refusal(Aborted, "PAYMENT_IN_PROGRESS", text, retry_after=1.0) from None
    except errors.AlreadyPaid:
        raise refusal(FailedPrecondition, "ORDER_ALREADY_PAID", "the order is paid already") from None
    except errors.UnknownPayment:
        raise refusal(NotFound, "PAYMENT_NOT_FOUND", "there is no such payment") from None
    except errors.UnknownMethod:
        text = "the customer has no such payment method"
        raise refusal(NotFound, "PAYMENT_METHOD_NOT_FOUND", text) from None
    except errors.NotConfigured as problem:
        raise refusal(FailedPrecondition, "PROVIDER_NOT_CONFIGURED", f"{problem} is not in use here") from None
    except errors.ProviderUnavailable as problem:
        LOG.warning("%s", problem)
        text = "the payment provider does not answer"
        raise refusal(Unavailable, "PROVIDER_UNAVAILABLE", text, retry_after=problem.retry_after) from problem
    except NotRefundable:
        text = "nothing was charged, or nothing is left to pay back"
        raise refusal(FailedPrecondition, "NOT_REFUNDABLE", text) from None
    except ExceedsPayment:
        text = "more is asked for than is left of the payment"
        raise refusal(FailedPrecondition, "AMOUNT_EXCEEDS_PAYMENT", text) from None
    except errors.BadSignature:
        raise refusal(Unauthenticated, "BAD_SIGNATURE", "the signature of the webhook does not hold") from None
    except errors.NoEvent:
        raise refusal(
            InvalidArgument, "NOT_AN_EVENT", "the body is no event", fields=[("payload", "must be an event")]
        ) from None
