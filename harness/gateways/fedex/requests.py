"""What rate and ship requests have in common, checked in the order in which FedEx complains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from shop.external.fedex.http.models import Address, PackageLineItem

from harness.gateways.fedex.catalog import SERVICES, fits_packaging, service_of
from harness.gateways.fedex.errors import refused
from harness.gateways.parcels.places import RATES, Place, postal_code_fits, served, state_fits
from harness.gateways.parcels.tariff import Package, Service, inches, pounds

_ACCOUNT = re.compile(r"[0-9]{5,12}")
_MAX_LENGTH, _MAX_GIRTH = 119, 165
_MAX_DECLARED = Decimal(50_000)


def check_account(number: str) -> str:
    """The account number, if it can be one."""
    if not _ACCOUNT.fullmatch(number):
        raise refused("ACCOUNT.NUMBER.INVALID")
    return number


def place_of(address: Address) -> Place:
    """An address as far as prices depend on it."""
    return Place(
        country=address.country_code,
        postal_code=address.postal_code or "",
        state=address.state_or_province_code or "",
        city=address.city or "",
        residential=bool(address.residential),
    )


def check_places(origin: Place, destination: Place) -> None:
    """Countries, postal codes, states."""
    if not served(origin):
        raise refused("SHIPPER.COUNTRY.UNSERVICED")
    if not served(destination):
        raise refused("RECIPIENT.COUNTRY.UNSERVICED")
    if not postal_code_fits(origin):
        raise refused("COUNTRY.POSTALCODE.INVALID")
    if not postal_code_fits(destination):
        raise refused("DESTINATION.POSTALCODE.MISSING.ORINVALID")
    if not state_fits(origin):
        raise refused("SHIPPER.POSTALSTATE.MISMATCH")
    if not state_fits(destination):
        raise refused("RECIPIENT.POSTALSTATE.MISMATCH")


def packages_of(items: Iterable[PackageLineItem]) -> list[tuple[PackageLineItem, Package]]:
    """One for each package, also of those that are given as a group."""
    found = []
    for item in items:
        package = _package(item)
        found += [(item, package)] * (item.group_package_count or 1)
    return found


def _package(item: PackageLineItem) -> Package:
    weight = pounds(item.weight.value, item.weight.units)
    if weight <= 0:
        raise refused("PACKAGE.WEIGHT.INVALID")
    declared = item.declared_value
    if declared is not None:
        check_currency(declared.currency)
        if not 0 <= declared.amount <= _MAX_DECLARED:
            raise refused("DECLAREDVALUE.AMOUNT.INVALID")
    sizes = None
    if item.dimensions is not None:
        given = (item.dimensions.length, item.dimensions.width, item.dimensions.height)
        if min(given) <= 0:
            raise refused("PACKAGEDIMENSION.TYPE.ERROR")
        length, width, height = (inches(each, item.dimensions.units) for each in given)
        sizes = (length, width, height)
    package = Package(pounds=weight, sizes=sizes)
    if package.longest > _MAX_LENGTH or package.girth > _MAX_GIRTH:
        raise refused("DIMENSIONS.EXCEEDS.LIMITS")
    return package


def check_currency(code: str) -> str:
    """A currency that FedEx bills in."""
    if code not in RATES:
        raise refused("CURRENCY.TYPE.INVALID")
    return code


def check_packaging(packaging: str, service: Service | None) -> None:
    """Whether there is such a packaging, and the service takes it."""
    if not any(fits_packaging(one, packaging) for one in ((service,) if service else SERVICES.values())):
        raise refused("SERVICE.PACKAGECOMBINATION.INVALID")


def offered(
    code: str | None, origin: Place, destination: Place, packages: Sequence[Package], packaging: str
) -> list[Service]:
    """The services that take the packages there, or the one that was asked for. Raises when there is none."""
    asked = service_of(code) if code is not None else None
    if code is not None and (asked is None or not asked.reaches(origin, destination)):
        raise refused("SERVICETYPE.NOT.ALLOWED")
    check_packaging(packaging, asked)
    candidates = [asked] if asked is not None else list(SERVICES.values())
    reaching = [one for one in candidates if one.reaches(origin, destination) and fits_packaging(one, packaging)]
    if not reaching:
        raise refused("SERVICETYPE.NOT.ALLOWED")
    heaviest = max(package.pounds for package in packages)
    found = [one for one in reaching if heaviest <= one.max_pounds]
    if not found:
        raise refused("MAXIMUM.WEIGHT.EXCEEDED")
    return found
