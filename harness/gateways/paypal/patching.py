"""PATCH of orders: JSON Patch on the members that PayPal lets merchants change (Orders v2, "Update order")."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from shop.external.paypal.http.models import Intent, Payer, PurchaseUnitRequest

from harness.gateways.paypal.errors import Refusal, refusal_of
from harness.gateways.paypal.state import Json

_UNIT = re.compile(r"/purchase_units/@reference_id=='([^']*)'(/.*)?")
_ALL, _SET = frozenset({"replace", "add", "remove"}), frozenset({"replace", "add"})
_REPLACE = frozenset({"replace"})
_OF_ORDER = {"/intent": _REPLACE, "/payer": _SET}
_OF_UNIT = {
    "": _SET,
    "/amount": _REPLACE,
    "/custom_id": _ALL,
    "/description": _ALL,
    "/invoice_id": _ALL,
    "/items": _ALL,
    "/payee/email_address": _REPLACE,
    "/payment_instruction": _REPLACE,
    "/payment_instruction/disbursement_mode": _REPLACE,
    "/payment_instruction/platform_fees": _ALL,
    "/shipping/address": _SET,
    "/shipping/name": _SET,
    "/shipping/type": _SET,
    "/soft_descriptor": frozenset({"replace", "remove"}),
    "/supplementary_data/airline": _ALL,
    "/supplementary_data/card": _ALL,
}


def patched(document: Mapping[str, Any], patches: Sequence[Mapping[str, Any]]) -> Json:
    """`document` (intent, payer, purchase_units) with all patches applied; raises the `Refusal` of the first bad one.

    Sums are not checked here.
    """
    changed = copy.deepcopy(dict(document))
    for position, patch in enumerate(patches):
        _apply(changed, patch, f"/{position}")
    _check(changed)
    return changed


def _apply(document: Json, patch: Mapping[str, Any], place: str) -> None:
    path, op = patch.get("path"), patch["op"]
    if path is None:
        raise Refusal.of("PATCH_PATH_REQUIRED", field=f"{place}/path", location="body")
    if op in ("add", "replace") and patch.get("value") is None:
        raise Refusal.of("PATCH_VALUE_REQUIRED", field=f"{place}/value", location="body")
    if not path.startswith("/"):
        raise Refusal.of("INVALID_JSON_POINTER_FORMAT", field=f"{place}/path", value=path, location="body")
    within = _UNIT.fullmatch(path)
    allowed = _OF_UNIT.get(within[2] or "") if within else _OF_ORDER.get(path)
    if allowed is None:
        raise Refusal.of("NOT_PATCHABLE", field=f"{place}/path", value=path, location="body")
    if op not in allowed:
        raise Refusal.of("INVALID_PATCH_OPERATION", field=f"{place}/op", value=op, location="body")
    done = (
        _of_unit(document["purchase_units"], within[1], within[2] or "", patch)
        if within
        else _set(document, path[1:], patch)
    )
    if not done:
        raise Refusal.of("INVALID_PATCH_OPERATION", field=f"{place}/path", value=path, location="body")


def _of_unit(units: list[Json], reference: str, tail: str, patch: Mapping[str, Any]) -> bool:
    """Whether the patch could be applied to the unit with that reference."""
    found = next((unit for unit in units if unit["reference_id"] == reference), None)
    if not tail:
        if not isinstance(patch["value"], dict) or (found is None) != (patch["op"] == "add"):
            return False
        new = {"reference_id": reference, **patch["value"]}
        units[:] = [new if unit is found else unit for unit in units] if found is not None else [*units, new]
        return True
    if found is None:
        raise Refusal.of("REFERENCE_ID_NOT_FOUND", field="/path", value=reference, location="body")
    *steps, last = tail[1:].split("/")
    for step in steps:
        found = found.setdefault(step, {}) if patch["op"] == "add" else found.get(step)
        if not isinstance(found, dict):
            return False
    return _set(found, last, patch)


def _set(parent: Json, name: str, patch: Mapping[str, Any]) -> bool:
    """`add` wants the member to be absent, the others want it to be there."""
    if (name in parent) == (patch["op"] == "add"):
        return False
    if patch["op"] == "remove":
        del parent[name]
    else:
        parent[name] = patch["value"]
    return True


def _check(document: Json) -> None:
    """Hold what came out to the contract."""
    if document["intent"] not in set(Intent):
        raise Refusal.of("INVALID_PARAMETER_VALUE", field="/intent", location="body")
    try:
        if document.get("payer") is not None:
            Payer.from_dict(document["payer"])
        for unit in document["purchase_units"]:
            PurchaseUnitRequest.from_dict(unit)
    except ValidationError as problem:
        raise refusal_of(problem) from None
