"""What must be true after a saga, whatever happened on the way: pure functions over a recording.

Each returns what is wrong, in words; nothing when all is well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from harness.sagas.recording import Event, Recording

Invariant: TypeAlias = Callable[[Recording], Iterator[str]]

TERMINAL = ("ORDER_STATUS_CONFIRMED", "ORDER_STATUS_FAILED", "ORDER_STATUS_REFUNDED", "ORDER_STATUS_CANCELLED")
"""Where an order of the slice comes to rest: shipping is not part of it."""
KEPT = ("ORDER_STATUS_CONFIRMED",)
"""States in which the shop keeps the money and the goods are set aside."""


def money_is_conserved(found: Recording) -> Iterator[str]:
    """Captured minus refunded is the total of an order that is kept, and nothing of one that is not."""
    captured = _sum(found, "capture")
    refunded = _sum(found, "refund")
    expected = found.total if found.status in KEPT else 0
    if captured - refunded != expected:
        yield f"captured {captured} - refunded {refunded} is not {expected} for an order that is {found.status}"


def charged_once(found: Recording) -> Iterator[str]:
    """At most one charge of an order succeeds, for its total; at most that is paid back."""
    charges = [each for each in found.ledger if each["kind"] == "charge" and each["status"] == "succeeded"]
    if len(charges) > 1:
        yield f"{len(charges)} charges succeeded"
    for charge in charges:
        if charge["amount"] != found.total:
            yield f"{charge['amount']} was charged for an order of {found.total}"
    if _sum(found, "refund") > _sum(found, "capture"):
        yield "more was paid back than taken"


def stock_is_conserved(found: Recording) -> Iterator[str]:
    """Nothing appears or vanishes; what is reserved is what the order is kept for; nothing is below zero."""
    kept = found.status in KEPT
    for product, before in found.stock_before.items():
        after = found.stock_after.get(product)
        if after is None:
            yield f"{product} has vanished"
            continue
        if after.on_hand != before.on_hand:
            yield f"{product}: {before.on_hand} on hand became {after.on_hand} without a shipment"
        wanted = before.reserved + (found.ordered.get(product, 0) if kept else 0)
        if after.reserved != wanted:
            yield f"{product}: {after.reserved} reserved, not {wanted}, for an order that is {found.status}"
        if after.reserved < 0 or after.on_hand < after.reserved:
            yield f"{product}: {after.reserved} of {after.on_hand} reserved"


def saga_is_at_rest(found: Recording) -> Iterator[str]:
    """The order is in a last state."""
    if found.status not in TERMINAL:
        yield f"the order is still {found.status}"


def outboxes_are_empty(found: Recording) -> Iterator[str]:
    """Everything that was decided has been told, and everything told was dealt with."""
    for service, left in found.outboxes.items():
        if left:
            yield f"{service} has {left} messages that were not published"
    for group, left in found.pending.items():
        if left:
            yield f"{group} has {left} messages that were not settled"


def each_effect_once(found: Recording) -> Iterator[str]:
    """One event of each kind for the order, one status after another, one mail per template."""
    for stream in ("order-created", "payment-succeeded", "payment-failed", "payment-refunded", "stock-reserved",
                   "stock-reservation-failed"):  # fmt: skip
        ids = {(event.source, event.id) for event in found.of(stream)}
        if len(ids) > 1:
            yield f"{len(ids)} different events in {stream}"
    statuses = [event.data.get("status") for event in _distinct(found, "order-status-changed")]
    for status, count in Counter(statuses).items():
        if count > 1:
            yield f"the order became {status} {count} times"
    for template, count in Counter(str(mail.get("template", "")) for mail in found.mails).items():
        if count > 1:
            yield f"{count} mails {template!r} about one order"


def events_agree_with_the_order(found: Recording) -> Iterator[str]:
    """The last status event says what the order says."""
    told = _distinct(found, "order-status-changed")
    if told and told[-1].data.get("status") != found.status:
        yield f"the last event says {told[-1].data.get('status')}, the order {found.status}"


INVARIANTS: Mapping[str, Invariant] = {
    "money is conserved": money_is_conserved,
    "charged at most once": charged_once,
    "stock is conserved": stock_is_conserved,
    "the saga is at rest": saga_is_at_rest,
    "outboxes are empty": outboxes_are_empty,
    "each effect once": each_effect_once,
    "events agree with the order": events_agree_with_the_order,
}


def violations(found: Recording) -> dict[str, list[str]]:
    """By invariant, what is wrong."""
    return {name: wrong for name, check in INVARIANTS.items() if (wrong := list(check(found)))}


def _sum(found: Recording, kind: str) -> int:
    return sum(int(each["amount"]) for each in found.ledger if each["kind"] == kind and each["status"] == "succeeded")


def _distinct(found: Recording, stream: str) -> list[Event]:
    """Without repetitions of one event."""
    seen: dict[tuple[str, str], Event] = {}
    for event in found.of(stream):
        seen.setdefault((event.source, event.id), event)
    return list(seen.values())
