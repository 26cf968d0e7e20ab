"""Disputes: a customer objects at the bank, the money is withdrawn until it is decided (docs.stripe.com/disputes)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe import objects
from harness.gateways.stripe.errors import StripeError

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object

OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
FEE = 1500
DECIDED_AFTER = 2.0
REASONS = ("bank_cannot_process", "credit_not_processed", "duplicate", "fraudulent", "general", "product_not_received",
           "product_unacceptable", "subscription_canceled", "unrecognized")  # fmt: skip


def open_dispute(account: Account, charge: Object, reason: str, status: str = "needs_response") -> Object:
    """A new dispute of a charge. An inquiry (`warning_...`) moves no money."""
    found = account.add(objects.dispute(account, charge, reason, status))
    charge["disputed"] = True
    inquiry = status.startswith("warning")
    if not inquiry:
        movement = objects.balance_transaction(account, "adjustment", found, -found["amount"])
        movement |= {"fee": FEE, "net": -found["amount"] - FEE}
        found["balance_transactions"].append(movement)
    account.world.ledger.record(
        "dispute", id=found["id"], amount=0 if inquiry else found["amount"], currency=found["currency"], status="open",
        reference=str(charge["metadata"].get("order_id", "")), data={"charge": charge["id"], "reason": reason},
    )  # fmt: skip
    account.emit("charge.dispute.created", found)
    if not inquiry:
        account.emit("charge.dispute.funds_withdrawn", found)
    return found


def submit(account: Account, found: Object, evidence: Mapping[str, Any]) -> None:
    """Evidence reaches the bank: `winning_evidence` and `losing_evidence` decide it, as Stripe documents."""
    details = found["evidence_details"]
    details["submission_count"] += 1
    details["has_evidence"] = True
    found["status"] = "warning_under_review" if found["status"].startswith("warning") else "under_review"
    verdict = str(evidence.get("uncategorized_text") or found["evidence"].get("uncategorized_text") or "")
    if verdict in ("winning_evidence", "losing_evidence"):
        won = verdict == "winning_evidence"
        account.world.agenda.after(DECIDED_AFTER, partial(_decide, account, found["id"], won=won))


def _decide(account: Account, id: str, *, won: bool) -> None:
    found = account.state.disputes.get(id)
    if found is not None and found["status"] in OPEN:
        account.by_itself()
        decide(account, found, won=won)


def decide(account: Account, found: Object, *, won: bool) -> None:
    """The bank's decision, or the seller's to give in."""
    if found["status"] not in OPEN:
        raise StripeError(400, "This dispute is already closed.")
    inquiry = found["status"].startswith("warning")
    found["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    found["is_charge_refundable"] = False
    account.world.ledger.update(found["id"], status="won" if won or inquiry else "succeeded")
    if won and not inquiry:
        movement = objects.balance_transaction(account, "adjustment", found, found["amount"])
        found["balance_transactions"].append(movement)
        account.emit("charge.dispute.funds_reinstated", found)
    account.emit("charge.dispute.closed", found)
