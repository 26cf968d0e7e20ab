"""What rate and ship requests have in common; codes are those of shipping, which `Rules` turns into rating's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from shop.external.ups.http.models import Address, Charge, Dimensions, RatePackage, ShipPackage, UnitWeight

from harness.gateways.parcels.places import RATES, Place, postal_code_fits, served, state_fits
from harness.gateways.parcels.tariff import Package, Service, inches, pounds
from harness.gateways.ups.catalog import CODES, SERVICES
from harness.gateways.ups.errors import UpsProblem, rating_code, refused

MAX_PACKAGES = 200
_SHIPPER_NUMBER = re.compile(r"[A-Za-z0-9]{6}")
_MAX_LENGTH, _MAX_GIRTH = 108, 165
_ABSENT = frozenset({"", "None", "null"})
"""karrio writes a size that is not known as `None`."""
_PARTIES: Mapping[str, int] = {"Shipper": 120100, "ShipTo": 120200, "ShipFrom": 120300}


@dataclass(frozen=True, slots=True)
class Rules:
    """The checks of shipping, or of rating."""

    rating: bool

    def refused(self, code: str) -> UpsProblem:
        """The error of a rule."""
        return refused(rating_code(code) if self.rating else code)

    def check_shipper(self, number: str) -> str:
        """Six letters or digits."""
        if not _SHIPPER_NUMBER.fullmatch(number):
            raise self.refused("120100")
        return number.upper()

    def place(self, party: str, address: Address) -> Place:
        """A party's address; rating needs no street and no city."""
        first = _PARTIES[party]
        found = Place(
            country=address.country_code,
            postal_code=address.postal_code or "",
            state=address.state_province_code or "",
            city=address.city or "",
            residential=address.residential_address_indicator is not None,
        )
        if not self.rating and not any(address.address_line or ()):
            raise self.refused(str(first + 2))
        if not self.rating and not found.city:
            raise self.refused(str(first + 5))
        if not served(found):
            raise self.refused(str(first + 8))
        if not postal_code_fits(found):
            raise self.refused(str(first + 7))
        if (not self.rating and found.country in ("US", "CA") and not found.state) or not state_fits(found):
            raise self.refused(str(first + 6))
        return found

    def packages(self, given: Sequence[RatePackage] | Sequence[ShipPackage]) -> list[Package]:
        """Weights and sizes."""
        if not given:
            raise refused("110002")
        if len(given) > MAX_PACKAGES:
            raise self.refused("120020")
        return [self._package(one.package_weight, one.dimensions) for one in given]

    def _package(self, weight: UnitWeight | None, dimensions: Dimensions | None) -> Package:
        if weight is None:
            raise self.refused("120608")
        unit = weight.unit_of_measurement.code
        if unit not in ("LBS", "KGS", "OZS", "00", "01"):
            raise self.refused("120546")
        kilos = unit in ("KGS", "00")
        value = _number(weight.weight)
        if value is None:
            raise self.refused("120601")
        if value <= 0:
            raise self.refused("121031" if kilos else "121030")
        given = pounds(value / 16 if unit == "OZS" else value, "KGS" if kilos else "LBS")
        package = Package(pounds=given, sizes=self._sizes(dimensions))
        if package.longest > _MAX_LENGTH:
            raise self.refused("121055")
        if package.girth > _MAX_GIRTH:
            raise self.refused("121050")
        return package

    def _sizes(self, dimensions: Dimensions | None) -> tuple[Decimal, Decimal, Decimal] | None:
        if dimensions is None:
            return None
        texts = [text or "" for text in (dimensions.length, dimensions.width, dimensions.height)]
        if all(text in _ABSENT for text in texts):
            return None
        unit = dimensions.unit_of_measurement.code
        if unit not in ("IN", "CM", "00", "01"):
            raise self.refused("120547")
        found = [_number(text) for text in texts]
        length, width, height = found
        if length is None or width is None or height is None:
            raise self.refused("120602")
        if min(length, width, height) <= 0:
            raise self.refused("120609")
        unit = "CM" if unit in ("CM", "00") else "IN"
        return inches(length, unit), inches(width, unit), inches(height, unit)

    def check_invoice_total(self, given: Charge | None) -> None:
        """Its currency and its value."""
        if given is None:
            return
        if given.currency_code not in RATES:
            raise self.refused("121266")
        value = _number(given.monetary_value)
        if value is None or value <= 0:
            raise self.refused("120502")
        if len(given.monetary_value) > 11 or value >= 100_000_000:
            raise self.refused("120526")

    def services(
        self, code: str | None, origin: Place, destination: Place, packages: Sequence[Package]
    ) -> list[Service]:
        """Those between two places that take the packages, or the one that was asked for. Raises when none does."""
        if code is not None and code not in CODES:
            raise self.refused("120500")
        named = [one for one in SERVICES if code in (None, one.code)]
        reaching = [one for one in named if one.reaches(origin, destination)]
        if not reaching:
            raise self.refused("121210")
        heaviest = max(package.pounds for package in packages)
        found = [one for one in reaching if heaviest <= one.max_pounds]
        if not found:
            raise self.refused("121035")
        return found


SHIPPING, RATING = Rules(rating=False), Rules(rating=True)


def _number(text: str) -> Decimal | None:
    """None for what is no finite number."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 1_000_000_000 else None
