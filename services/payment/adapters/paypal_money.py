"""Amounts in the smallest unit of a currency as PayPal's decimal strings, and back; whole numbers all the way.

The smallest unit is that of ISO 4217, so that an amount means the same at every gateway: 100000 HUF are 1000.00
forint. PayPal takes no decimals of HUF, JPY and TWD ("Currency codes", developer.paypal.com); an amount of HUF or TWD
that is not whole cannot be paid there.
"""

from __future__ import annotations

from decimal import Decimal

from services.payment.domain import Money

_TWO_DECIMALS = frozenset({
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN", "MYR", "NOK", "NZD", "PHP",
    "PLN", "SEK", "SGD", "THB", "USD",
})  # fmt: skip
_EXPONENTS = dict.fromkeys(_TWO_DECIMALS, 2) | {"HUF": 2, "TWD": 2, "JPY": 0}
"""How many digits of an amount are decimals (ISO 4217), of the currencies that PayPal has."""


def decimal_text(money: Money) -> str:
    """`Money(1050, "EUR")` is `10.50`. ValueError for what PayPal cannot express."""
    exponent = _exponent(money.currency)
    whole, rest = divmod(money.amount, 10**exponent)
    if money.currency in _TWO_DECIMALS:
        return f"{whole}.{rest:02}"
    if rest:
        raise ValueError(f"PayPal takes whole amounts of {money.currency} only")
    return str(whole)


def money_of(currency: str, text: str) -> Money:
    """`10.50` EUR is `Money(1050, "EUR")`. ValueError for what is no such amount."""
    amount = Decimal(text).scaleb(_exponent(currency))
    if amount != amount.to_integral_value():
        raise ValueError(f"an amount of {currency} has more decimals than the currency")
    return Money(int(amount), currency)


def _exponent(currency: str) -> int:
    if currency not in _EXPONENTS:
        raise ValueError(f"PayPal has no {currency}")
    return _EXPONENTS[currency]
