"""What PayPal checks of the purchase units of an order: references, currencies and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.money import minor_units

DEFAULT_REFERENCE = "default"
_SIGNS = {
    "item_total": 1,
    "shipping": 1,
    "handling": 1,
    "tax_total": 1,
    "insurance": 1,
    "shipping_discount": -1,
    "discount": -1,
}


def check_units(units: Sequence[Mapping[str, Any]], intent: str) -> None:
    """Raises the `Refusal` of the first rule that the units break."""
    if len(units) > 1:
        _check_references(units)
        if intent == "AUTHORIZE":
            raise Refusal.of("UNSUPPORTED_INTENT", field="/intent", value=intent, location="body")
    if len(set().union(*map(_currencies, units))) > 1:
        raise Refusal.of("MULTI_CURRENCY_ORDER", field="/purchase_units", location="body")
    for unit in units:
        check_unit(unit)


def unit_pointer(unit: Mapping[str, Any]) -> str:
    """Where PayPal says that a unit stands: `/purchase_units/@reference_id=='default'`."""
    return f"/purchase_units/@reference_id=='{unit.get('reference_id', DEFAULT_REFERENCE)}'"


def check_unit(unit: Mapping[str, Any]) -> None:
    """The amounts of one purchase unit."""
    pointer = unit_pointer(unit)
    amount = unit["amount"]
    total = minor_units(amount, f"{pointer}/amount")
    breakdown = amount.get("breakdown", {})
    parts = {
        name: minor_units(breakdown[name], f"{pointer}/amount/breakdown/{name}", zero=True)
        for name in _SIGNS
        if name in breakdown
    }
    _check_items(unit.get("items", []), parts, pointer)
    if parts and sum(_SIGNS[name] * part for name, part in parts.items()) != total:
        raise Refusal.of("AMOUNT_MISMATCH", field=f"{pointer}/amount/value", value=amount["value"], location="body")


def _check_items(items: Sequence[Mapping[str, Any]], parts: Mapping[str, int], pointer: str) -> None:
    if not items:
        return
    price = tax = 0
    for position, item in enumerate(items):
        place, quantity = f"{pointer}/items/{position}", int(item["quantity"])
        price += quantity * minor_units(item["unit_amount"], f"{place}/unit_amount", zero=True)
        if "tax" in item:
            tax += quantity * minor_units(item["tax"], f"{place}/tax", zero=True)
    _check_sum("item_total", "ITEM_TOTAL", price, parts, pointer)
    if any("tax" in item for item in items):
        _check_sum("tax_total", "TAX_TOTAL", tax, parts, pointer)


def _check_sum(name: str, issue: str, total: int, parts: Mapping[str, int], pointer: str) -> None:
    field = f"{pointer}/amount/breakdown/{name}"
    if name not in parts:
        raise Refusal.of(f"{issue}_REQUIRED", field=field, location="body")
    if parts[name] != total:
        raise Refusal.of(f"{issue}_MISMATCH", field=f"{field}/value", location="body")


def _check_references(units: Sequence[Mapping[str, Any]]) -> None:
    for position, unit in enumerate(units):
        if "reference_id" not in unit:
            field = f"/purchase_units/{position}/reference_id"
            raise Refusal.of("REFERENCE_ID_REQUIRED", field=field, location="body")
    reference, count = Counter(unit["reference_id"] for unit in units).most_common(1)[0]
    if count > 1:
        field = f"{unit_pointer({'reference_id': reference})}/reference_id"
        raise Refusal.of("DUPLICATE_REFERENCE_ID", field=field, value=reference, location="body")


def _currencies(unit: Mapping[str, Any]) -> set[str]:
    amount = unit["amount"]
    breakdown = amount.get("breakdown", {})
    found = {amount["currency_code"], *(breakdown[name]["currency_code"] for name in _SIGNS if name in breakdown)}
    for item in unit.get("items", []):
        found.add(item["unit_amount"]["currency_code"])
        if "tax" in item:
            found.add(item["tax"]["currency_code"])
    return found
