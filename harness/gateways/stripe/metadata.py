"""Metadata: up to 50 keys of up to 40 characters with values of up to 500 (docs.stripe.com/api/metadata)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.gateways.stripe.errors import invalid

MAX_KEYS, MAX_KEY, MAX_VALUE = 50, 40, 500


def merged(old: Mapping[str, str], given: Any) -> dict[str, str]:
    """The metadata after a request: an empty text removes a key, or everything."""
    if given is None:
        return dict(old)
    if given == "":
        return {}
    found = dict(old)
    for key, value in given.items():
        if len(key) > MAX_KEY:
            raise invalid("metadata", f"Metadata keys can have up to {MAX_KEY} characters. You passed in '{key[:60]}'")
        if len(value) > MAX_VALUE:
            text = f"Metadata values can have up to {MAX_VALUE} characters, but you passed in a value that is"
            raise invalid(f"metadata[{key}]", f"{text} {len(value)} characters.")
        if value == "":
            found.pop(key, None)
        else:
            found[key] = value
    if len(found) > MAX_KEYS:
        raise invalid("metadata", f"You can only have up to {MAX_KEYS} metadata keys.")
    return found
