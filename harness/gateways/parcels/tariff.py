"""Prices and transit times: the same input costs the same in every run. Money is in minor units."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from harness.gateways.parcels.places import RATES, Place, zone

DIM_DIVISOR = 139
"""Cubic inches that count as a pound."""
FUEL_PERCENT = Decimal("12.5")
RESIDENTIAL = 565
"""Surcharge for each package to a residence, in cents."""
DISCOUNT_PERCENT = 12
"""What an account pays less than the list price."""
_POUNDS_PER_KILO = Decimal("2.2046226")
_INCH = Decimal("2.54")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package; `sizes` are length, width and height in inches, absent when they were not given."""

    pounds: Decimal
    sizes: tuple[Decimal, Decimal, Decimal] | None = None

    @property
    def billable_pounds(self) -> int:
        """Whole pounds of its weight or its volume, whichever is more."""
        volume = Decimal(0)
        if self.sizes is not None:
            length, width, height = self.sizes
            volume = length * width * height / DIM_DIVISOR
        return max(1, math.ceil(max(self.pounds, volume)))

    @property
    def longest(self) -> Decimal:
        """Its longest side."""
        return max(self.sizes) if self.sizes is not None else Decimal(0)

    @property
    def girth(self) -> Decimal:
        """Length plus girth."""
        return 2 * sum(self.sizes) - max(self.sizes) if self.sizes is not None else Decimal(0)


def pounds(value: Decimal, unit: str) -> Decimal:
    """A weight in pounds; `unit` begins with K for kilograms."""
    return value * _POUNDS_PER_KILO if unit.upper().startswith("K") else value


def inches(value: Decimal, unit: str) -> Decimal:
    """A length in inches; `unit` begins with C for centimetres."""
    return value / _INCH if unit.upper().startswith("C") else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a carrier sells. `base` and `per_pound` in cents; `days` in zones 2 to 8, later ones as the last.

    `countries`: of origin, empty for all. `by`: when a shipment is there on its last day.
    """

    code: str
    name: str
    abroad: bool
    base: int
    per_pound: int
    days: Sequence[int]
    step_percent: int = 8
    by: datetime.time = datetime.time(17)
    category: str = "EXPRESS"
    countries: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()
    residential_only: bool = False
    max_pounds: int = 150

    def transit_days(self, in_zone: int) -> int:
        """Business days."""
        return self.days[min(max(in_zone - 2, 0), len(self.days) - 1)]

    def reaches(self, origin: Place, destination: Place) -> bool:
        """Whether it is sold between two places."""
        return (
            self.abroad == (origin.country != destination.country)
            and (not self.countries or origin.country in self.countries)
            and (not self.destinations or destination.country in self.destinations)
            and (destination.residential or not self.residential_only)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one package, or a whole shipment, costs. `discount` is already taken from `total`, not from `freight`."""

    freight: int
    discount: int
    fuel: int
    residential: int
    pounds: int

    @property
    def surcharges(self) -> int:
        """All of them."""
        return self.fuel + self.residential

    @property
    def total(self) -> int:
        """To be paid."""
        return self.freight - self.discount + self.surcharges


def price(service: Service, origin: Place, destination: Place, package: Package, *, currency: str) -> Price:
    """The account's price of one package; `listed` makes the list price of it."""
    weight = package.billable_pounds
    in_zone = zone(origin, destination)
    freight = (service.base + service.per_pound * weight) * (100 + service.step_percent * (in_zone - 2)) // 100
    discount = freight * DISCOUNT_PERCENT // 100
    rate = RATES[currency]

    def converted(amount: int) -> int:
        return amount * rate // 100

    return Price(
        freight=converted(freight),
        discount=converted(discount),
        fuel=converted(_fuel(freight - discount)),
        residential=converted(RESIDENTIAL) if destination.residential else 0,
        pounds=weight,
    )


def listed(account: Price) -> Price:
    """The list price of the same."""
    return replace(account, discount=0, fuel=_fuel(account.freight))


def total(prices: Iterable[Price]) -> Price:
    """Of a shipment."""
    found = tuple(prices)
    return Price(
        freight=sum(one.freight for one in found),
        discount=sum(one.discount for one in found),
        fuel=sum(one.fuel for one in found),
        residential=sum(one.residential for one in found),
        pounds=sum(one.pounds for one in found),
    )


def _fuel(amount: int) -> int:
    return int(amount * FUEL_PERCENT // 100)


def after_business_days(day: datetime.date, count: int) -> datetime.date:
    """So many days from Monday to Friday later."""
    while count:
        day += datetime.timedelta(days=1)
        count -= day.weekday() < 5
    return day


def business_day(day: datetime.date) -> datetime.date:
    """The day itself, or the Monday after it."""
    return day if day.weekday() < 5 else after_business_days(day, 1)


def due(service: Service, origin: Place, destination: Place, shipped: datetime.date) -> datetime.datetime:
    """When a shipment is to arrive; UTC stands for the time of the place."""
    day = after_business_days(business_day(shipped), service.transit_days(zone(origin, destination)))
    return datetime.datetime.combine(day, service.by, datetime.UTC)
