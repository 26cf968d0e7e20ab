"""Where parcels come from and go to: countries, postal codes, zones and currencies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2."""
UNSERVED = frozenset({"CU", "IR", "KP", "SY"})
"""Countries that neither carrier delivers to."""
_POSTAL_CODES: Mapping[str, str] = {
    "US": r"\d{5}(-?\d{4})?",
    "CA": r"[A-Za-z]\d[A-Za-z] ?\d[A-Za-z]\d",
    "GB": r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}",
    "DE": r"\d{5}",
    "FR": r"\d{5}",
    "IT": r"\d{5}",
    "ES": r"\d{5}",
    "MX": r"\d{5}",
    "NL": r"\d{4} ?[A-Za-z]{2}",
    "AT": r"\d{4}",
    "BE": r"\d{4}",
    "CH": r"\d{4}",
    "AU": r"\d{4}",
    "PL": r"\d{2}-?\d{3}",
    "RO": r"\d{6}",
    "JP": r"\d{3}-?\d{4}",
}
_STATES_OF_DIGIT = (
    "CT MA ME NH NJ NY PR RI VI VT AE",
    "DE NY PA",
    "DC MD NC SC VA WV",
    "AL FL GA MS TN AA",
    "IN KY MI OH",
    "IA MN MT ND SD WI",
    "IL KS MO NE",
    "AR LA OK TX",
    "AZ CO ID NM NV TX UT WY",
    "AK AP AS CA GU HI MP OR WA",
)
"""States of the USA by the first digit of their ZIP codes."""
_DIGITS = "0123456789"
US_STATES = frozenset(state for states in _STATES_OF_DIGIT for state in states.split())
_EURO_CODES = "AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
_EURO = frozenset(_EURO_CODES.split())
_CURRENCIES: Mapping[str, str] = {
    "AU": "AUD",
    "CA": "CAD",
    "CH": "CHF",
    "CZ": "CZK",
    "DK": "DKK",
    "GB": "GBP",
    "MX": "MXN",
    "NO": "NOK",
    "PL": "PLN",
    "SE": "SEK",
}
RATES: Mapping[str, int] = {
    "USD": 100,
    "AUD": 152,
    "CAD": 137,
    "CHF": 88,
    "CZK": 2320,
    "DKK": 690,
    "EUR": 92,
    "GBP": 79,
    "MXN": 1850,
    "NOK": 1060,
    "PLN": 395,
    "SEK": 1040,
}
"""What a dollar costs in hundredths of each currency; fixed, so that prices are the same in every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address as far as prices and routes depend on it."""

    country: str
    postal_code: str = ""
    state: str = ""
    city: str = ""
    residential: bool = False


def served(place: Place) -> bool:
    """Whether the country exists and is delivered to."""
    return place.country in COUNTRIES and place.country not in UNSERVED


def postal_code_fits(place: Place) -> bool:
    """Whether the postal code has the form of its country; countries without a known form need none."""
    pattern = _POSTAL_CODES.get(place.country)
    return pattern is None or re.fullmatch(pattern, place.postal_code, re.ASCII) is not None


def state_fits(place: Place) -> bool:
    """For the USA: whether the state exists and its ZIP codes begin like the given one."""
    if place.country != "US" or not place.state:
        return True
    state = place.state.upper()
    digit = place.postal_code[:1] or "?"
    return state in US_STATES and (digit not in _DIGITS or state in _STATES_OF_DIGIT[_DIGITS.index(digit)].split())


def zone(origin: Place, destination: Place) -> int:
    """2 to 8 within a country, by the distance of the postal codes; 10 to 14 abroad, by the country."""
    if origin.country != destination.country:
        near = {origin.country, destination.country} <= {"US", "CA", "MX"} or (
            origin.country in _EURO and destination.country in _EURO
        )
        return 10 if near else 11 + sum(destination.country.encode()) % 4
    return 2 + min(6, abs(_region(origin.postal_code) - _region(destination.postal_code)) // 100)


def _region(postal_code: str) -> int:
    """The first three characters as a number below 1000."""
    known = [int(letter, 36) for letter in postal_code[:3] if letter.isascii() and letter.isalnum()]
    digits = [value if value < 10 else (value - 10) * 10 // 26 for value in known] + [0, 0, 0]
    return digits[0] * 100 + digits[1] * 10 + digits[2]


def currency_of(country: str) -> str:
    """In which a shipper there is billed; dollars where there is no other account currency."""
    return "EUR" if country in _EURO else _CURRENCIES.get(country, "USD")
