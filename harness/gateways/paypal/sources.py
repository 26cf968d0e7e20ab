"""What a payer pays with: what of a `payment_source` is kept, and whether it needs the payer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.state import Json

_BRANDS = {"3": "AMEX", "4": "VISA", "5": "MASTERCARD", "6": "DISCOVER"}
_TOKENS = ("vault_id", "billing_agreement_id", "single_use_token", "id")
_PAYER_NAME = {"given_name": "John", "surname": "Doe"}


def pays_at_once(source: Mapping[str, Any]) -> bool:
    """Whether the payer need not be asked: a card, or a token for something that was agreed before."""
    kind, members = next(iter(source.items()))
    return kind in ("card", "token") or any(name in members for name in _TOKENS)


def check_card(source: Mapping[str, Any], now: float) -> None:
    """Raises `Refusal` for a card without a number or a token, and for one that has expired."""
    card = source.get("card")
    if card is None or any(name in card for name in _TOKENS):
        return
    for name in ("number", "expiry"):
        if name not in card:
            raise Refusal.of("MISSING_REQUIRED_PARAMETER", field=f"/payment_source/card/{name}", location="body")
    if card["expiry"] < datetime.fromtimestamp(now, UTC).strftime("%Y-%m"):
        raise Refusal.of("CARD_EXPIRED", field="/payment_source/card/expiry", location="body")


def shown_source(source: Mapping[str, Any]) -> Json:
    """The source as orders show it: of a card its brand and last digits, of a wallet who the payer is."""
    kind, members = next(iter(source.items()))
    if kind == "card":
        number = members.get("number", "4111111111111111")
        return {"card": {"last_digits": number[-4:], "brand": _BRANDS.get(number[0], "UNKNOWN"), "type": "CREDIT"}}
    if kind == "token" or not pays_at_once(source):
        return {"paypal": {}} if kind == "token" else {kind: _email(members)}
    return {kind: wallet(members.get("email_address"))}


def experience(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The experience context of an order's request, wherever it stands."""
    for members in request.get("payment_source", {}).values():
        if "experience_context" in members:
            found: Mapping[str, Any] = members["experience_context"]
            return found
    outer: Mapping[str, Any] = request.get("application_context", {})
    return outer


def wallet(email: str | None) -> Json:
    """The PayPal account of the payer."""
    return {
        "email_address": email or "payer@example.com",
        "account_id": "QYR5Z8XDVJNXQ",
        "account_status": "VERIFIED",
        "name": dict(_PAYER_NAME),
        "address": {"country_code": "US"},
    }


def payer_of(email: str | None, given: Mapping[str, Any] | None) -> Json:
    """The payer, once known; what the merchant said of them stays."""
    known = {
        "name": dict(_PAYER_NAME),
        "email_address": email or "payer@example.com",
        "payer_id": "QYR5Z8XDVJNXQ",
        "address": {"country_code": "US"},
    }
    return {**known, **(given or {})}


def _email(members: Mapping[str, Any]) -> Json:
    return {"email_address": members["email_address"]} if "email_address" in members else {}
