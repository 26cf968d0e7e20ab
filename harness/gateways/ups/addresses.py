"""Address validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.external.ups.http.models import (
    AddressKeyFormat,
    AddressRequestEnvelope,
    AddressResponseEnvelope,
    ValidateAddressRequestoption,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.parcels.addresses import BUSINESS, RESIDENTIAL, Checked, check
from harness.gateways.parcels.places import Place
from harness.gateways.ups.desk import Desk
from harness.gateways.ups.errors import refused

_CLASSES: Mapping[str, tuple[str, str]] = {BUSINESS: ("1", "Commercial"), RESIDENTIAL: ("2", "Residential")}


class Addresses(Desk):
    """`/api/addressvalidation`."""

    async def validate_address(
        self,
        context: RequestContext,
        *,
        version: str,
        requestoption: ValidateAddressRequestoption,
        regionalrequestindicator: str | None,
        maximumcandidatelistsize: int | None,
        trans_id: str | None,
        transaction_src: str | None,
        body: AddressRequestEnvelope,
    ) -> AddressResponseEnvelope:
        """Valid with one candidate, ambiguous with candidates, or without any."""
        request = body.xav_request
        given = request.address_key_format
        place = Place(
            country=given.country_code,
            postal_code="-".join(part for part in (given.postcode_primary_low, given.postcode_extended_low) if part),
            state=given.political_division1 or "",
            city=given.political_division2 or "",
        )
        checked = check(place, given.address_line or [])
        if not checked.served:
            raise refused("264002")
        response: dict[str, Any] = {"Response": self.response(request.request)}
        option = str(requestoption)
        if option != "2":
            response[_indicator(checked)] = ""
        if option != "1":
            response["AddressClassification"] = _classification(checked)
        if checked.valid or checked.ambiguous:
            candidate: dict[str, Any] = {"AddressKeyFormat": _key_format(given, checked)}
            if option != "1":
                candidate["AddressClassification"] = _classification(checked)
            response["Candidate"] = [candidate]
        return AddressResponseEnvelope.from_dict({"XAVResponse": response})


def _indicator(checked: Checked) -> str:
    if checked.valid:
        return "ValidAddressIndicator"
    return "AmbiguousAddressIndicator" if checked.ambiguous else "NoCandidatesIndicator"


def _classification(checked: Checked) -> dict[str, str]:
    known = checked.valid or checked.ambiguous
    code, text = _CLASSES.get(checked.classification, ("0", "Unknown")) if known else ("0", "Unknown")
    return {"Code": code, "Description": text}


def _key_format(given: AddressKeyFormat, checked: Checked) -> dict[str, Any]:
    base, _, added = checked.place.postal_code.partition("-")
    place = checked.place
    found: dict[str, Any] = {
        "AddressLine": list(checked.lines),
        "PoliticalDivision2": place.city,
        "PoliticalDivision1": place.state,
        "PostcodePrimaryLow": base,
        "Region": f"{place.city} {place.state} {place.postal_code}".strip(),
        "CountryCode": place.country,
    }
    if added:
        found["PostcodeExtendedLow"] = added
    if given.consignee_name is not None:
        found["ConsigneeName"] = given.consignee_name
    return found
