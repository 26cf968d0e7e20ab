"""What makes events valid, with the codes and, where they are known, the words of Google's validation server.

Sources: Google's pages on the limits, the reserved names and the validation of the Measurement Protocol.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 130_000
MAX_EVENTS = 25
MAX_PARAMS = 25
MAX_USER_PROPERTIES = 25
MAX_ITEMS = 200
MAX_NAME = 40
MAX_VALUE = 100
MAX_PROPERTY_NAME = 24
MAX_PROPERTY_VALUE = 36
MAX_AGE = 72 * 3600
MAX_AHEAD = 15 * 60
MAX_DIGITS = 18
RESERVED_EVENTS = frozenset(
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
RESERVED_PROPERTIES = frozenset(
    {"first_open_time", "first_visit_time", "first_open_after_install", "last_deep_link_referrer", "user_id"}
)
_RESERVED_PREFIXES = ("firebase_", "ga_", "google_", "gtag.")
_LONG_VALUES = {"page_title": 300, "page_referrer": 420, "page_location": 1000}
_ALLOWED = re.compile(r"\w+", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `event`: which one; None for the whole payload."""

    code: str
    description: str
    path: str | None = None
    event: int | None = None

    def as_dict(self) -> dict[str, str]:
        """A validation message."""
        place = {} if self.path is None else {"fieldPath": self.path}
        return {**place, "description": self.description, "validationCode": self.code}


@dataclass(frozen=True, slots=True)
class Checked:
    """A payload, empty when it cannot be read, and what is wrong with it."""

    payload: Mapping[str, Any]
    faults: tuple[Fault, ...]

    def valid_events(self) -> Iterator[Mapping[str, Any]]:
        """Those that count: none when the payload itself is wrong."""
        wrong = {fault.event for fault in self.faults}
        if None in wrong:
            return
        for index, event in enumerate(self.payload.get("events", ())):
            if index not in wrong:
                yield event


TOO_LARGE = Checked({}, (Fault("VALUE_OUT_OF_BOUNDS", f"Measurement has a payload of more than {MAX_BYTES} bytes."),))


def check(raw: bytes, stream: Mapping[str, str], now: float) -> Checked:
    """Read and check a body; `stream` holds the query parameters, `now` is in Unix seconds."""
    if len(raw) > MAX_BYTES:
        return TOO_LARGE
    repeated: list[str] = []
    try:
        payload = json.loads(raw, object_pairs_hook=lambda pairs: _object(pairs, repeated))
    except (ValueError, RecursionError) as problem:
        return Checked({}, (_unreadable(str(problem)),))
    if not isinstance(payload, dict):
        return Checked({}, (_unreadable("Root element must be a message."),))
    faults = [Fault("NAME_DUPLICATED", f"Name [{name}] is given more than once.", name) for name in repeated]
    faults += _payload(payload, stream, now)
    return Checked(payload, tuple(faults))


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated.extend(name for name in found if names.count(name) > 1)
    return found


def _unreadable(detail: str) -> Fault:
    return Fault("VALUE_INVALID", f"Unable to parse Measurement Protocol JSON payload. {detail}")


