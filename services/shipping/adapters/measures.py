"""Weights, sides, amounts and speeds as both carriers count them.

Shippers in the USA use pounds and inches, all others kilograms and centimetres. Weights are rounded up to tenths and
sides to whole units, so that nothing is declared smaller than it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal, InvalidOperation

from services.shipping.domain import Address, Money, Parcel, ServiceLevel

_GRAMS = {True: Decimal("453.59237"), False: Decimal(1000)}
_MILLIMETRES = {True: Decimal("25.4"), False: Decimal(10)}
_NO_DECIMALS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def is_imperial(origin: Address) -> bool:
    """Whether parcels from there are weighed in pounds."""
    return origin.country in ("US", "PR")


def weight_of(parcels: Iterable[Parcel], *, imperial: bool) -> Decimal:
    """Together, in pounds or kilograms."""
    grams = sum(parcel.weight_grams for parcel in parcels)
    return (grams / _GRAMS[imperial]).quantize(Decimal("0.1"), ROUND_UP)


def sides_of(parcel: Parcel, *, imperial: bool) -> tuple[int, int, int]:
    """Length, width and height in inches or centimetres."""
    unit = _MILLIMETRES[imperial]
    length, width, height = (
        int((side / unit).to_integral_value(ROUND_UP)) for side in (parcel.length_mm, parcel.width_mm, parcel.height_mm)
    )
    return length, width, height


def money_of(currency: str, amount: Decimal | str) -> Money:
    """An amount with decimals in the smallest unit. ValueError for what is none."""
    exponent = 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    try:
        minor = Decimal(amount).scaleb(exponent).to_integral_value(ROUND_HALF_UP)
        return Money(int(minor), currency)
    except (InvalidOperation, OverflowError):
        raise ValueError("an amount of money is no number") from None


def level_of(transit_days: int, *, ground: bool) -> ServiceLevel:
    """The speed of a service; `transit_days` is 0 when the carrier promises nothing."""
    if ground or transit_days not in (1, 2):
        return ServiceLevel.GROUND
    return ServiceLevel.OVERNIGHT if transit_days == 1 else ServiceLevel.TWO_DAY
