"""The rules of the customer service: plain values and functions. Imports nothing else of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import Enum

ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL_PART}@{_DOMAIN}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CARD_NUMBER = re.compile(r"\s*(?:\d[ -]?){12,18}\d\s*")
LONGEST_EMAIL = 254
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
MOST_ADDRESSES = 50
MOST_PAYMENT_METHODS = 20

_NAME = "must have at most 100 characters"
PROFILE_RULES = {
    "given_name": _NAME,
    "family_name": _NAME,
    "phone_number": "must be in E.164 form, such as +4930901820",
    "locale": "must be a BCP 47 language such as de-DE",
    "marketing_consent": "",
}
"""The members of a profile, and what is said when one breaks its rule."""
_ADDRESS_LIMITS = {
    "recipient_name": (1, 120),
    "line1": (1, 120),
    "line2": (0, 120),
    "city": (1, 100),
    "region": (0, 60),
    "postal_code": (1, 16),
}
"""Fewest and most characters; the schema Address in contracts/common/v1/schemas.yaml."""


class Refusal(Exception):
    """The request cannot be granted. `code` is for programs, the text for people."""

    code = "REFUSED"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


class Invalid(Refusal):
    """The request breaks rules, whatever is stored. `fields` are (path in the request, rule)."""

    code = "INVALID_ARGUMENT"

    def __init__(self, *fields: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {rule}" for field, rule in fields))
        self.fields = fields


class Missing(Refusal):
    """There is no such customer, or it was erased, or it has no such payment method."""

    code = "NOT_FOUND"


class EmailTaken(Refusal):
    """Another customer has registered with the address."""

    code = "EMAIL_TAKEN"


class Stale(Refusal):
    """Somebody else was faster."""

    code = "VERSION_CONFLICT"


class NotPossible(Refusal):
    """The state of the customer does not allow it."""


class Unknown(Refusal):
    """The caller is not who it says it is."""

    code = "BAD_CREDENTIALS"


class NotAllowed(Refusal):
    """The caller is known and may not do this."""

    code = "NOT_ALLOWED"


class TooMany(Refusal):
    """Too many attempts. `retry_after` in seconds."""

    code = "TOO_MANY_ATTEMPTS"


class Status(Enum):
    """States of an account."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class MethodType(Enum):
    """Kinds of payment method."""

    CARD = "card"
    PAYPAL = "paypal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a customer may change freely; None: nothing is said."""

    given_name: str | None = field(default=None, repr=False)
    family_name: str | None = field(default=None, repr=False)
    phone_number: str | None = field(default=None, repr=False)
    locale: str | None = None
    marketing_consent: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer as it is stored."""

    customer_id: str
    email: str = field(repr=False)
    profile: Profile
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address."""

    recipient_name: str = field(repr=False)
    line1: str = field(repr=False)
    line2: str | None = field(default=None, repr=False)
    city: str
    region: str | None = None
    postal_code: str
    country_code: str
    phone_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of an address book."""

    address_id: str
    customer_id: str
    address: Address
    is_default: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What may be shown of a card."""

    brand: str
    last4: str
    expiry_month: int
    expiry_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A stored way to pay. `provider_token` is the provider's name for it, never a card number.

    `refused_at`: since when the provider no longer accepts it, None while it does.
    """

    payment_method_id: str
    customer_id: str
    type: MethodType
    provider_token: str = field(repr=False)
    card: Card | None = None
    account_hint: str = ""
    is_default: bool
    created_at: datetime
    refused_at: datetime | None = None


def check_registration(email: str, password: str, profile: Profile) -> None:
    """`Invalid` when an address, a password or a profile cannot be registered with."""
    problems = []
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        problems.append(("email", "must be an e-mail address"))
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        problems.append(("password", f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"))
    elif len(set(password)) < 4 or password.lower() == email.lower():
        problems.append(("password", "must not be that easy to guess"))
    problems += profile_problems(profile, "profile")
    if problems:
        raise Invalid(*problems)


def email_key(email: str) -> str:
    """What two spellings of one address have in common: upper and lower case are the same."""
    return email.lower()


def profile_problems(profile: Profile, path: str) -> list[tuple[str, str]]:
    """What is wrong with a profile, as (path, rule)."""
    good = {
        "given_name": len(profile.given_name or "") <= 100,
        "family_name": len(profile.family_name or "") <= 100,
        "phone_number": profile.phone_number is None or _PHONE.fullmatch(profile.phone_number),
        "locale": profile.locale is None or _LOCALE.fullmatch(profile.locale),
    }
    return [(f"{path}.{name}", PROFILE_RULES[name]) for name, fits in good.items() if not fits]


def changed_profile(before: Profile, given: Profile, mask: tuple[str, ...]) -> tuple[Profile, tuple[str, ...]]:
    """The profile after an update, and the members that changed, in the order of the profile.

    With a mask exactly its members are changed, and those that `given` lacks are cleared; without one, those that
    `given` has. `Invalid` for a member that profiles do not have, and for values that break a rule.
    """
    problems = [("update_mask", f"a profile has no {name!r}") for name in mask if name not in PROFILE_RULES]
    problems += profile_problems(given, "profile")
    if problems:
        raise Invalid(*problems)
    values = {each.name: getattr(given, each.name) for each in fields(Profile)}
    if mask:
        wanted = {name: values[name] for name in mask}
    else:
        wanted = {name: value for name, value in values.items() if value is not None}
    after = replace(before, **wanted)
    return after, tuple(
        each.name for each in fields(Profile) if getattr(before, each.name) != getattr(after, each.name)
    )


def check_version(stored: int, expected: int | None) -> None:
    """`Stale` when the caller has not read the stored version; None: it does not care."""
    if expected is not None and expected != stored:
        text = f"the customer has version {stored}, not {expected}"
        raise Stale(text, metadata={"current_version": str(stored)})


def check_address(address: Address) -> None:
    """`Invalid` for an address no carrier could deliver to."""
    problems = []
    for name, (fewest, most) in _ADDRESS_LIMITS.items():
        value = getattr(address, name)
        if not fewest <= len(value or "") <= most:
            problems.append((f"address.{name}", f"must have {fewest} to {most} characters"))
    if not _COUNTRY.fullmatch(address.country_code):
        problems.append(("address.country_code", "must be two capital letters"))
    if address.phone_number is not None and not _PHONE.fullmatch(address.phone_number):
        problems.append(("address.phone_number", PROFILE_RULES["phone_number"]))
    if problems:
        raise Invalid(*problems)


def check_token(type_: MethodType, token: str) -> None:
    """`Invalid` for what cannot be a provider's token, above all card numbers: they must not be stored."""
    member = "card.provider_token" if type_ is MethodType.CARD else "paypal.billing_agreement_id"
    path = f"payment_method.{member}"
    if not token:
        raise Invalid((path, "must not be empty"))
    if _CARD_NUMBER.fullmatch(token):
        raise Invalid((path, "must be a token of the provider, never a card number"))
    fits = len(token) <= 255 if type_ is MethodType.CARD else ID.fullmatch(token)
    if not fits or not token.isprintable() or " " in token:
        raise Invalid((path, "is no token of the provider"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPolicy:
    """How many attempts an address has without a right password before it must wait, and how long."""

    allowed: int = 10
    window: timedelta = timedelta(minutes=15)
    """They are forgotten so long after the first of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Attempts without a right password since the first of them."""

    failures: int
    since: datetime

    def wait(self, policy: AttemptPolicy, now: datetime) -> float | None:
        """Seconds until the next attempt, None when it may come at once."""
        until = self.since + policy.window
        return (until - now).total_seconds() if self.failures >= policy.allowed and now < until else None

    def one_more(self, policy: AttemptPolicy, now: datetime) -> Attempts:
        """With one that begins now; it counts until its password proves right, so that guesses at a time count all."""
        if now >= self.since + policy.window:
            return Attempts(failures=1, since=now)
        return replace(self, failures=self.failures + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token as it is stored, with its session."""

    session_id: str
    customer_id: str
    used: bool
    session_ended: bool
    expires_at: datetime


class Verdict(Enum):
    """What presenting a refresh token leads to."""

    ROTATE = "rotate"
    REFUSE = "refuse"
    END_SESSION = "end session"
    """The token was used before: one of its two holders stole it."""


def judge(token: RefreshToken | None, now: datetime) -> Verdict:
    """What follows when a token is presented; None is one that nobody issued."""
    if token is None or token.session_ended:
        return Verdict.REFUSE
    if token.used:
        return Verdict.END_SESSION
    return Verdict.ROTATE if now < token.expires_at else Verdict.REFUSE
