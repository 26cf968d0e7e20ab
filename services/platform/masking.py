"""What must not be in logs, and what stands in its place: card numbers, keys, credentials, addresses, phone numbers.

`mask` takes any text: a message, a traceback, a request body in it that is a form, JSON, JSON within JSON, or
URL-encoded. Card numbers are told from other numbers by issuer ranges and check digit; keys by the prefixes of Stripe,
SendGrid and Twilio; other secrets by the name before them. `mask_value` does the same in dictionaries and lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any

_SECRET_NAME = re.compile(
    r"(?:.*[^a-z0-9])?(?:authorization|x[-_]api[-_]key|api[-_]?(?:secret|key)|client[-_]?(?:secret|assertion)"
    r"|secret(?:[-_]?key)?|(?:access|refresh|id|auth|provider|bearer)?[-_]?token|pass(?:word|wd|phrase)|pwd"
    r"|(?:private|signing|secret)[-_]?key|(?:signing|webhook)[-_]?secret|stripe[-_]signature|(?:set[-_])?cookie"
    r"|cv[cvn]|security[-_]?code|ssn|social[-_]?security[-_]?number)",
    re.IGNORECASE,
)
# Parts of a text, in lower case but for keys, without which the expressions below need not be tried.
_NAME_PARTS: tuple[str, ...] = (
    "secret", "token", "auth", "passw", "passphrase", "pwd", "key", "cookie", "cvc", "cvv", "cvn", "ssn", "signature",
    "security", "assertion",
)  # fmt: skip
_SCHEMES = ("basic", "bearer")
_KEY_PARTS = ("_live_", "_test_", "whsec_", "SG.", "AC", "SK", "eyJ", "c2tf", "cmtf", "d2hzZWNf", "U0cu", "QUM", "QUN")
_MAIL_PARTS = ("@", "%40", "u0040")

_QUOTE = r"(?:\\*[\"']|%22|%27|&quot;)"
_HEAD = re.compile(
    r"(?:(?<=%5B)|(?<=%22)|(?<=%27)|(?<=%26)|(?<![\w\-]))(?P<name>[a-z][\w\-]{1,40})(?:\]|%5D)?"
    rf"(?:{_QUOTE}?\s*(?:=>|=|:|(?P<encoded>%3D|%3A))|{_QUOTE}\s*,)(?:\s|\+|%20)*",
    re.IGNORECASE,
)
_ENDS = r"\s\"'&,;\\})\]<>"
_SCHEME_BEFORE = r"(?:(?:Basic|Bearer|Digest|Token)(?:\s|\+|%20)+)?"
_OPENING = re.compile(r"b?(?P<slashes>\\*)(?P<quote>[\"'])")
_ENCODED_OPENING = re.compile(r"(?P<slashes>(?:%5C)*)(?P<quote>%2[27])", re.IGNORECASE)
_CLOSING = {quote: re.compile(rf"(\\*){quote}") for quote in "\"'"} | {
    quote: re.compile(rf"((?:%5C)*){quote}", re.IGNORECASE) for quote in ("%22", "%27")
}
_VALUE = re.compile(rf"{_SCHEME_BEFORE}(?:(?!&quot;)[^{_ENDS}])+", re.IGNORECASE)
_ENCODED_VALUE = re.compile(rf"{_SCHEME_BEFORE}(?:(?!%26|%22|%0A|%0D)[^{_ENDS}])+", re.IGNORECASE)
"""Behind a separator that is URL-encoded itself: there an encoded `&` or quote ends a value."""
_REST_OF_LINE = re.compile(r"[^\r\n\"'\\]+")
_SCHEME = re.compile(r"\b(Basic|Bearer)((?:\s|\+|%20)+)(?:%[0-9A-F]{2}|[\w.~+/\-])+=*", re.IGNORECASE)
_KEYS = re.compile(
    r"\b(?P<kind>[srp]k_(?:live|test)_|whsec_|SG\.|AC(?=[0-9a-f]{32})|SK(?=[0-9a-f]{32})|eyJ(?=[\w-]+\.))"
    r"(?:%[0-9A-Fa-f]{2}|[\w.+/\-])*=*"
)
_ENCODED_KEYS = re.compile(
    r"\b(?:c2tf|cmtf|d2hzZWNf|U0cu|QU[MN](?=[\w+/-]{40}))(?:%2[BF]|[A-Za-z0-9+/_-]){8,}(?:=|%3D)*"
)
_MAIL = re.compile(
    r"[\w.!#$*?^`{|}~\-]+(?:(?:\+|%2B)[\w.+\-]*)?(?:@|%40|\\+u0040)(?:[\w\-]+\.)+[^\W\d_]{2,}", re.IGNORECASE
)
_NUMBER = re.compile(r"[0-9](?:[ .()+\-/t\\]|%20){0,3}(?:[0-9](?:[ .()+\-/t\\]|%20){0,3}){5}[0-9]")
_PHONE = re.compile(r"(?:\+|%2B|\b00)(?=[1-9])(?:[0-9](?:[ .()\-/]|%20){0,2}){6,14}[0-9](?![0-9])", re.IGNORECASE)
_CARD = re.compile(r"(?<![0-9.])[2-6](?:(?:[ \-+.]|%20|\\t)?[0-9]){12,18}(?![0-9])")
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|6(?:011\d{12}|4[4-9]\d{13}|5\d{14})(?:\d{3})?"  # Discover
    r"|3(?:0[0-5]|[689]\d)\d{11}(?:\d{2})?"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14}(?:\d{1,3})?"  # UnionPay
    r"|5(?:0|[6-9])\d{10,17}|6\d{11,18}"  # Maestro
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

SECRET = "[secret]"
MAIL = "[email]"
PHONE = "[phone]"
_DEPTH = 8


def mask(text: str) -> str:
    """The text without what must not be in logs."""
    low = text.lower()
    if any(part in low for part in _NAME_PARTS):
        text = _without_named(text)
    if any(part in low for part in _SCHEMES):
        text = _SCHEME.sub(rf"\1\2{SECRET}", text)
    if any(part in text for part in _KEY_PARTS):
        text = _KEYS.sub(rf"\g<kind>{SECRET}", text)
        text = _ENCODED_KEYS.sub(SECRET, text)
    if any(part in low for part in _MAIL_PARTS):
        text = _MAIL.sub(MAIL, text)
    if _NUMBER.search(text) is not None:
        text = _PHONE.sub(PHONE, _CARD.sub(_card, text))
    return text


def mask_value(value: Any, depth: int = 0) -> Any:
    """A value of any kind as JSON can hold it, without what must not be in logs."""
    if isinstance(value, str):
        return mask(value)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        masked = mask(str(value))
        return value if masked == str(value) else masked
    if depth >= _DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {mask(str(name)): _member(str(name), each, depth) for name, each in value.items()}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return mask(bytes(value).decode("utf-8", "backslashreplace"))
    if isinstance(value, (Sequence, AbstractSet)):
        return [mask_value(each, depth + 1) for each in value]
    return mask(str(value))


def _member(name: str, value: Any, depth: int) -> Any:
    if is_secret_name(name) and value not in (None, ""):
        return SECRET
    return mask_value(value, depth + 1)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether the value of that name is a secret, whole: `token`, `clientSecret`, `X-Api-Key`, `card[cvc]`."""
    return _SECRET_NAME.fullmatch(name.rstrip("]")) is not None


