"""Events in the form of Google Analytics 4's Measurement Protocol, and its limits.

By Google's pages on the limits and the reserved names of the protocol.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.analytics.domain import Event
from services.analytics.privacy import is_personal
from services.platform.gateways.errors import Rejected

KEY_PARAM = "idempotency_key"
MAX_EVENTS = 25
MAX_PARAMS = 25
MAX_ITEMS = 200
MAX_BYTES = 120_000
"""Of the events of one request; 10,000 bytes less than the limit of the whole payload."""
_MAX_VALUE = 100
_LONGER = {"page_title": 300, "page_referrer": 420, "page_location": 1000}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
_PREFIXES = ("firebase_", "ga_", "google_", "gtag.")
_RESERVED = frozenset(
    [
        "ad_activeview",
        "ad_click",
        "ad_exposure",
        "ad_query",
        "ad_reward",
        "adunit_exposure",
        "app_background",
        "app_clear_data",
        "app_exception",
        "app_install",
        "app_remove",
        "app_store_refund",
        "app_store_subscription_cancel",
        "app_store_subscription_convert",
        "app_store_subscription_renew",
        "app_update",
        "app_upgrade",
        "dynamic_link_app_open",
        "dynamic_link_app_update",
        "dynamic_link_first_open",
        "error",
        "firebase_campaign",
        "firebase_in_app_message_action",
        "firebase_in_app_message_dismiss",
        "firebase_in_app_message_impression",
        "first_open",
        "first_visit",
        "in_app_purchase",
        "notification_dismiss",
        "notification_foreground",
        "notification_open",
        "notification_receive",
        "os_update",
        "session_start",
        "session_start_with_rollout",
        "user_engagement",
    ]
)


def shown(event: Event) -> tuple[dict[str, Any], list[str]]:
    """An event for a payload, and the names of what was left out as personal. `Rejected` names what is wrong."""
    if not _NAME.fullmatch(event.name) or event.name in _RESERVED or event.name.startswith(_PREFIXES):
        raise rejected("name", "an event has a name that is malformed or reserved")
    params: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in event.params.items():
        _check_name(name)
        if name == "items":
            params[name] = _items(value, left_out)
        elif is_personal(name, value):
            left_out.append(name)
        else:
            params[name] = _value(name, value)
    params[KEY_PARAM] = event.key
    if len(params) > MAX_PARAMS:
        raise rejected("params", f"an event has more than {MAX_PARAMS} parameters, its key among them")
    found: dict[str, Any] = {"name": event.name, "params": params}
    if event.at is not None:
        found["timestamp_micros"] = int(event.at.timestamp() * 1_000_000)
    return found, left_out


def batches(events: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """In order, as many as one request takes."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for event in events:
        own = len(json.dumps(event, ensure_ascii=True))
        if batch and (len(batch) == MAX_EVENTS or size + own > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += own
    if batch:
        yield batch


def rejected(field: str, text: str) -> Rejected:
    """For events that Google would drop in silence."""
    error = Rejected("analytics", "record", text)
    error.field = field
    return error


def _items(found: Any, left_out: list[str]) -> list[dict[str, Any]]:
    if isinstance(found, str) or not isinstance(found, Sequence) or len(found) > MAX_ITEMS:
        raise rejected("params.items", f"items must be a list of at most {MAX_ITEMS}")
    items = []
    for each in found:
        if not isinstance(each, Mapping) or not (each.get("item_id") or each.get("item_name")):
            raise rejected("params.items", "an item needs an item_id or item_name")
        for name in each:
            _check_name(name)
        personal = [name for name, value in each.items() if is_personal(name, value)]
        left_out += personal
        items.append({name: _value(name, value) for name, value in each.items() if name not in personal})
    return items


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name.startswith(_PREFIXES):
        raise rejected("params", "a parameter has a name that is malformed or reserved")


def _value(name: str, value: Any) -> str | int | float:
    """A value, cut to what is kept of it."""
    if isinstance(value, str):
        return value[: _LONGER.get(name, _MAX_VALUE)]
    if not isinstance(value, (int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        raise rejected(f"params.{name}", "a parameter is neither text nor a number")
    return value
