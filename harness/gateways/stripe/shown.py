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
_EXPANDABLE: Mapping[str, Mapping[str, str]] = {
    "payment_intent": {
        "application": "",
        "customer": "customer",
        "latest_charge": "charge",
        "on_behalf_of": "",
        "payment_method": "payment_method",
        "review": "",
    },
    "charge": {
        "application": "",
        "application_fee": "",
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "on_behalf_of": "",
        "payment_intent": "payment_intent",
        "refunds": "refunds",
        "review": "",
        "source_transfer": "",
        "transfer": "",
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "source_transfer_reversal": "",
        "transfer_reversal": "",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "balance_transaction": {"source": "source"},
    "customer": {
        "cash_balance": "",
        "default_source": "",
        "invoice_settings": "settings",
        "sources": "",
        "subscriptions": "",
        "tax": "",
        "tax_ids": "",
        "test_clock": "",
    },
    "payment_method": {"customer": "customer"},
    "settings": {"default_payment_method": "payment_method"},
    "refunds": {"data": "refund"},
}
"""Kind -> property -> the kind that it leads to; nothing leads on from an empty one. A `source` may be of three."""
_SOURCES = ("charge", "refund", "dispute")


def check_expand(kind: str, is_list: bool, paths: Sequence[str]) -> None:
    """`StripeError` 400 for what cannot be expanded in an answer of this kind."""
    for path in paths:
        keys = path.split(".")
        if len(keys) > MAX_EXPAND_DEPTH:
            raise invalid("expand", f"You cannot expand more than {MAX_EXPAND_DEPTH} levels of a property ({path}).")
        if (is_list and keys[0] != "data") or not _leads([kind], keys[1:] if is_list else keys):
            raise invalid("expand", f"This property cannot be expanded ({path}).")


def _leads(kinds: Sequence[str], keys: Sequence[str]) -> bool:
    for key in keys:
        found = {_EXPANDABLE[kind][key] for kind in kinds if key in _EXPANDABLE.get(kind, {})}
        if not found:
            return False
        kinds = [kind for each in found for kind in (_SOURCES if each == "source" else (each,))]
    return bool(keys)


def expanded(account: Account, found: Object, paths: Sequence[str] | None) -> Object:
    """A copy in which the named identifiers are replaced by what they name. `check_expand` has seen the paths."""
    if not paths:
        return found
    copied = copy.deepcopy(found)
    for path in paths:
        _expand(account, copied, path.split("."))
    return copied


def _expand(account: Account, holder: Any, keys: Sequence[str]) -> None:
    if isinstance(holder, list):
        for each in holder:
            _expand(account, each, keys)
    elif isinstance(holder, dict) and keys:
        key, *rest = keys
        value = holder.get(key)
        if key == "refunds" and value is None and holder.get("object") == "charge":
            about = [each for each in account.state.refunds.values() if each["charge"] == holder["id"]]
            value = copy.deepcopy(page(about, f"/v1/charges/{holder['id']}/refunds", "refund", None, None, None))
        elif isinstance(value, str):
            value = copy.deepcopy(account.state.holder(value)) or value
        if key in holder:
            holder[key] = value
        _expand(account, value, rest)


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
