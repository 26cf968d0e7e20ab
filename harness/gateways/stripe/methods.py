"""Payment methods: from the test cards' names, from tokens, from card numbers; attached to customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe import objects
from harness.gateways.stripe.cards import BY_NUMBER, CARDS, TOKENS, Card, message_of, passes_luhn
from harness.gateways.stripe.errors import StripeError, invalid, missing, no_such
from harness.gateways.stripe.metadata import merged

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object


def create(account: Account, given: Mapping[str, Any], param: str = "") -> Object:
    """A new payment method. Card numbers are those of the test cards."""
    prefix = f"{param}[{{}}]" if param else "{}"
    kind = given.get("type")
    if kind is None and given.get("card") is None:
        raise missing(prefix.format("type"))
    if kind not in (None, "card"):
        raise invalid(prefix.format("type"), f'The payment method type "{kind}" is invalid: this mock knows "card".')
    card_given = given.get("card")
    if card_given is None:
        raise missing(prefix.format("card"))
    found = objects.payment_method(account, _card(account, card_given, prefix.format("card")), given)
    found["metadata"] = merged({}, given.get("metadata"))
    account.state.behaviours[found["id"]] = account.state.behaviours.pop("", "pm_card_visa")
    return account.add(found)


def _card(account: Account, given: Mapping[str, Any], param: str) -> Card:
    token = given.get("token")
    if token is not None:
        if token not in TOKENS:
            raise no_such("token", token, f"{param}[token]")
        account.state.behaviours[""] = TOKENS[token]
        return CARDS[TOKENS[token]]
    number = str(given.get("number", "")).replace(" ", "").replace("-", "")
    if not number:
        raise missing(f"{param}[number]")
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19 or not passes_luhn(number):
        raise _card_error("incorrect_number", "number", "Your card number is incorrect.")
    month, year = given.get("exp_month"), given.get("exp_year")
    if month is None:
        raise missing(f"{param}[exp_month]")
    if year is None:
        raise missing(f"{param}[exp_year]")
    if not 1 <= month <= 12:
        raise _card_error("invalid_expiry_month", "exp_month", "Your card's expiration month is invalid.")
    years_now = account.world.clock.now() / 31_556_952 + 1970
    full_year = year + 2000 if year < 100 else year
    if full_year + month / 12 < years_now or full_year > years_now + 51:
        raise _card_error("invalid_expiry_year", "exp_year", "Your card's expiration year is invalid.")
    cvc = given.get("cvc")
    if cvc is not None and not (cvc.isascii() and cvc.isdigit() and len(cvc) in (3, 4)):
        raise _card_error("invalid_cvc", "cvc", "Your card's security code is invalid.")
    card = BY_NUMBER.get(number)
    if card is None:
        text = (
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test"
        )
        raise _card_error(
            "card_declined", "", f"{text} cards, visit: https://stripe.com/docs/testing.", "test_mode_live_card"
        )
    account.state.behaviours[""] = next(name for name, each in CARDS.items() if each is card)
    return card


def _card_error(code: str, param: str, message: str, decline_code: str | None = None) -> StripeError:
    return StripeError(402, message, code=code, param=param, type="card_error", decline_code=decline_code)


def behaviour(account: Account, method: Object) -> Card:
    """The test card that a payment method is."""
    return CARDS[account.state.behaviours.get(method["id"], "pm_card_visa")]


def resolve(account: Account, id: str, param: str) -> Object:
    """A payment method by id; `pm_card_*` makes a new one, as Stripe does."""
    if id in CARDS:
        card = CARDS[id]
        found = objects.payment_method(account, card, {})
        account.state.behaviours[found["id"]] = id
        return account.add(found)
    if id in TOKENS:
        return resolve(account, TOKENS[id], param)
    return account.find("payment_method", id, param)


def attach(account: Account, method: Object, customer: Object, param: str = "") -> None:
    """Attach to a customer; cards that are declined cannot be."""
    if method["customer"] is not None and method["customer"] != customer["id"]:
        raise invalid(
            param, "The payment method you provided has already been attached to a customer.",
            "payment_method_unexpected_state",
        )  # fmt: skip
    card = behaviour(account, method)
    if card.behaviour == "decline":
        raise StripeError(
            402,
            message_of(card.code, card.decline_code),
            code=card.code,
            type="card_error",
            decline_code=card.decline_code or None,
        )
    if method["customer"] is None:
        method["customer"] = customer["id"]
        account.emit("payment_method.attached", method)
