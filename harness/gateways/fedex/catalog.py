"""FedEx's services, packagings, label formats and names of references."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from harness.gateways.parcels.tariff import Service

_US = frozenset({"US"})
_ELSEWHERE_DAYS = (1, 1, 1, 1, 1, 2, 2)


def _at(hour: int, minute: int = 0) -> datetime.time:
    return datetime.time(hour, minute)


SERVICES: Mapping[str, Service] = {
    service.code: service
    for service in (
        Service(
            code="FIRST_OVERNIGHT",
            name="FedEx First Overnight®",
            abroad=False,
            base=6800,
            per_pound=310,
            days=(1,),
            by=_at(8, 30),
            countries=_US,
        ),
        Service(
            code="PRIORITY_OVERNIGHT",
            name="FedEx Priority Overnight®",
            abroad=False,
            base=3900,
            per_pound=270,
            days=_ELSEWHERE_DAYS,
            by=_at(10, 30),
        ),
        Service(
            code="STANDARD_OVERNIGHT",
            name="FedEx Standard Overnight®",
            abroad=False,
            base=3400,
            per_pound=250,
            days=(1,),
            by=_at(17),
            countries=_US,
        ),
        Service(
            code="FEDEX_2_DAY_AM",
            name="FedEx 2Day® AM",
            abroad=False,
            base=2600,
            per_pound=160,
            days=(2,),
            by=_at(10, 30),
            countries=_US,
        ),
        Service(
            code="FEDEX_2_DAY",
            name="FedEx 2Day®",
            abroad=False,
            base=2200,
            per_pound=140,
            days=(2,),
            by=_at(17),
            countries=_US,
        ),
        Service(
            code="FEDEX_EXPRESS_SAVER",
            name="FedEx Express Saver®",
            abroad=False,
            base=1900,
            per_pound=120,
            days=(3,),
            by=_at(17),
            countries=_US,
        ),
        Service(
            code="FEDEX_GROUND",
            name="FedEx Ground®",
            abroad=False,
            base=980,
            per_pound=45,
            days=(1, 2, 2, 3, 4, 4, 5),
            by=_at(17),
            category="GROUND",
        ),
        Service(
            code="GROUND_HOME_DELIVERY",
            name="FedEx Home Delivery®",
            abroad=False,
            base=1020,
            per_pound=47,
            days=(1, 2, 2, 3, 4, 4, 5),
            by=_at(20),
            category="GROUND",
            countries=_US,
            residential_only=True,
        ),
        Service(
            code="INTERNATIONAL_FIRST",
            name="FedEx International First®",
            abroad=True,
            base=11800,
            per_pound=620,
            days=(1,) * 8 + (2,),
            by=_at(9),
        ),
        Service(
            code="FEDEX_INTERNATIONAL_PRIORITY_EXPRESS",
            name="FedEx International Priority® Express",
            abroad=True,
            base=9400,
            per_pound=540,
            days=(1,) * 8 + (2, 2, 3),
            by=_at(12),
        ),
        Service(
            code="FEDEX_INTERNATIONAL_PRIORITY",
            name="FedEx International Priority®",
            abroad=True,
            base=8600,
            per_pound=520,
            days=(2,) * 8 + (2, 3, 3),
            by=_at(18),
        ),
        Service(
            code="INTERNATIONAL_ECONOMY",
            name="FedEx International Economy®",
            abroad=True,
            base=6900,
            per_pound=430,
            days=(3,) * 8 + (4, 5, 5),
            by=_at(18),
        ),
    )
}
_ALIASES: Mapping[str, str] = {
    "INTERNATIONAL_PRIORITY": "FEDEX_INTERNATIONAL_PRIORITY",
    "INTERNATIONAL_PRIORITY_EXPRESS": "FEDEX_INTERNATIONAL_PRIORITY_EXPRESS",
    "FEDEX_INTERNATIONAL_ECONOMY": "INTERNATIONAL_ECONOMY",
}
PACKAGINGS: Mapping[str, str] = {
    "YOUR_PACKAGING": "Customer Packaging",
    "FEDEX_ENVELOPE": "FedEx Envelope",
    "FEDEX_PAK": "FedEx Pak",
    "FEDEX_BOX": "FedEx Box",
    "FEDEX_SMALL_BOX": "FedEx Small Box",
    "FEDEX_MEDIUM_BOX": "FedEx Medium Box",
    "FEDEX_LARGE_BOX": "FedEx Large Box",
    "FEDEX_EXTRA_LARGE_BOX": "FedEx Extra Large Box",
    "FEDEX_TUBE": "FedEx Tube",
    "FEDEX_10KG_BOX": "FedEx 10kg Box",
    "FEDEX_25KG_BOX": "FedEx 25kg Box",
}
LABEL_TYPES: Mapping[str, str] = {"PDF": "application/pdf", "PNG": "image/png", "ZPLII": "application/zpl"}
"""Media types."""
REFERENCE_TYPES: Mapping[str, str] = {
    "CUSTOMER_REFERENCE": "CUSTOMER_REFERENCE",
    "SHIPPER_REFERENCE": "CUSTOMER_REFERENCE",
    "DEPARTMENT": "DEPARTMENT_NUMBER",
    "INVOICE": "INVOICE_NUMBER",
    "PURCHASE_ORDER": "P_O_NUMBER",
    "RETURN_MATERIALS_AUTHORIZATION": "RMA_ASSOCIATION",
    "BILL_OF_LADING": "BILL_OF_LADING",
    "PART_NUMBER": "PART_NUMBER",
    "TRACKING_CONTROL_NUMBER": "TRACKING_CONTROL_NUMBER",
}
"""What tracking calls the references that shipping calls otherwise."""
_NUMBERS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN")


def service_of(code: str) -> Service | None:
    """A service by any of its codes."""
    return SERVICES.get(_ALIASES.get(code, code))


def fits_packaging(service: Service, packaging: str) -> bool:
    """Whether a service takes a packaging; ground takes the customer's own only."""
    return packaging in PACKAGINGS and (service.category != "GROUND" or packaging == "YOUR_PACKAGING")


def transit_text(days: int) -> str:
    """Such as `TWO_DAYS`."""
    return f"{_NUMBERS[days]}_DAY{'S' if days != 1 else ''}"
