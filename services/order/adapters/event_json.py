"""Events of orders as JSON in the event log. What was written once must be readable for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from services.order.domain import Event, Line, Money, OrderPlaced, Purchase

_TYPES: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def type_of(event: Event) -> str:
    """The name under which the event is stored."""
    return type(event).__name__


def to_json(event: Event) -> dict[str, Any]:
    """The event's members."""
    return asdict(event)


def from_json(name: str, data: Mapping[str, Any]) -> Event:
    """The event that was stored. ValueError for a type that this version does not know."""
    kind = _TYPES.get(name)
    if kind is None:
        raise ValueError(f"unknown order event {name}")
    if kind is OrderPlaced:
        return OrderPlaced(_purchase(data["purchase"]))
    return kind(**data)


def _purchase(data: Mapping[str, Any]) -> Purchase:
    amounts = {name: Money(**data[name]) for name in ("shipping_cost", "tax", "discount", "total")}
    lines = tuple(Line(**{**line, "unit_price": Money(**line["unit_price"])}) for line in data["lines"])
    return Purchase(**{**data, **amounts, "lines": lines})
