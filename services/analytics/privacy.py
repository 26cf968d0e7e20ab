"""The rule on personal data in events: what is left out, by the name of a parameter and by its value.

The policies of analytics vendors forbid data that identify a person, and what was collected cannot be taken back.
"""

from __future__ import annotations

import re

_WORDS = frozenset(
    [
        "address",
        "birthdate",
        "birthday",
        "dob",
        "email",
        "emailaddress",
        "emails",
        "fax",
        "firstname",
        "iban",
        "lastname",
        "mail",
        "mobile",
        "msisdn",
        "passport",
        "password",
        "phone",
        "phonenumber",
        "phones",
        "ssn",
        "street",
        "surname",
        "tel",
        "telephone",
        "username",
    ]
)
_NAMES = frozenset({"customer_name", "first_name", "full_name", "last_name", "user_name"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_EMAIL = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+\.\w", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+|%2b)[\s(]*[1-9](?:[\s().-]*[0-9]){6,14}", re.IGNORECASE)


def is_personal(name: str, value: object) -> bool:
    """Whether a parameter says who somebody is: by a word of its name, or by an address or number in its text."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not _WORDS.isdisjoint(words) or "_".join(words) in _NAMES:
        return True
    return isinstance(value, str) and identifies(value)


def identifies(text: str) -> bool:
    """Whether there is an address of a mailbox or an international telephone number in it."""
    return _EMAIL.search(text) is not None or _PHONE.search(text) is not None
