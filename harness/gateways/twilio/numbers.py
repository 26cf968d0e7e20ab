"""Phone numbers: what is one, and Twilio's magic ones for tests.

Magic numbers (Twilio's page on test credentials) as sender: +15005550001, 0007, 0008; as recipient: +15005550001,
0002, 0003, 0004, 0009. Every other sender is taken as the account's own. Of our own: a recipient +150055 and one of
the codes in `DELIVERY_ERRORS` is accepted, and then not delivered for that reason (+15005530003).
"""

from __future__ import annotations

import re

from harness.gateways.twilio.errors import DELIVERY_ERRORS

_MAGIC = "+1500555000"
_FROM = {f"{_MAGIC}1": 21212, f"{_MAGIC}7": 21606, f"{_MAGIC}8": 21611}
_TO = {f"{_MAGIC}1": 21211, f"{_MAGIC}2": 21612, f"{_MAGIC}3": 21408, f"{_MAGIC}4": 21610, f"{_MAGIC}9": 21614}
_CHANNEL = re.compile(r"(whatsapp|messenger|rcs|viber|telegram):(.+)", re.DOTALL)
_E164 = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})", re.ASCII)
_SHORT_CODE = re.compile(r"\d{3,8}", re.ASCII)
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}", re.ASCII)
_SEPARATORS = re.compile(r"[\s().\-]")
_OWN = re.compile(r"\+150055(3\d{4})", re.ASCII)


def recipient(text: str) -> str | None:
    """A number in E.164, or a channel address; None when it is neither. Ten digits are a number of +1."""
    return _address(text)


def sender(text: str) -> str | None:
    """The same, or a short code, or a name of up to eleven characters."""
    if _SHORT_CODE.fullmatch(text) or _SENDER_NAME.fullmatch(text):
        return text
    return _address(text)


def sender_error(number: str) -> int:
    """The code of the refusal that a magic sender asks for, else 0."""
    return _FROM.get(number, 0)


def recipient_error(number: str) -> int:
    """The code of the refusal that a magic recipient asks for, else 0."""
    return _TO.get(number, 0)


def delivery_error(number: str) -> int:
    """The code for which a message to it is not delivered, else 0."""
    found = _OWN.fullmatch(number)
    code = int(found.group(1)) if found else 0
    return code if code in DELIVERY_ERRORS else 0


def masked(number: str) -> str:
    """As error messages show it: the last four digits are hidden."""
    return f"{number[:-4]}XXXX" if len(number) > 4 else number


def _address(text: str) -> str | None:
    channel = _CHANNEL.fullmatch(text)
    if channel:
        kind, rest = channel.groups()
        if kind in ("whatsapp", "rcs") and not _E164.fullmatch(rest):
            return None
        return text
    digits = _SEPARATORS.sub("", text)
    if digits.isdigit() and digits.isascii() and len(digits) in (10, 11):
        digits = f"+{digits}" if len(digits) == 11 else f"+1{digits}"
    return digits if _E164.fullmatch(digits) else None
