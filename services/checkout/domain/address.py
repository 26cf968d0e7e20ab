"""Addresses that a carrier can deliver to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.checkout.domain.refusals import Invalid

_COUNTRY = re.compile(r"[A-Z]{2}")
_REQUIRED = ("recipient_name", "line1", "city", "postal_code")


def check_address(address: Mapping[str, str], field: str) -> Mapping[str, str]:
    """The address, by the members of common.v1.Address; `field` is where it stands in the request."""
    for name in _REQUIRED:
        if not address.get(name, "").strip():
            raise Invalid(f"{field}.{name}", "must not be empty")
    if not _COUNTRY.fullmatch(address.get("country_code", "")):
        raise Invalid(f"{field}.country_code", "must be two capital letters")
    return address
