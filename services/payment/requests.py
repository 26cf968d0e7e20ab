"""Requests of payment.v1: what is wrong with them, and what they ask for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TypeVar

from shop.payment.v1 import payment_pb2
from shop.runtime.errors import InvalidArgument

from services.payment.adapters.methods import Instrument
from services.payment.charging import Asked
from services.payment.domain import ChargeRequest, Money
from services.payment.lifecycle import Provider
from services.payment.refunding import AskedBack
from services.platform.refusals import refusal

MAX_KEY = 255
MAX_FACTS, LONGEST_NAME, LONGEST_FACT = 40, 40, 500
"""Stripe's limits of metadata, less what is ours."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ID_RULE = "must be 1 to 64 letters, digits or any of . _ : -"
_CURRENCY = re.compile(r"[A-Z]{3}")
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,255}")
RequestT = TypeVar("RequestT", payment_pb2.ProcessPaymentRequest, payment_pb2.RefundPaymentRequest)
Problem = tuple[str, str]


def charge_of(request: payment_pb2.ProcessPaymentRequest) -> Asked:
    """The charge that is asked for. INVALID_ARGUMENT names every field that breaks a rule."""
    _refuse(_charge_problems(request))
    instrument = None
    if request.WhichOneof("instrument") == "provider_token":
        instrument = Instrument(provider_of(request.provider), request.provider_token)
    return Asked(
        order_id=request.order_id,
        customer_id=request.customer_id,
        amount=Money(request.amount.minor_units, request.amount.currency_code),
        key=request.idempotency_key,
        fingerprint=_fingerprint(request),
        payment_method_id=request.payment_method_id,
        instrument=instrument,
        metadata=dict(request.metadata),
    )


def refund_of(request: payment_pb2.RefundPaymentRequest) -> AskedBack:
    """The refund that is asked for. INVALID_ARGUMENT names every field that breaks a rule."""
    _refuse(_refund_problems(request))
    amount = None
    if request.HasField("amount"):
        amount = Money(request.amount.minor_units, request.amount.currency_code)
    return AskedBack(
        payment_id=request.payment_id,
        amount=amount,
        reason=payment_pb2.RefundReason.Name(request.reason).removeprefix("REFUND_REASON_"),
        key=request.idempotency_key,
    )


def provider_of(value: payment_pb2.PaymentProvider.ValueType) -> Provider:
    """By this service's name."""
    return Provider(payment_pb2.PaymentProvider.Name(value).removeprefix("PAYMENT_PROVIDER_"))


def _charge_problems(request: payment_pb2.ProcessPaymentRequest) -> Iterator[Problem]:
    for name in ("order_id", "customer_id"):
        if not _ID.fullmatch(getattr(request, name)):
            yield name, _ID_RULE
    yield from _amount_problems(request, required=True)
    given = request.WhichOneof("instrument")
    if given is None:
        yield "instrument", "must be payment_method_id or provider_token"
    elif given == "payment_method_id" and not _ID.fullmatch(request.payment_method_id):
        yield "payment_method_id", _ID_RULE
    elif given == "provider_token":
        yield from _token_problems(request)
    if len(request.metadata) > MAX_FACTS:
        yield "metadata", f"must have at most {MAX_FACTS} members"
    for name, value in request.metadata.items():
        if not 1 <= len(name) <= LONGEST_NAME or len(value) > LONGEST_FACT or "[" in name or "]" in name:
            rule = f"must have names of 1 to {LONGEST_NAME} and values of at most {LONGEST_FACT} characters"
            yield "metadata", rule
            break
    yield from _key_problems(request)


def _token_problems(request: payment_pb2.ProcessPaymentRequest) -> Iterator[Problem]:
    if request.provider not in (payment_pb2.PAYMENT_PROVIDER_STRIPE, payment_pb2.PAYMENT_PROVIDER_PAYPAL):
        yield "provider", "is required with provider_token"
    token = request.provider_token
    try:
        ChargeRequest(key="-", amount=Money(1, "EUR"), method=token, order_id="-")
        readable = _PRINTABLE.fullmatch(token) is not None
    except ValueError:
        readable = False
    if not readable:
        yield "provider_token", "must be a token of the provider, never a card number"


def _refund_problems(request: payment_pb2.RefundPaymentRequest) -> Iterator[Problem]:
    if not _ID.fullmatch(request.payment_id):
        yield "payment_id", _ID_RULE
    yield from _amount_problems(request, required=False)
    known = request.reason in payment_pb2.RefundReason.values()
    if not known or request.reason == payment_pb2.REFUND_REASON_UNSPECIFIED:
        yield "reason", "must be a reason for a refund"
    yield from _key_problems(request)


def _amount_problems(request: RequestT, *, required: bool) -> Iterator[Problem]:
    if not request.HasField("amount"):
        if required:
            yield "amount", "is required"
        return
    if not 0 < request.amount.minor_units < 2**53:
        yield "amount.minor_units", "must be positive"
    if not _CURRENCY.fullmatch(request.amount.currency_code):
        yield "amount.currency_code", "must be an ISO 4217 code in capitals"


def _key_problems(request: RequestT) -> Iterator[Problem]:
    if not _PRINTABLE.fullmatch(request.idempotency_key):
        yield "idempotency_key", f"must have 1 to {MAX_KEY} printable ASCII characters without spaces"


def _refuse(problems: Iterator[Problem]) -> None:
    found = list(problems)
    if found:
        text = "; ".join(f"{field} {rule}" for field, rule in found)
        raise refusal(InvalidArgument, "INVALID_ARGUMENT", text, fields=found)


def _fingerprint(request: payment_pb2.ProcessPaymentRequest) -> bytes:
    asked = payment_pb2.ProcessPaymentRequest()
    asked.CopyFrom(request)
    asked.ClearField("idempotency_key")
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).digest()
