"""The life of a payment intent (docs.stripe.com/payments/paymentintents/lifecycle)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe import disputes, methods, objects, refunds
from harness.gateways.stripe.cards import CARD_ERRORS, Card, message_of
from harness.gateways.stripe.errors import StripeError, invalid

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
AUTHORIZATION_SECONDS = 7 * 86_400


def unexpected_state(intent: Object, message: str) -> StripeError:
    """The move is not possible in this state; the answer shows the payment intent."""
    return StripeError(400, message, code="payment_intent_unexpected_state", payment_intent=dict(intent))


def set_method(account: Account, intent: Object, method: Object, param: str) -> None:
    """Give a payment intent its payment method."""
    holder = method["customer"]
    if holder is not None and intent["customer"] is None:
        raise invalid(
            param,
            f"The PaymentMethod {method['id']} belongs to the Customer {holder}. Please include the Customer in the"
            " `customer` parameter on the PaymentIntent.",
        )
    if holder is not None and holder != intent["customer"]:
        text = f"The provided PaymentMethod {method['id']} belongs to a different Customer than the one supplied."
        raise invalid(param, text)
    intent["payment_method"] = method["id"]
    if intent["status"] == "requires_payment_method":
        intent["status"] = "requires_confirmation"


def confirm(account: Account, intent: Object, given: Mapping[str, Any]) -> None:
    """Charge or authorize; raises 402 when the card is declined."""
    if intent["status"] not in CONFIRMABLE:
        text = f"This PaymentIntent's status is {intent['status']}, and it cannot be confirmed again."
        if intent["status"] == "succeeded":
            text = "You cannot confirm this PaymentIntent because it has already succeeded after being previously"
            text += " confirmed."
        raise unexpected_state(intent, text)
    method = account.state.payment_methods.get(intent["payment_method"] or "")
    if method is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the"
            " PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a"
            " payment method or ConfirmationToken.",
        )
    card = methods.behaviour(account, method)
    if account.declined:
        _decline(account, intent, method, *_reason(account.declined))
    if card.behaviour in ("decline", "decline_later", "block"):
        _decline(account, intent, method, card.code, card.decline_code, blocked=card.behaviour == "block")
    if card.behaviour == "authenticate":
        _ask_for_authentication(account, intent, method, given)
    else:
        charge(account, intent, method, card)


def _reason(scripted: str) -> tuple[str, str]:
    return (
        (scripted, "")
        if scripted in CARD_ERRORS
        else ("card_declined", scripted.replace("card_declined", "generic_decline"))
    )


def _ask_for_authentication(account: Account, intent: Object, method: Object, given: Mapping[str, Any]) -> None:
    if given.get("off_session") not in (None, False):
        _decline(account, intent, method, "authentication_required", "authentication_required")
    if given.get("error_on_requires_action"):
        _decline(account, intent, method, "authentication_required", "")
    intent["status"] = "requires_action"
    page = f"{account.world.url}/3d_secure/{intent['id']}"
    if given.get("return_url") and not given.get("use_stripe_sdk"):
        to = {"return_url": given["return_url"], "url": page}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": to}
    else:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    account.emit("payment_intent.requires_action", intent)


def authenticated(account: Account, intent: Object, *, succeeded: bool) -> None:
    """The customer has finished 3-D Secure."""
    method = account.state.payment_methods[intent["payment_method"]]
    intent["next_action"] = None
    if succeeded:
        charge(account, intent, method, methods.behaviour(account, method))
        return
    text = "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new"
    text += " PaymentMethod to attempt to fulfill this PaymentIntent again."
    intent["status"], intent["payment_method"] = "requires_payment_method", None
    intent["last_payment_error"] = _error("payment_intent_authentication_failure", "", text, method) | {
        "type": "invalid_request_error"
    }
    account.emit("payment_intent.payment_failed", intent)


def _error(code: str, decline_code: str, message: str, method: Object) -> Object:
    error: Object = {
        "type": "card_error",
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "payment_method": copy.deepcopy(method),
    }
    return error | {"decline_code": decline_code} if decline_code else error


def _decline(
    account: Account, intent: Object, method: Object, code: str, decline_code: str, *, blocked: bool = False
) -> None:
    message = message_of(code, decline_code)
    failed = objects.charge(account, intent, method, captured=False)
    seller = "Stripe blocked this payment as too risky." if blocked else "The bank did not return any further details."
    status, kind = ("not_sent_to_network", "blocked") if blocked else ("declined_by_network", "issuer_declined")
    reason = "highest_risk_level" if blocked else decline_code or code
    failed |= {
        "paid": False,
        "status": "failed",
        "failure_code": code,
        "failure_message": message,
        "authorization_code": None,
        "receipt_url": None,
        "outcome": objects.outcome(status, reason, seller, kind, blocked=blocked),
    }
    if code == "incorrect_cvc":
        failed["payment_method_details"]["card"]["checks"]["cvc_check"] = "fail"
    account.add(failed)
    _record(account, "charge", failed, failed["amount"], "failed", intent)
    error = _error(code, decline_code, message, method) | {"charge": failed["id"]}
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": error,
        "latest_charge": failed["id"],
        "next_action": None,
    }
    account.emit("charge.failed", failed)
    account.emit("payment_intent.payment_failed", intent)
    members = {key: value for key, value in error.items() if key not in ("type", "code", "message", "doc_url")}
    param = {"incorrect_cvc": "cvc", "expired_card": "exp_month", "incorrect_number": "number"}.get(code, "")
    raise StripeError(402, message, code=code, param=param, type="card_error", payment_intent=dict(intent), **members)


def charge(account: Account, intent: Object, method: Object, card: Card) -> None:
    """Take the money, or hold it for `capture`."""
    captured = intent["capture_method"] != "manual"
    made = account.add(objects.charge(account, intent, method, captured=captured))
    intent |= {"latest_charge": made["id"], "last_payment_error": None, "next_action": None}
    _record(account, "charge", made, made["amount"], "succeeded", intent)
    if captured:
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "amount_capturable": 0}
        _captured(account, intent, made, intent["amount"])
        account.emit("charge.succeeded", made)
        account.emit("payment_intent.succeeded", intent)
    else:
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        account.emit("charge.succeeded", made)
        account.emit("payment_intent.amount_capturable_updated", intent)
        account.world.agenda.after(AUTHORIZATION_SECONDS, partial(expire, account, intent["id"], made["id"]))
    holder = account.state.customers.get(intent["customer"] or "", {})
    if intent["setup_future_usage"] and holder and not holder.get("deleted") and method["customer"] is None:
        methods.attach(account, method, holder)
    if card.behaviour in ("dispute", "inquiry"):
        status = "needs_response" if card.behaviour == "dispute" else "warning_needs_response"
        disputes.open_dispute(account, made, "fraudulent", status)


def _captured(account: Account, intent: Object, made: Object, amount: int) -> None:
    movement = objects.balance_transaction(account, "charge", made, amount)
    made["balance_transaction"] = movement["id"]
    id = f"{made['id']}:capture:{made['amount_captured']}"
    account.world.ledger.record(
        "capture", id=id, amount=amount, currency=made["currency"], reference=_reference(intent), key=account.key,
        data={"charge": made["id"], "payment_intent": intent["id"]},
    )  # fmt: skip


def _record(account: Account, kind: str, made: Object, amount: int, status: str, intent: Object) -> None:
    account.world.ledger.record(
        kind, id=made["id"], amount=amount, currency=made["currency"], status=status, reference=_reference(intent),
        key=account.key, data={"payment_intent": intent["id"]},
    )  # fmt: skip


def _reference(intent: Object) -> str:
    """The caller's own name for the payment: `order_id` in the metadata, else `transfer_group`."""
    return str(intent["metadata"].get("order_id") or intent["transfer_group"] or "")


