"""What really happened at a gateway: the effects that saga invariants add up."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.gateways.clock import Clock

MAX_ENTRIES = 100_000


@dataclass(slots=True)
class Entry:
    """One effect. `amount` in minor units of `currency`; `reference` is the caller's own, `key` the idempotency key."""

    sequence: int
    at: float
    kind: str
    id: str
    amount: int | None
    currency: str
    status: str
    reference: str
    key: str
    data: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """Effects in the order in which they happened; a later change of state changes the entry's status."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._sequence = 0

    def record(
        self,
        kind: str,
        *,
        id: str,
        amount: int | None = None,
        currency: str = "",
        status: str = "succeeded",
        reference: str = "",
        key: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Add an effect; `id` is unique. The oldest entries go when there are more than `MAX_ENTRIES`."""
        if id in self._entries:
            raise ValueError(f"{id} is in the ledger already")
        self._sequence += 1
        entry = Entry(
            self._sequence,
            self._clock.now(),
            kind,
            id,
            amount,
            currency.upper(),
            status,
            reference,
            key,
            dict(data or {}),
        )
        self._entries[id] = entry
        if len(self._entries) > MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        return entry

    def update(self, id: str, *, status: str, **data: Any) -> None:
        """Change the state of an effect. KeyError when there is none."""
        entry = self._entries[id]
        entry.status = status
        entry.data.update(data)

    def entries(self, kind: str | None = None, reference: str | None = None) -> list[dict[str, Any]]:
        """As JSON values."""
        return [
            asdict(entry)
            for entry in self._entries.values()
            if (kind is None or entry.kind == kind) and (reference is None or entry.reference == reference)
        ]

    def totals(self) -> dict[str, dict[str, int]]:
        """Sums of what succeeded in minor units, by kind and currency: `{"capture": {"USD": 2000}}`."""
        sums: dict[str, dict[str, int]] = {}
        for entry in self._entries.values():
            if entry.amount is not None and entry.status == "succeeded":
                by_currency = sums.setdefault(entry.kind, {})
                by_currency[entry.currency] = by_currency.get(entry.currency, 0) + entry.amount
        return sums

    def position(self) -> object:
        """What `restore` takes."""
        return copy.deepcopy((self._entries, self._sequence))

    def restore(self, position: Any) -> None:
        """Back to an earlier `position`."""
        self._entries, self._sequence = copy.deepcopy(position)

    def reset(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._sequence = 0
