"""Invariants are silent about a saga that went well, and each says what it is for when something went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.sagas.invariants import violations
from harness.sagas.recording import Event, Recording, Stock

ORDER = "ord_1"


def event(stream: str, number: int, **data: Any) -> Event:
    return Event(
        stream=stream, entry=f"{number}-0", id=f"e{number}", source="/order", subject=ORDER, type="t", data=data
    )


def entry(kind: str, amount: int, status: str = "succeeded") -> dict[str, Any]:
    return {"kind": kind, "amount": amount, "status": status, "reference": ORDER}


def confirmed() -> Recording:
    return Recording(
        order_id=ORDER,
        status="ORDER_STATUS_CONFIRMED",
        status_reason="",
        total=2000,
        events=(
            event("order-created", 1),
            event("payment-succeeded", 2),
            event("order-status-changed", 3, status="ORDER_STATUS_PAID"),
            event("stock-reserved", 4),
            event("order-status-changed", 5, status="ORDER_STATUS_CONFIRMED"),
        ),
        ledger=(entry("charge", 2000), entry("capture", 2000)),
        mails=({"template": "order-received"}, {"template": "order-confirmation"}),
        stock_before={"tea": Stock(product_id="tea", on_hand=10, reserved=1)},
        stock_after={"tea": Stock(product_id="tea", on_hand=10, reserved=3)},
        ordered={"tea": 2},
        outboxes={"order": 0, "payment": 0},
        pending={"order-created/checkout": 0},
    )


def refunded() -> Recording:
    return replace(
        confirmed(),
        status="ORDER_STATUS_REFUNDED",
        events=(event("order-status-changed", 1, status="ORDER_STATUS_REFUNDED"),),
        ledger=(entry("charge", 2000), entry("capture", 2000), entry("refund", 2000)),
        stock_after={"tea": Stock(product_id="tea", on_hand=10, reserved=1)},
    )


def declined() -> Recording:
    return replace(
        refunded(),
        status="ORDER_STATUS_FAILED",
        events=(event("order-status-changed", 1, status="ORDER_STATUS_FAILED"),),
        ledger=(entry("charge", 2000, "failed"),),
    )


@pytest.mark.parametrize("recording", [confirmed(), refunded(), declined()], ids=["confirmed", "refunded", "declined"])
def test_a_saga_that_went_well_breaks_no_invariant(recording: Recording) -> None:
    assert violations(recording) == {}


def test_an_event_that_came_twice_is_one_event() -> None:
    recording = confirmed()
    assert violations(replace(recording, events=(*recording.events, *recording.events))) == {}


MUTANTS: list[tuple[str, Callable[[], Recording]]] = [
    ("money is conserved", lambda: replace(confirmed(), ledger=(entry("charge", 2000),))),
    ("money is conserved", lambda: replace(refunded(), ledger=(entry("charge", 2000), entry("capture", 2000)))),
    ("money is conserved", lambda: replace(declined(), ledger=(entry("charge", 2000), entry("capture", 2000)))),
    ("charged at most once", lambda: replace(confirmed(), ledger=(*confirmed().ledger, entry("charge", 2000)))),
    ("charged at most once", lambda: replace(confirmed(), ledger=(entry("charge", 1999), entry("capture", 2000)))),
    ("charged at most once", lambda: replace(refunded(), ledger=(*refunded().ledger, entry("refund", 2000)))),
    ("stock is conserved", lambda: replace(confirmed(), stock_after=confirmed().stock_before)),
    ("stock is conserved", lambda: replace(refunded(), stock_after=confirmed().stock_after)),
    ("stock is conserved", lambda: replace(confirmed(), stock_after={})),
    (
        "stock is conserved",
        lambda: replace(confirmed(), stock_after={"tea": Stock(product_id="tea", on_hand=8, reserved=3)}),
    ),
    ("the saga is at rest", lambda: replace(confirmed(), status="ORDER_STATUS_PAID")),
    ("outboxes are empty", lambda: replace(confirmed(), outboxes={"order": 1})),
    ("outboxes are empty", lambda: replace(confirmed(), pending={"order-created/checkout": 1})),
    ("each effect once", lambda: replace(confirmed(), events=(*confirmed().events, event("payment-succeeded", 9)))),
    (
        "each effect once",
        lambda: replace(
            confirmed(),
            events=(*confirmed().events, event("order-status-changed", 9, status="ORDER_STATUS_CONFIRMED")),
        ),
    ),
    ("each effect once", lambda: replace(confirmed(), mails=(*confirmed().mails, {"template": "order-received"}))),
    (
        "events agree with the order",
        lambda: replace(confirmed(), events=confirmed().events[:3]),
    ),
]


@pytest.mark.parametrize(("invariant", "mutant"), MUTANTS, ids=[f"{i}-{name}" for i, (name, _) in enumerate(MUTANTS)])
def test_what_went_wrong_breaks_its_invariant(invariant: str, mutant: Callable[[], Recording]) -> None:
    assert invariant in violations(mutant())
