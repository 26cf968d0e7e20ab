"""What both carriers' requests are made of; what a carrier has no room for is `Rejected`, and not quoted."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any, TypeVar

from shop.runtime.models import Model, ValidationError

from services.platform.gateways.errors import Rejected
from services.shipping.domain import Address

M = TypeVar("M", bound=Model)
LINE = 35
"""Characters of a line of a street, at both carriers."""
_LINES = 3


def body_of(gateway: str, operation: str, model: type[M], value: Mapping[str, Any]) -> M:
    """The request as the contract has it."""
    try:
        return model.from_dict(value)
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(step) for step in first["loc"])
        rejected = Rejected(gateway, operation, f"the carrier takes no such /{place}: {first['msg']}")
        rejected.field = place
        raise rejected from None


def street_lines(gateway: str, operation: str, address: Address) -> list[str]:
    """Lines that fit on a label."""
    found: list[str] = []
    for line in (address.line1, address.line2):
        found += textwrap.wrap(line, LINE)
    if len(found) > _LINES:
        rejected = Rejected(gateway, operation, "the street is too long for a label")
        rejected.field = "line1"
        raise rejected
    return found


def digits(phone: str) -> str:
    """A telephone number without its punctuation."""
    return re.sub(r"\D", "", phone)


def filled(members: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are not empty."""
    return {name: value for name, value in members.items() if value not in ("", None)}
