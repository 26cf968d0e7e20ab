"""Stripe's test cards: what each of them does (docs.stripe.com/testing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A test card. `code` and `decline_code` say why it is declined, when it is.

    `behaviour`: `succeed`, `decline`, `authenticate` (3-D Secure), `pending_refund`, `failing_refund`, `dispute`,
    `inquiry`, `block` (by Radar) or `decline_later` (it can be attached to a customer, then it is declined).
    """

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    behaviour: str = "succeed"
    code: str = ""
    decline_code: str = ""


def _declined(number: str, code: str, decline_code: str = "", behaviour: str = "decline") -> Card:
    return Card(number=number, code=code, decline_code=decline_code, behaviour=behaviour)


CARDS: Mapping[str, Card] = {
    "pm_card_visa": Card(number="4242424242424242"),
    "pm_card_visa_debit": Card(number="4000056655665556", funding="debit"),
    "pm_card_mastercard": Card(number="5555555555554444", brand="mastercard"),
    "pm_card_mastercard_debit": Card(number="5200828282828210", brand="mastercard", funding="debit"),
    "pm_card_mastercard_prepaid": Card(number="5105105105105100", brand="mastercard", funding="prepaid"),
    "pm_card_amex": Card(number="378282246310005", brand="amex"),
    "pm_card_discover": Card(number="6011111111111117", brand="discover"),
    "pm_card_diners": Card(number="3056930009020004", brand="diners"),
    "pm_card_jcb": Card(number="3566002020360505", brand="jcb"),
    "pm_card_unionpay": Card(number="6200000000000005", brand="unionpay"),
    "pm_card_gb": Card(number="4000008260000000", country="GB"),
    "pm_card_de": Card(number="4000002760000016", country="DE"),
    "pm_card_visa_chargeDeclined": _declined("4000000000000002", "card_declined", "generic_decline"),
    "pm_card_chargeDeclined": _declined("4000000000000002", "card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declined(
        "4000000000009995", "card_declined", "insufficient_funds"
    ),
    "pm_card_chargeDeclinedInsufficientFunds": _declined("4000000000009995", "card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": _declined("4000000000009987", "card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": _declined("4000000000009979", "card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _declined(
        "4000000000006975", "card_declined", "card_velocity_exceeded"
    ),
    "pm_card_chargeDeclinedFraudulent": _declined("4100000000000019", "card_declined", "fraudulent", "block"),
    "pm_card_radarBlock": _declined("4100000000000019", "card_declined", "fraudulent", "block"),
    "pm_card_chargeCustomerFail": _declined(
        "4000000000000341", "card_declined", "generic_decline", behaviour="decline_later"
    ),
    "pm_card_authenticationRequired": Card(number="4000002760003184", behaviour="authenticate"),
    "pm_card_threeDSecure2Required": Card(number="4000000000003220", behaviour="authenticate"),
    "pm_card_authenticationRequiredOnSetup": Card(number="4000002500003155", behaviour="authenticate"),
    "pm_card_pendingRefund": Card(number="4000000000007726", behaviour="pending_refund"),
    "pm_card_refundFail": Card(number="4000000000005126", behaviour="failing_refund"),
    "pm_card_createDispute": Card(number="4000000000000259", behaviour="dispute"),
    "pm_card_createDisputeInquiry": Card(number="4000000000001976", behaviour="inquiry"),
    "pm_card_bypassPending": Card(number="4000000000000077"),
}
BY_NUMBER: Mapping[str, Card] = {card.number: card for card in reversed(tuple(CARDS.values()))}
TOKENS: Mapping[str, str] = {
    "tok_visa": "pm_card_visa",
    "tok_mastercard": "pm_card_mastercard",
    "tok_amex": "pm_card_amex",
    "tok_visa_debit": "pm_card_visa_debit",
    "tok_chargeDeclined": "pm_card_visa_chargeDeclined",
    "tok_visa_chargeDeclined": "pm_card_visa_chargeDeclined",
    "tok_visa_chargeDeclinedInsufficientFunds": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "tok_chargeDeclinedExpiredCard": "pm_card_chargeDeclinedExpiredCard",
    "tok_chargeDeclinedIncorrectCvc": "pm_card_chargeDeclinedIncorrectCvc",
    "tok_chargeDeclinedProcessingError": "pm_card_chargeDeclinedProcessingError",
    "tok_chargeCustomerFail": "pm_card_chargeCustomerFail",
    "tok_createDispute": "pm_card_createDispute",
}
MESSAGES: Mapping[str, str] = {
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "incorrect_number": "Your card number is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "stolen_card": "Your card was declined.",
    "card_velocity_exceeded": "Your card was declined for making repeated attempts too frequently or exceeding its"
    " amount limit.",
}
CARD_ERRORS = frozenset(
    {"expired_card", "incorrect_cvc", "processing_error", "incorrect_number", "authentication_required"}
)
"""Codes of their own; every other reason is a `decline_code` of `card_declined`."""


def message_of(code: str, decline_code: str) -> str:
    """What Stripe tells the customer."""
    return MESSAGES.get(decline_code) or MESSAGES.get(code) or MESSAGES["card_declined"]


def passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
