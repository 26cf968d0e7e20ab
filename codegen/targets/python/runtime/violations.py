"""Validation errors as places in the document: JSON pointers without the names of union members."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

_FALLBACKS = frozenset({"<text>", "<unknown>"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`pointer` (RFC 6901) names the value that is wrong, or the property that is missing; `kind` pydantic's rule."""

    pointer: str
    message: str
    kind: str = ""


def violations(error: ValidationError, data: bytes | bytearray | str) -> tuple[Violation, ...]:
    """What is wrong with the JSON text `data` whose reading raised `error`; equal complaints once."""
    return violations_in(error, _parsed(data))


def violations_in(error: ValidationError, value: Any) -> tuple[Violation, ...]:
    """The same for a value that is no longer text."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    primary = [one for one in found if _FALLBACKS.isdisjoint(map(str, one["loc"]))]
    return tuple(
        dict.fromkeys(
            Violation(
                pointer="".join(_steps(one["loc"], value, missing=one["type"] == "missing")),
                message=one["msg"],
                kind=one["type"],
            )
            for one in primary or found
        )
    )


def _parsed(data: bytes | bytearray | str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _steps(location: tuple[int | str, ...], value: Any, *, missing: bool) -> Iterator[str]:
    for position, part in enumerate(location):
        is_item = isinstance(part, int) and isinstance(value, list) and part < len(value)
        if is_item or (isinstance(value, dict) and part in value):
            value = value[part]
        elif not (missing and position == len(location) - 1):
            continue
        yield "/" + str(part).replace("~", "~0").replace("/", "~1")
