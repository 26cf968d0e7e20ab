"""Whether an address can be delivered to: a rule, not a list of streets, so that tests can make up either kind.

A street needs a number or a post box; city and postal code must be there; in the USA the ZIP code must be one of
the state. A street that begins with `Unknown` is never found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.gateways.parcels.places import Place, postal_code_fits, served, state_fits

BUSINESS, RESIDENTIAL, UNCLASSIFIED = "business", "residential", "unclassified"
_HOMES = ("APT", "UNIT", "LN", "LANE", "CT", "COURT", "CIR", "HOME")
_OFFICES = ("STE", "SUITE", "FL", "FLOOR", "BLVD", "PLAZA", "PKWY", "RD", "ST", "AVE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An address in standard form. `ambiguous`: it would be valid with another state or postal code."""

    place: Place
    lines: Sequence[str]
    served: bool
    valid: bool
    ambiguous: bool
    classification: str


def check(place: Place, lines: Sequence[str]) -> Checked:
    """Upper case, single spaces, and what the rule says."""
    tidy = [" ".join(line.upper().split()) for line in lines if line.strip()]
    city, state, postal_code = " ".join(place.city.upper().split()), place.state.upper(), place.postal_code.upper()
    standard = replace(place, city=city, state=state, postal_code=postal_code)
    is_served = served(place)
    street = bool(tidy) and not tidy[0].startswith("UNKNOWN") and any(map(str.isdigit, " ".join(tidy)))
    whole = is_served and street and bool(standard.city)
    fits = postal_code_fits(standard) and state_fits(standard)
    return Checked(
        place=standard,
        lines=tidy,
        served=is_served,
        valid=whole and fits,
        ambiguous=whole and not fits,
        classification=_classified(" ".join(tidy).replace(".", "").split()),
    )


def _classified(words: Sequence[str]) -> str:
    if any(word in _HOMES for word in words):
        return RESIDENTIAL
    return BUSINESS if any(word in _OFFICES for word in words) else UNCLASSIFIED
