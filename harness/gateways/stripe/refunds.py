"""Refunds: whole or in part, some of them pending or failing later (docs.stripe.com/refunds)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe import methods, money, objects
from harness.gateways.stripe.errors import StripeError, invalid
from harness.gateways.stripe.metadata import merged

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object

SETTLED_AFTER = 2.0
"""Seconds of the mock's clock until a pending refund succeeds and a failing one fails."""


def create(account: Account, given: Mapping[str, Any]) -> Object:
    """Give money back; what is wrong is Stripe's error."""
    charge = _charge(account, given)
    if charge["disputed"] and any(
        each["charge"] == charge["id"] and not each["is_charge_refundable"] and each["status"] != "won"
        for each in account.state.disputes.values()
    ):
        text = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeError(400, text, code="charge_disputed")
    left = charge["amount_captured"] - _refunded(account, charge)
    if left <= 0:
        raise StripeError(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = given.get("amount")
    amount = left if amount is None else amount
    if amount <= 0:
        raise invalid("amount", "Invalid positive integer", "parameter_invalid_integer")
    if amount > left:
        shown, rest = money.shown(amount, charge["currency"]), money.shown(left, charge["currency"])
        raise invalid("amount", f"Refund amount ({shown}) is greater than unrefunded amount on charge ({rest})")
    found = objects.refund(account, charge, amount, given)
    found["metadata"] = merged({}, given.get("metadata"))
    _book(account, charge, found)
    return found


def _charge(account: Account, given: Mapping[str, Any]) -> Object:
    by_charge, by_intent = given.get("charge"), given.get("payment_intent")
    if by_charge is None and by_intent is None:
        text = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid("payment_intent", text, "parameter_missing")
    if by_intent is not None:
        intent = account.find("payment_intent", by_intent, "payment_intent")
        found = account.state.charges.get(intent["latest_charge"] or "")
        if found is None or found["status"] != "succeeded" or not found["captured"]:
            raise StripeError(
                400,
                f"This PaymentIntent ({by_intent}) does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
                param="payment_intent",
            )
        if by_charge is not None and by_charge != found["id"]:
            raise invalid("charge", f"The charge {by_charge} is not of the payment intent {by_intent}.")
        return found
    found = account.find("charge", str(by_charge), "charge")
    if found["status"] != "succeeded":
        raise StripeError(400, f"Charge {by_charge} cannot be refunded: it has failed.", param="charge")
    if not found["captured"]:
        text = f"Charge {by_charge} is uncaptured and cannot be refunded; cancel its PaymentIntent to release it."
        raise StripeError(400, text, param="charge")
    return found


def _refunded(account: Account, charge: Object) -> int:
    return sum(
        each["amount"]
        for each in account.state.refunds.values()
        if each["charge"] == charge["id"] and each["status"] not in ("failed", "canceled")
    )


def _book(account: Account, charge: Object, found: Object) -> None:
    account.add(found)
    method = account.state.payment_methods.get(charge["payment_method"] or "")
    how = methods.behaviour(account, method).behaviour if method else "succeed"
    if how == "pending_refund":
        found |= {"status": "pending", "pending_reason": "processing"}
    movement = objects.balance_transaction(account, "refund", found, -found["amount"])
    found["balance_transaction"] = movement["id"]
    before = dict(charge)
    count(account, charge)
    account.world.ledger.record(
        "refund", id=found["id"], amount=found["amount"], currency=found["currency"], status=found["status"],
        reference=str(charge["metadata"].get("order_id", "")), key=account.key,
        data={"charge": charge["id"], "payment_intent": charge["payment_intent"]},
    )  # fmt: skip
    account.emit("charge.refunded", charge, before)
    account.emit("refund.created", found)
    if how == "pending_refund":
        account.world.agenda.after(SETTLED_AFTER, partial(settle, account, found["id"], succeeded=True))
    elif how == "failing_refund":
        account.world.agenda.after(SETTLED_AFTER, partial(settle, account, found["id"], succeeded=False))
    else:
        account.emit("refund.updated", found)
        account.emit("charge.refund.updated", found)


def count(account: Account, charge: Object) -> None:
    """Sum up what went back: refunds, and what of an authorization will not be captured any more."""
    intent = account.state.payment_intents[charge["payment_intent"]]
    released = 0 if intent["status"] == "requires_capture" else charge["amount"] - charge["amount_captured"]
    charge["amount_refunded"] = released + _refunded(account, charge)
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]


def settle(account: Account, id: str, *, succeeded: bool) -> None:
    """The bank's answer: a pending refund arrives, or a refund comes back."""
    found = account.state.refunds.get(id)
    if found is None or found["status"] not in ("pending", "succeeded", "requires_action"):
        return
    account.by_itself()
    before = dict(found)
    if succeeded:
        found |= {"status": "succeeded", "pending_reason": None}
    else:
        movement = objects.balance_transaction(account, "refund_failure", found, found["amount"])
        found |= {
            "status": "failed",
            "pending_reason": None,
            "failure_reason": "expired_or_canceled_card",
            "failure_balance_transaction": movement["id"],
        }
        count(account, account.state.charges[found["charge"]])
    account.world.ledger.update(id, status=found["status"])
    account.emit("refund.updated", found, before)
    account.emit("charge.refund.updated", found, before)
    if not succeeded:
        account.emit("refund.failed", found)
