"""Examples with rules: what must be as in the example, and what must only look like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pact import match

IDENTIFIER = r"^[A-Za-z0-9._:-]{1,64}$"
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
WHOLE = r"^-?\d+$"
CURRENCY = r"^[A-Z]{3}$"
CREATED = "2026-02-01T10:15:31.204Z"


@dataclass(frozen=True, slots=True)
class Exactly:
    """This value and no other."""

    value: Any


def like(example: Any) -> Any:
    """Matchers for an example: same type, same members or more; lists with at least one element like the first.

    `Exactly` and matchers of Pact within it stay what they are.
    """
    if isinstance(example, Exactly):
        return example.value
    if isinstance(example, Mapping):
        if not example:
            # An empty object without a matcher means one that has no members.
            return match.like({})
        return {name: like(value) for name, value in example.items()}
    if isinstance(example, list):
        if len(example) != 1:
            raise ValueError(f"a list is described by one element, not by {len(example)}")
        return match.each_like(like(example[0]), min=1)
    if isinstance(example, bool):
        return match.boolean(example)
    if isinstance(example, int):
        return match.integer(example)
    if isinstance(example, float):
        return match.number(example)
    if isinstance(example, str):
        return match.like(example)
    return example


def identifier(example: str) -> Any:
    """An id as the contracts write them."""
    return match.regex(example, regex=IDENTIFIER)


def moment(example: str = CREATED) -> Any:
    """RFC 3339."""
    return match.regex(example, regex=MOMENT)


def int64(example: int) -> Any:
    """A 64-bit integer in protobuf JSON: a string of digits."""
    return match.regex(str(example), regex=WHOLE)


def one_of(example: str, *others: str) -> Any:
    """One of these texts."""
    return match.regex(example, regex=f"^({'|'.join((example, *others))})$")


def proto_money(minor_units: int) -> dict[str, Any]:
    """`common.v1.Money` in protobuf JSON."""
    return {"minor_units": int64(minor_units), "currency_code": match.regex("EUR", regex=CURRENCY)}


def money(minor_units: int) -> dict[str, Any]:
    """Money in OpenAPI and AsyncAPI."""
    return {"minor_units": minor_units, "currency_code": match.regex("EUR", regex=CURRENCY)}


def cloud_event(kind: str, *, source: str, subject: str, aggregate: str, data: Any) -> dict[str, Any]:
    """The envelope that every consumer reads: what it is for is said in contracts/common/v1/cloudevents.yaml."""
    return {
        "specversion": Exactly("1.0"),
        "id": "01JK0Q8Z00019155",
        "source": Exactly(source),
        "type": Exactly(kind),
        "subject": identifier(subject),
        "time": moment(),
        "datacontenttype": Exactly("application/json"),
        "correlationid": identifier("ord_9d41b7" if subject.startswith("ord_") else subject),
        "aggregatetype": Exactly(aggregate),
        "aggregateversion": 1,
        "data": data,
    }