def _payload(payload: dict[str, Any], stream: Mapping[str, str], now: float) -> Iterator[Fault]:
    if not stream.get("measurement_id") and not stream.get("firebase_app_id"):
        yield Fault("VALUE_REQUIRED", "Measurement requires a measurement_id or a firebase_app_id.", "measurement_id")
    member, article = ("app_instance_id", "an") if stream.get("firebase_app_id") else ("client_id", "a")
    if payload.get(member) in (None, ""):
        yield Fault("VALUE_REQUIRED", f"Measurement requires {article} {member}.", member)
    for name in ("client_id", "app_instance_id", "user_id"):
        if not isinstance(payload.get(name, ""), str):
            yield Fault("VALUE_INVALID", f"Measurement has a {name} that is not a string.", name)
    if len(str(payload.get("user_id", ""))) > 256:
        yield Fault("VALUE_OUT_OF_BOUNDS", "Measurement has a user_id of more than 256 characters.", "user_id")
    yield from _timestamp(payload.get("timestamp_micros"), "Measurement", None, now)
    yield from _user_properties(payload.get("user_properties"))
    yield from _settings(payload)
    events = payload.get("events")
    if not isinstance(events, list):
        code = "VALUE_REQUIRED" if events is None else "VALUE_INVALID"
        yield Fault(code, "Measurement requires a list of events.", "events")
    elif not events:
        yield Fault("VALUE_REQUIRED", "Measurement requires at least one event.", "events")
    elif len(events) > MAX_EVENTS:
        yield Fault(
            "VALUE_OUT_OF_BOUNDS", f"Measurement has {len(events)} events; the limit is {MAX_EVENTS}.", "events"
        )
    else:
        strict = payload.get("validation_behavior") == "ENFORCE_RECOMMENDATIONS"
        for index, event in enumerate(events):
            yield from _event(event, index, now, strict=strict)


def _settings(payload: dict[str, Any]) -> Iterator[Fault]:
    consent = payload.get("consent", {})
    for name in ("ad_user_data", "ad_personalization"):
        if not isinstance(consent, dict) or consent.get(name, "GRANTED") not in ("GRANTED", "DENIED"):
            yield Fault("VALUE_INVALID", f"Consent has an invalid {name}.", f"consent.{name}")
    if payload.get("validation_behavior", "RELAXED") not in ("RELAXED", "ENFORCE_RECOMMENDATIONS"):
        yield Fault("VALUE_INVALID", "Measurement has an invalid validation_behavior.", "validation_behavior")
    if not isinstance(payload.get("non_personalized_ads", False), bool):
        yield Fault("VALUE_INVALID", "Measurement has an invalid non_personalized_ads.", "non_personalized_ads")


def _timestamp(found: Any, holder: str, event: int | None, now: float) -> Iterator[Fault]:
    if found is None:
        return
    text = str(found)
    path = "timestamp_micros" if event is None else "events.timestamp_micros"
    if isinstance(found, (bool, float)) or not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
        yield Fault("VALUE_INVALID", f"{holder} timestamp_micros is not a number of microseconds.", path, event)
        return
    age = now - int(text) / 1_000_000
    if age > MAX_AGE or age < -MAX_AHEAD:
        where = "more than 72 hours in the past" if age > 0 else "in the future"
        yield Fault("VALUE_INVALID", f"{holder} timestamp_micros has timestamp [{text}] that is {where}.", path, event)


def _user_properties(found: Any) -> Iterator[Fault]:
    path = "user_properties"
    if found is None:
        return
    if not isinstance(found, dict):
        yield Fault("VALUE_INVALID", "Measurement has user_properties that are not an object.", path)
        return
    if len(found) > MAX_USER_PROPERTIES:
        yield Fault(
            "EXCEEDED_MAX_ENTITIES",
            f"Measurement has {len(found)} user properties; the limit is {MAX_USER_PROPERTIES}.",
            path,
        )
    for name, entry in found.items():
        wrong = _name_fault(name, MAX_PROPERTY_NAME)
        if name in RESERVED_PROPERTIES or name.startswith(_RESERVED_PREFIXES):
            yield Fault("NAME_RESERVED", f"User property has name [{name}] which is reserved.", path)
        elif wrong:
            yield Fault("NAME_INVALID", f"User property has invalid name [{name}]. {wrong}", path)
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(value, (str, int, float)):
            yield Fault("VALUE_INVALID", f"User property [{name}] has an invalid value.", path)
        elif len(str(value)) > MAX_PROPERTY_VALUE:
            yield Fault(
                "VALUE_OUT_OF_BOUNDS",
                f"User property [{name}] has a value of more than {MAX_PROPERTY_VALUE} characters.",
                path,
            )