def _without_named(text: str) -> str:
    parts: list[str] = []
    done = 0
    for head in _HEAD.finditer(text):
        if head.start() < done or not is_secret_name(head["name"]):
            continue
        begin, end = _value(text, head)
        if end > begin:
            parts += (text[done:begin], SECRET)
            done = end
    return "".join((*parts, text[done:])) if parts else text


def _value(text: str, head: re.Match[str]) -> tuple[int, int]:
    """Where the value behind a name begins and ends, without its quotes."""
    at, encoded = head.end(), bool(head["encoded"])
    opening = (_ENCODED_OPENING if encoded else _OPENING).match(text, at)
    if opening is not None:
        return opening.end(), _closing(text, opening, width=3 if encoded else 1)
    if encoded:
        found = _ENCODED_VALUE.match(text, at)
    elif head["name"].lower().endswith("cookie"):
        found = _REST_OF_LINE.match(text, at)
    else:
        found = _VALUE.match(text, at)
    return found.span() if found is not None else (at, at)


def _closing(text: str, opening: re.Match[str], width: int) -> int:
    """Where the quote begins that ends a value; `width` is that of a backslash.

    In text that was quoted n times, 2**n - 1 backslashes belong to such a quote, and each backslash of the value is
    2**(n + 1) of them.
    """
    level = len(opening["slashes"]) // width
    for closing in _CLOSING[opening["quote"]].finditer(text, opening.end()):
        if len(closing[1]) // width % (2 * level + 2) == level:
            return closing.end(1) - level * width
    return len(text)


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"%20|[^0-9]", "", found[0])
    return f"[card *{digits[-4:]}]" if _ISSUERS.fullmatch(digits) and _check_digit_fits(digits) else found[0]


def _check_digit_fits(digits: str) -> bool:
    """Luhn's algorithm, ISO/IEC 7812-1 annex B."""
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0
