"""Amounts: PayPal's decimal strings as integers of the smallest unit, and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from harness.gateways.paypal.errors import Refusal

_EXPONENTS = dict.fromkeys(
    (
        "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "INR", "MXN", "MYR", "NOK",
        "NZD", "PHP", "PLN", "RUB", "SEK", "SGD", "THB", "USD",
    ),
    2,
) | {"HUF": 0, "JPY": 0, "TWD": 0}  # fmt: skip
"""Decimals by currency (PayPal REST APIs, currency codes)."""
_LARGEST = Decimal("999999999999999.99")
_FEE_RATE, _FEE_FIXED = Decimal("0.0349"), Decimal("0.49")


def minor_units(money: Mapping[str, Any], field: str, *, zero: bool = False) -> int:
    """The amount in the smallest unit of its currency. `field` is the JSON pointer that a `Refusal` names."""
    currency, text = money["currency_code"], money["value"]
    exponent = _EXPONENTS.get(currency)
    if exponent is None:
        raise Refusal.of("INVALID_CURRENCY_CODE", field=f"{field}/currency_code", value=currency)
    issue = _fault(Decimal(text), text, exponent, zero=zero)
    if issue:
        raise Refusal.of(issue, field=f"{field}/value", value=text)
    return int(Decimal(text).scaleb(exponent))


def _fault(value: Decimal, text: str, exponent: int, *, zero: bool) -> str:
    if value < 0 or (value == 0 and not zero):
        return "CANNOT_BE_NEGATIVE" if zero else "CANNOT_BE_ZERO_OR_NEGATIVE"
    if exponent == 0 and "." in text:
        return "DECIMALS_NOT_SUPPORTED"
    if len(text.partition(".")[2]) > exponent:
        return "DECIMAL_PRECISION"
    return "MAX_VALUE_EXCEEDED" if value > _LARGEST else ""


def money(amount: int, currency: str) -> dict[str, str]:
    """The amount as PayPal writes it: `{"currency_code": "JPY", "value": "1000"}`."""
    exponent = _EXPONENTS[currency]
    return {"currency_code": currency, "value": f"{Decimal(amount).scaleb(-exponent):.{exponent}f}"}


def fee(amount: int, currency: str) -> int:
    """What PayPal keeps of a capture: 3.49 % and 0.49 of the currency, at most all of it."""
    unit = Decimal(10) ** _EXPONENTS[currency]
    kept = (amount * _FEE_RATE + _FEE_FIXED * unit).quantize(Decimal(1), ROUND_HALF_UP)
    return min(int(kept), amount)
