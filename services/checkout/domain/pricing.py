"""What a cart costs: exact amounts in minor units of the cart's currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

STANDARD_RATES: Mapping[str, int] = {
    "AT": 2000,
    "BE": 2100,
    "DE": 1900,
    "DK": 2500,
    "ES": 2100,
    "FI": 2550,
    "FR": 2000,
    "IE": 2300,
    "IT": 2200,
    "LU": 1700,
    "NL": 2100,
    "PL": 2300,
    "PT": 2300,
    "SE": 2500,
}
"""Standard value-added tax of the countries the shop is registered in, in basis points."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """`flat_rate`: shipping in minor units. `tax`: basis points by country; elsewhere none is charged (export)."""

    flat_rate: int = 499
    tax: Mapping[str, int] = field(default_factory=lambda: STANDARD_RATES)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with the product's data at that moment. `unit_price` in minor units."""

    product_id: str
    sku: str
    name: str
    quantity: int
    unit_price: int

    @property
    def total(self) -> int:
        """Minor units."""
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Totals:
    """Minor units; `total` = subtotal + shipping + tax - discount."""

    subtotal: int
    shipping: int
    tax: int
    discount: int

    @property
    def total(self) -> int:
        """What the customer pays."""
        return self.subtotal + self.shipping + self.tax - self.discount


def totals(lines: Iterable[PricedLine], country: str, tariff: Tariff) -> Totals:
    """Goods and shipping are taxed where they go, on their sum, rounded half up once."""
    subtotal = sum(line.total for line in lines)
    taxed = subtotal + tariff.flat_rate
    tax = (taxed * tariff.tax.get(country, 0) + 5000) // 10_000
    return Totals(subtotal=subtotal, shipping=tariff.flat_rate, tax=tax, discount=0)
