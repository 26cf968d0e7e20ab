"""Objects as answers: expanded where the caller asks (docs.stripe.com/api/expanding_objects), lists in pages."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe.errors import StripeError, invalid, no_such

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object

MAX_EXPAND_DEPTH = 4
DEFAULT_LIMIT, MAX_LIMIT = 10, 100
_EXPANDABLE: Mapping[str, frozenset[str]] = {
    "payment_intent": frozenset(
        {"customer", "latest_charge", "payment_method", "on_behalf_of", "review", "application"}
    ),
    "charge": frozenset(
        {"balance_transaction", "customer", "failure_balance_transaction", "payment_intent", "refunds", "review"}
    ),
    "refund": frozenset({"balance_transaction", "charge", "failure_balance_transaction", "payment_intent", "customer"}),
    "dispute": frozenset({"charge", "payment_intent"}),
    "balance_transaction": frozenset({"source"}),
    "customer": frozenset({"default_source", "sources", "subscriptions", "tax", "tax_ids", "cash_balance"}),
    "payment_method": frozenset({"customer"}),
}
_EXPANDABLE_INSIDE = frozenset({"default_payment_method"})
_PASSED = frozenset({"invoice_settings"})
"""Objects without a kind of their own, whose members can be expanded."""


def expanded(account: Account, found: Object, paths: Sequence[str] | None) -> Object:
    """A copy in which the named identifiers are replaced by what they name."""
    if not paths:
        return found
    copied = copy.deepcopy(found)
    for path in paths:
        keys = path.split(".")
        if len(keys) > MAX_EXPAND_DEPTH:
            raise invalid("expand", f"You cannot expand more than {MAX_EXPAND_DEPTH} levels of a property ({path}).")
        _expand(account, copied, keys, path)
    return copied


def _expand(account: Account, holder: Any, keys: Sequence[str], path: str) -> None:
    if isinstance(holder, list):
        for each in holder:
            _expand(account, each, keys, path)
        return
    key, *rest = keys
    is_list = holder.get("object") == "list" and key == "data"
    kind = holder.get("object")
    allowed = _EXPANDABLE.get(kind, frozenset()) if kind is not None else _EXPANDABLE_INSIDE
    if not is_list and key not in allowed and key not in _PASSED:
        raise invalid("expand", f"This property cannot be expanded ({path}).")
    value = holder.get(key)
    if key == "refunds" and value is None:
        about = [each for each in account.state.refunds.values() if each["charge"] == holder["id"]]
        value = page(about, f"/v1/charges/{holder['id']}/refunds", "refund", None, None, None)
    elif isinstance(value, str):
        value = copy.deepcopy(account.state.holder(value)) or value
    holder[key] = value
    if rest and value is not None:
        if isinstance(value, str):
            raise invalid("expand", f"This property cannot be expanded ({path}).")
        _expand(account, value, rest, path)


def page(
    objects: Iterable[Object], url: str, kind: str, limit: int | None, after: str | None, before: str | None
) -> Object:
    """One page of a list, the newest first (docs.stripe.com/api/pagination)."""
    size = DEFAULT_LIMIT if limit is None else limit
    if not 1 <= size <= MAX_LIMIT:
        bound = f"greater than or equal to 1 (it currently is '{size}')" if size < 1 else (
            f"less than or equal to {MAX_LIMIT} (it currently is '{size}')"
        )  # fmt: skip
        raise invalid("limit", f"This value must be {bound}.", "parameter_invalid_integer")
    if after is not None and before is not None:
        raise StripeError(400, "You cannot parameterize both starting_after and ending_before.")
    newest = list(reversed(list(objects)))
    if after is not None:
        newest = newest[_place(newest, kind, after, "starting_after") + 1 :]
        chosen, more = newest[:size], len(newest) > size
    elif before is not None:
        newest = newest[: _place(newest, kind, before, "ending_before")]
        chosen, more = newest[-size:], len(newest) > size
    else:
        chosen, more = newest[:size], len(newest) > size
    return {"object": "list", "data": chosen, "has_more": more, "url": url}


def _place(objects: Sequence[Object], kind: str, id: str, param: str) -> int:
    for place, each in enumerate(objects):
        if each["id"] == id:
            return place
    raise no_such(kind, id, param)


def created_within(bounds: Any) -> Callable[[Object], bool]:
    """The filter `created`: a Unix time, or `gt`, `gte`, `lt`, `lte`."""
    if bounds is None:
        return lambda _: True
    if isinstance(bounds, int):
        return lambda found: bool(found["created"] == bounds)
    tests: Mapping[str, Callable[[int, int], bool]] = {
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
    }
    given = {name: getattr(bounds, name) for name in tests}
    return lambda found: all(tests[name](found["created"], at) for name, at in given.items() if at is not None)
