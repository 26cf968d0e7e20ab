"""Payment intents, charges and movements of the balance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from shop.external.stripe.http.models import BalanceTransaction, Charge, ChargeList, PaymentIntent, PaymentIntentList

from harness.gateways.stripe import methods, money, objects, payments
from harness.gateways.stripe.errors import StripeError, invalid
from harness.gateways.stripe.metadata import merged
from harness.gateways.stripe.resource import Resource
from harness.gateways.stripe.shown import created_within

if TYPE_CHECKING:
    from shop.external.stripe.http import models
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.stripe.state import Object

_CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_MONEY = ("amount", "currency", "customer", "payment_method", "capture_method", "setup_future_usage")
_TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")


def check_amount(amount: int, currency: str) -> None:
    """What Stripe accepts as an amount."""
    if currency.lower() not in money.CURRENCIES:
        known = ", ".join(sorted(money.CURRENCIES))
        raise invalid(
            "currency", f"Invalid currency: {currency.lower()}. Stripe currently supports these currencies: {known}"
        )
    if amount < 0:
        raise invalid("amount", "Invalid positive integer", "parameter_invalid_integer")
    if amount > money.MAXIMUM:
        most = money.shown(money.MAXIMUM, currency.lower())
        raise invalid("amount", f"Amount must be no more than {most}", "amount_too_large")
    least = money.MINIMUM.get(currency.lower(), 50)
    if amount < least:
        text = f"Amount must be at least {money.shown(least, currency.lower())}"
        text = text if text.endswith(currency.lower()) else f"{text} {currency.lower()}"
        raise invalid("amount", text, "amount_too_small")
    if currency.lower() in money.THREE_DECIMAL and amount % 10:
        raise invalid("amount", "Amounts in three-decimal currencies must end with 0", "invalid_amount")


def check_types(listed: Iterable[str]) -> None:
    """What this mock knows as payment methods."""
    other = next((each for each in listed if each not in ("card", "link")), None)
    if other is not None:
        text = f'The payment method type "{other}" is invalid. This mock knows "card" and "link".'
        raise invalid("payment_method_types", text, "payment_intent_invalid_parameter")


class Payments(Resource):
    """Operations of payments."""

    async def create_payment_intent(
        self, context: RequestContext, *, body: models.PaymentIntentCreate, **_: Any
    ) -> PaymentIntent:
        """Create, and confirm when asked."""
        given = body.to_dict()
        account = self.account
        check_amount(given["amount"], given["currency"])
        check_types(given.get("payment_method_types") or ())
        if given.get("off_session") not in (None, False) and not given.get("confirm"):
            raise invalid("off_session", "You cannot set `off_session` unless `confirm` is true.")
        intent = objects.payment_intent(account, given)
        intent["metadata"] = merged({}, given.get("metadata"))
        if intent["customer"]:
            account.customer(intent["customer"])
        self._take_method(intent, given)
        account.add(intent)
        account.emit("payment_intent.created", intent)
        if given.get("confirm"):
            payments.confirm(account, intent, given)
        return PaymentIntent.from_dict(self.shown(intent, body.expand))

    def _take_method(self, intent: Object, given: Mapping[str, Any]) -> None:
        if given.get("payment_method_data") is not None:
            method = methods.create(self.account, given["payment_method_data"], "payment_method_data")
            payments.set_method(self.account, intent, method, "payment_method_data")
        elif given.get("payment_method"):
            method = methods.resolve(self.account, given["payment_method"], "payment_method")
            payments.set_method(self.account, intent, method, "payment_method")
        elif given.get("payment_method") == "" and intent["status"] != "requires_capture":
            intent["payment_method"], intent["status"] = None, "requires_payment_method"

    async def get_payment_intent(
        self, context: RequestContext, *, intent: str, client_secret: str | None, expand: list[str] | None, **_: Any
    ) -> PaymentIntent:
        """Read one."""
        found = self.account.find("payment_intent", intent, "intent", status=404)
        if client_secret is not None and client_secret != found["client_secret"]:
            text = "The client_secret provided does not match the client_secret associated with this PaymentIntent."
            raise invalid("client_secret", text, "payment_intent_invalid_parameter")
        return PaymentIntent.from_dict(self.shown(found, expand))

    async def list_payment_intents(
        self, context: RequestContext, *, customer: str | None, created: Any, **page: Any
    ) -> PaymentIntentList:
        """One page."""
        wanted = created_within(created)
        found = [
            each
            for each in self.account.state.payment_intents.values()
            if wanted(each) and customer in (None, each["customer"])
        ]
        return PaymentIntentList.from_dict(self.page(found, context, "payment_intent", page))

    async def update_payment_intent(
        self, context: RequestContext, *, intent: str, body: models.PaymentIntentUpdate | None, **_: Any
    ) -> PaymentIntent:
        """Change one."""
        account = self.account
        found = account.find("payment_intent", intent, "intent", status=404)
        given: dict[str, Any] = body.to_dict() if body else {}
        self._check_changeable(found, given)
        # What is wrong is found in the copy, so that nothing is half changed.
        changed = dict(found)
        self._change_money(changed, given)
        if "customer" in given:
            customer = given["customer"] or None
            changed["customer"] = customer and account.customer(customer)["id"]
        if "shipping" in given:
            changed["shipping"] = objects.shipping(given["shipping"] or None)
        changed |= {key: given[key] or None for key in _TEXTS if key in given}
        changed["metadata"] = merged(found["metadata"], given.get("metadata"))
        self._take_method(changed, given)
        found |= changed
        return PaymentIntent.from_dict(self.shown(found, body.expand if body else None))

    def _change_money(self, found: Object, given: Mapping[str, Any]) -> None:
        if "amount" in given or "currency" in given:
            amount, currency = given.get("amount", found["amount"]), given.get("currency", found["currency"])
            check_amount(amount, currency)
            found |= {"amount": amount, "currency": currency.lower()}
        if "payment_method_types" in given:
            check_types(given["payment_method_types"])
        kept = ("capture_method", "application_fee_amount", "payment_method_types", "transfer_data")
        found |= {key: given[key] for key in kept if key in given}
        if "setup_future_usage" in given:
            usage = given["setup_future_usage"]
            found["setup_future_usage"] = None if usage in ("", "none") else usage
        found["payment_method_options"] = objects.method_options(given, found["payment_method_options"])

    def _check_changeable(self, found: Object, given: Mapping[str, Any]) -> None:
        touched = next((key for key in _MONEY if key in given), None)
        if touched and found["status"] not in _CHANGEABLE:
            text = (
                f"This PaymentIntent's {touched} could not be updated because it has a status of {found['status']}. You"
            )
            allowed = ", ".join(_CHANGEABLE)
            text += f" may only update the {touched} of a PaymentIntent with one of the following statuses: {allowed}."
            raise payments.unexpected_state(found, text)

    async def confirm_payment_intent(
        self, context: RequestContext, *, intent: str, body: models.PaymentIntentConfirm | None, **_: Any
    ) -> PaymentIntent:
        """Charge or authorize."""
        found = self.account.find("payment_intent", intent, "intent", status=404)
        given = body.to_dict() if body else {}
        if found["status"] in payments.CONFIRMABLE:
            self._take_method(found, given)
            for key in ("receipt_email", "capture_method"):
                found[key] = given.get(key, found[key])
            if given.get("setup_future_usage"):
                found["setup_future_usage"] = given["setup_future_usage"]
            if given.get("shipping"):
                found["shipping"] = objects.shipping(given["shipping"])
        payments.confirm(self.account, found, given)
        return PaymentIntent.from_dict(self.shown(found, body.expand if body else None))

    async def capture_payment_intent(
        self, context: RequestContext, *, intent: str, body: models.PaymentIntentCapture | None, **_: Any
    ) -> PaymentIntent:
        """Take what was authorized."""
        found = self.account.find("payment_intent", intent, "intent", status=404)
        amount = body.amount_to_capture if body else None
        final = body is None or body.final_capture is not False
        metadata = merged(found["metadata"], body.to_dict().get("metadata") if body else None)
        payments.capture(self.account, found, amount, final=final, metadata=metadata)
        return PaymentIntent.from_dict(self.shown(found, body.expand if body else None))

    async def cancel_payment_intent(
        self, context: RequestContext, *, intent: str, body: models.PaymentIntentCancel | None, **_: Any
    ) -> PaymentIntent:
        """End it."""
        found = self.account.find("payment_intent", intent, "intent", status=404)
        reason = body.to_dict().get("cancellation_reason") if body else None
        payments.cancel(self.account, found, reason)
        return PaymentIntent.from_dict(self.shown(found, body.expand if body else None))

    async def get_charge(self, context: RequestContext, *, charge: str, expand: list[str] | None, **_: Any) -> Charge:
        """Read one."""
        return Charge.from_dict(self.shown(self.account.find("charge", charge, "charge", status=404), expand))

    async def list_charges(
        self,
        context: RequestContext,
        *,
        customer: str | None,
        payment_intent: str | None,
        transfer_group: str | None,
        created: Any,
        **page: Any,
    ) -> ChargeList:
        """One page."""
        wanted = created_within(created)
        found = [
            each
            for each in self.account.state.charges.values()
            if wanted(each)
            and customer in (None, each["customer"])
            and payment_intent in (None, each["payment_intent"])
            and transfer_group in (None, each["transfer_group"])
        ]
        return ChargeList.from_dict(self.page(found, context, "charge", page))

    async def update_charge(
        self, context: RequestContext, *, charge: str, body: models.ChargeUpdate | None, **_: Any
    ) -> Charge:
        """Change one."""
        found = self.account.find("charge", charge, "charge", status=404)
        given = body.to_dict() if body else {}
        if given.get("customer") and found["customer"] not in (None, given["customer"]):
            raise StripeError(400, "You cannot change the customer of a charge.", param="customer")
        before = dict(found)
        found["metadata"] = merged(found["metadata"], given.get("metadata"))
        for key in ("customer", "description", "receipt_email", "transfer_group"):
            found[key] = given.get(key, found[key]) or None
        if "shipping" in given:
            found["shipping"] = objects.shipping(given["shipping"] or None)
        if given.get("fraud_details"):
            report = given["fraud_details"].get("user_report")
            found["fraud_details"] = {"user_report": report} if report else {}
        self.account.emit("charge.updated", found, before)
        return Charge.from_dict(self.shown(found, body.expand if body else None))

    async def get_balance_transaction(
        self, context: RequestContext, *, transaction: str, expand: list[str] | None, **_: Any
    ) -> BalanceTransaction:
        """Read one."""
        found = self.account.find("balance_transaction", transaction, "id", status=404)
        return BalanceTransaction.from_dict(self.shown(found, expand))
