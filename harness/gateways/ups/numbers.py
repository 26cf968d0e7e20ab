"""UPS's tracking numbers: 1Z, shipper, service, serial number, check digit."""

from __future__ import annotations

import re

_FORM = re.compile(r"1Z[0-9A-Z]{6}[0-9A-Z]{2}[0-9]{7}[0-9]")


def check_digit(body: str) -> int:
    """Of the fifteen characters between `1Z` and itself: letters count 2 to 9, 0 and 1 by turns from A; every second
    character counts twice; the digit completes the sum to a multiple of ten.
    """
    values = [int(letter) if letter.isdigit() else (ord(letter) - 63) % 10 for letter in body]
    return -(sum(values[::2]) + 2 * sum(values[1::2])) % 10


def tracking_number(shipper: str, service: str, serial: str) -> str:
    """`shipper`: six characters, `service`: two, `serial`: seven digits."""
    body = f"{shipper}{service}{serial}"
    return f"1Z{body}{check_digit(body)}"


def is_number(text: str) -> bool:
    """Whether it has the form and the right check digit."""
    return _FORM.fullmatch(text) is not None and check_digit(text[2:-1]) == int(text[-1])
