"""The texts of mails, by template and language."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from string import Template

NAME = "name"
"""Filled in at delivery: what the customer is called."""
_GREETING = {"en": ("Hello $name,", "Hello,"), "de": ("Guten Tag $name,", "Guten Tag,")}
_REGARDS = {"en": "Kind regards,\nyour shop", "de": "Mit freundlichen Grüßen\nIhr Shop"}
_TEXTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "customer-welcome": {
        "en": ("Welcome", "your account is ready. It is good to have you here."),
        "de": ("Willkommen", "Ihr Kundenkonto ist bereit. Schön, dass Sie da sind."),
    },
    "customer-goodbye": {
        "en": ("Your account was erased", "your account and your personal data were erased, as you asked."),
        "de": ("Ihr Konto wurde gelöscht", "Ihr Konto und Ihre persönlichen Daten wurden wie gewünscht gelöscht."),
    },
    "order-received": {
        "en": (
            "We have received your order $order_id",
            "we have received your order $order_id over $total. You will hear from us again once it is confirmed.",
        ),
        "de": (
            "Ihre Bestellung $order_id ist eingegangen",
            "Ihre Bestellung $order_id über $total ist eingegangen. Sobald sie bestätigt ist, schreiben wir Ihnen.",
        ),
    },
    "order-confirmation": {
        "en": (
            "Your order $order_id is confirmed",
            "your order $order_id is paid, and everything is in stock.\n\nTotal: $total",
        ),
        "de": (
            "Ihre Bestellung $order_id ist bestätigt",
            "Ihre Bestellung $order_id ist bezahlt, und alles ist auf Lager.\n\nSumme: $total",
        ),
    },
    "order-cancelled": {
        "en": ("Your order $order_id was cancelled", "your order $order_id was cancelled. Nothing was charged."),
        "de": ("Ihre Bestellung $order_id wurde storniert", "Ihre Bestellung $order_id wurde storniert, ohne Kosten."),
    },
    "payment-failed": {
        "en": (
            "Your payment for order $order_id was declined",
            "your payment of $amount for order $order_id was declined. Please order again with another way to pay.",
        ),
        "de": (
            "Ihre Zahlung für Bestellung $order_id wurde abgelehnt",
            "Ihre Zahlung von $amount wurde abgelehnt. Bitte bestellen Sie noch einmal und zahlen Sie anders.",
        ),
    },
    "payment-refunded": {
        "en": (
            "Your money for order $order_id is on its way back",
            "we have paid back $amount for your order $order_id. It can take your bank some days to show it.",
        ),
        "de": (
            "Erstattung für Bestellung $order_id",
            "wir haben Ihnen $amount erstattet. Bis Ihre Bank den Betrag zeigt, können einige Tage vergehen.",
        ),
    },
}
"""Template -> language -> (subject, text between greeting and regards)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DIGITS: Mapping[str, int] = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
"""Decimal places of currencies that do not have two (ISO 4217)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail without its recipient."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


def is_known(template_id: str) -> bool:
    """Whether there is such a template."""
    return template_id in _TEXTS


def places(template_id: str) -> frozenset[str]:
    """The variables that a template needs. KeyError for a template that there is none of."""
    found = {name for texts in _TEXTS[template_id].values() for text in texts for name in _names(text)}
    return frozenset(found - {NAME})


def written(template_id: str, variables: Mapping[str, str], *, locale: str, name: str) -> Letter:
    """The mail in the language of `locale`, in English where there is none. KeyError for what is missing."""
    language = locale.partition("-")[0].lower()
    texts = _TEXTS[template_id]
    language = language if language in texts else "en"
    values = {key: _CONTROL.sub(" ", value) for key, value in {**variables, NAME: name}.items()}
    subject, body = (Template(text).substitute(values) for text in texts[language])
    greeting = Template(_GREETING[language][0 if name else 1]).substitute(values)
    text = f"{greeting}\n\n{body}\n\n{_REGARDS[language]}\n"
    paragraphs = (html.escape(part).replace("\n", "<br>") for part in text.strip().split("\n\n"))
    markup = "".join(f"<p>{part}</p>" for part in paragraphs)
    return Letter(subject=subject, text=text, html=f'<html lang="{language}"><body>{markup}</body></html>')


def money(minor_units: int, currency: str) -> str:
    """`35.69 EUR` for 3569 and EUR, `1999 JPY` for 1999 and JPY."""
    return f"{Decimal(minor_units).scaleb(-_DIGITS.get(currency, 2))} {currency}"


def major(amount: Decimal, currency: str) -> str:
    """`35.60 EUR` for 35.6 and EUR."""
    return f"{amount:.{_DIGITS.get(currency, 2)}f} {currency}"


def _names(text: str) -> list[str]:
    return [match["named"] for match in Template.pattern.finditer(text) if match["named"]]
