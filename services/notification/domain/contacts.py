"""How a customer can be reached, as events about customers tell it.

The events come on streams of their own, so that any of them may come first: what each one brings is kept by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

LOCALE = "en"
"""For customers who have not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a customer says of themself; empty where they say nothing."""

    given_name: str = field(default="", repr=False)
    family_name: str = field(default="", repr=False)
    phone_number: str = field(default="", repr=False)
    locale: str = LOCALE

    @property
    def name(self) -> str:
        """The full name."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What is known of a customer. `version` is that of the newest profile. An erased one stays erased."""

    customer_id: str
    email: str = field(default="", repr=False)
    profile: Profile = field(default_factory=Profile, repr=False)
    version: int = 0
    erased: bool = False


def registered(contact: Contact, email: str, profile: Profile, version: int) -> Contact:
    """The customer registered."""
    if contact.erased:
        return contact
    return _with_profile(replace(contact, email=email), profile, version)


def changed(contact: Contact, profile: Profile, version: int) -> Contact:
    """The customer changed their profile."""
    return contact if contact.erased else _with_profile(contact, profile, version)


def erased(contact: Contact) -> Contact:
    """The customer was erased; nothing is left but that."""
    return Contact(customer_id=contact.customer_id, version=contact.version, erased=True)


def _with_profile(contact: Contact, profile: Profile, version: int) -> Contact:
    return replace(contact, profile=profile, version=version) if version > contact.version else contact