def _event(event: Any, index: int, now: float, *, strict: bool) -> Iterator[Fault]:
    place = f"Event at index: [{index}]"
    if not isinstance(event, dict):
        yield Fault("VALUE_INVALID", f"{place} is not an object.", "events", index)
        return
    name = event.get("name")
    if name in (None, ""):
        yield Fault("VALUE_REQUIRED", f"{place} requires a name.", "events", index)
    elif not isinstance(name, str):
        yield Fault("VALUE_INVALID", f"{place} has a name that is not a string.", "events", index)
    elif name in RESERVED_EVENTS or name.startswith(_RESERVED_PREFIXES):
        yield Fault("NAME_RESERVED", f"{place} has name [{name}] which is reserved.", "events", index)
    else:
        wrong = _name_fault(name, MAX_NAME)
        if wrong:
            yield Fault("NAME_INVALID", f"{place} has invalid name [{name}]. {wrong}", "events", index)
    yield from _timestamp(event.get("timestamp_micros"), place, index, now)
    params = event.get("params", {})
    if not isinstance(params, dict):
        yield Fault("VALUE_INVALID", f"{place} has params that are not an object.", "events.params", index)
        return
    if len(params) > MAX_PARAMS:
        yield Fault(
            "EXCEEDED_MAX_ENTITIES",
            f"{place} has {len(params)} params; the limit is {MAX_PARAMS}.",
            "events.params",
            index,
        )
    for key, value in params.items():
        yield from _param(key, value, place, index)
    if strict and "value" in params and "currency" not in params:
        yield Fault("VALUE_REQUIRED", f"{place} has a value and requires a currency.", "events.params.currency", index)


def _param(name: str, value: Any, place: str, event: int) -> Iterator[Fault]:
    path = f"events.params.{name}"
    wrong = _name_fault(name, MAX_NAME)
    if name.startswith(_RESERVED_PREFIXES):
        yield Fault("NAME_RESERVED", f"{place} has param name [{name}] which is reserved.", path, event)
    elif wrong:
        yield Fault("NAME_INVALID", f"{place} has invalid param name [{name}]. {wrong}", path, event)
    if name == "items":
        yield from _items(value, place, event)
    elif not isinstance(value, (str, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        yield Fault("VALUE_INVALID", f"{place} has param [{name}] with an invalid value.", path, event)
    elif isinstance(value, str) and len(value) > _LONG_VALUES.get(name, MAX_VALUE):
        limit = _LONG_VALUES.get(name, MAX_VALUE)
        yield Fault("VALUE_OUT_OF_BOUNDS", f"{place} has param [{name}] of more than {limit} characters.", path, event)
    if name == "currency" and isinstance(value, str) and not _CURRENCY.fullmatch(value):
        yield Fault("VALUE_INVALID", f"{place} has an invalid currency [{value}].", path, event)
    if name == "value" and not isinstance(value, (int, float)):
        yield Fault("VALUE_INVALID", f"{place} has a value that is not a number.", path, event)


def _items(found: Any, place: str, event: int) -> Iterator[Fault]:
    path = "events.params.items"
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        yield Fault("VALUE_INVALID", f"{place} has items that are not a list of objects.", path, event)
        return
    if len(found) > MAX_ITEMS:
        yield Fault("EXCEEDED_MAX_ENTITIES", f"{place} has {len(found)} items; the limit is {MAX_ITEMS}.", path, event)
    for number, each in enumerate(found):
        if not each.get("item_id") and not each.get("item_name"):
            yield Fault(
                "VALUE_REQUIRED", f"{place} has an item at index: [{number}] without item_id or item_name.", path, event
            )


def _name_fault(name: str, limit: int) -> str:
    """Why a name is not allowed; empty when it is."""
    if not name[:1].isascii() or not name[:1].isalpha():
        return "Names must start with an alphabetic character."
    if not _ALLOWED.fullmatch(name):
        return "Only alphanumeric characters and underscores are allowed."
    return f"Names must have at most {limit} characters." if len(name) > limit else ""