def capture(account: Account, intent: Object, amount: int | None, *, final: bool, metadata: Mapping[str, str]) -> None:
    """Take what was authorized, or a part; the rest is released. `metadata` replaces the old."""
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a"
            " PaymentIntent with one of the following statuses may be captured: requires_capture.",
        )
    wanted = intent["amount_capturable"] if amount is None else amount
    if wanted <= 0:
        raise invalid("amount_to_capture", "Invalid positive integer", "parameter_invalid_integer")
    if wanted > intent["amount_capturable"]:
        raise invalid(
            "amount_to_capture",
            "The payment could not be captured because the requested capture amount is greater than the amount you can"
            " capture for this charge.",
            "amount_too_large",
        )
    intent["metadata"] = dict(metadata)
    made = account.state.charges[intent["latest_charge"]]
    before = dict(made)
    rest = intent["amount_capturable"] - wanted
    made["amount_captured"] += wanted
    made["captured"] = True
    _captured(account, intent, made, wanted)
    intent["amount_received"] += wanted
    intent["amount_capturable"] = 0 if final else rest
    if final or not rest:
        intent["status"] = "succeeded"
    refunds.count(account, made)
    account.emit("charge.captured", made, before)
    if intent["status"] == "succeeded":
        account.emit("payment_intent.succeeded", intent)
    else:
        account.emit("payment_intent.amount_capturable_updated", intent)


def cancel(account: Account, intent: Object, reason: str | None) -> None:
    """End a payment intent; what was authorized is released."""
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
            f" with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )
    released = intent["status"] == "requires_capture"
    intent |= {
        "status": "canceled",
        "canceled_at": account.now(),
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
    }
    if released:
        made = account.state.charges[intent["latest_charge"]]
        left = made["amount"] - made["amount_captured"]
        before = dict(made)
        refunds.count(account, made)
        account.world.ledger.record(
            "void", id=f"{made['id']}:void", amount=left, currency=made["currency"], reference=_reference(intent),
            key=account.key, data={"charge": made["id"], "payment_intent": intent["id"]},
        )  # fmt: skip
        account.emit("charge.refunded", made, before)
    account.emit("payment_intent.canceled", intent)


def expire(account: Account, intent_id: str, charge_id: str) -> None:
    """An authorization that nobody captured ends after seven days."""
    intent = account.state.payment_intents.get(intent_id)
    if intent is not None and intent["status"] == "requires_capture" and intent["latest_charge"] == charge_id:
        account.by_itself()
        account.emit("charge.expired", account.state.charges[charge_id])
        cancel(account, intent, "automatic")
