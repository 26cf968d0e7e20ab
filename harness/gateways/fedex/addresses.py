"""Address validation."""

from __future__ import annotations

import re
from typing import Any

from shop.external.fedex.http.models import AddressToValidate, ResolveAddressesRequest, ResolveAddressesResponse
from shop.runtime.http_requests import RequestContext

from harness.gateways.fedex.desk import Desk
from harness.gateways.parcels.addresses import BUSINESS, RESIDENTIAL, Checked, check
from harness.gateways.parcels.places import Place

_CLASSES = {BUSINESS: "BUSINESS", RESIDENTIAL: "RESIDENTIAL"}
_POST_BOX = re.compile(r"\bP\.? ?O\.? ?BOX\b", re.IGNORECASE)


class Addresses(Desk):
    """`/address/v1`."""

    async def resolve_addresses(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: ResolveAddressesRequest,
    ) -> ResolveAddressesResponse:
        """An address that cannot be resolved is no error of the request."""
        output = {"resolvedAddresses": [_resolved(each) for each in body.addresses_to_validate]}
        return self.answer(ResolveAddressesResponse, context, output)


def _resolved(asked: AddressToValidate) -> dict[str, Any]:
    given = asked.address
    place = Place(
        country=given.country_code,
        postal_code=given.postal_code or "",
        state=given.state_or_province_code or "",
        city=given.city or "",
    )
    checked = check(place, given.street_lines)
    found: dict[str, Any] = {
        "streetLinesToken": checked.lines,
        "city": checked.place.city,
        "stateOrProvinceCode": checked.place.state,
        "postalCode": checked.place.postal_code,
        "countryCode": checked.place.country,
        "classification": _CLASSES.get(checked.classification, "UNKNOWN") if checked.valid else "UNKNOWN",
        "customerMessages": []
        if checked.valid
        else [{"code": "STANDARDIZED.ADDRESS.NOTFOUND", "message": "Standardized address is not found."}],
        "normalizedStatusNameDPV": checked.valid,
        "standardizedStatusNameMatchSource": "Postal",
        "resolutionMethodName": "USPS_VALIDATE" if place.country == "US" else "GENERIC_VALIDATE",
        "attributes": _attributes(checked),
    }
    base, _, added = checked.place.postal_code.partition("-")
    if base:
        found["parsedPostalCode"] = {"base": base, **({"addOn": added} if added else {})}
    if asked.client_reference_id is not None:
        found["clientReferenceId"] = asked.client_reference_id
    return found


def _attributes(checked: Checked) -> dict[str, str]:
    def text(value: bool) -> str:
        return "true" if value else "false"

    return {
        "POBox": text(any(_POST_BOX.search(line) for line in checked.lines)),
        "SuiteRequiredButMissing": "false",
        "CountrySupported": text(checked.served),
        "ValidlyFormed": text(checked.valid),
        "Matched": text(checked.valid),
        "Resolved": text(checked.valid),
        "DPV": text(checked.valid),
    }
