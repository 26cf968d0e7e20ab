"""Orders: created, approved by the payer, changed, paid. Every rule is checked before anything changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.gateways.paypal.amounts import DEFAULT_REFERENCE, check_units
from harness.gateways.paypal.desk import Desk
from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.patching import patched
from harness.gateways.paypal.payments import Payments
from harness.gateways.paypal.sources import (
    check_card,
    experience,
    payer_of,
    pays_at_once,
    shown_source,
    wallet,
)
from harness.gateways.paypal.state import Json, Order
from harness.gateways.paypal.verdicts import GOOD, Judge, Verdict

COMPLETE_ON_APPROVAL = "ORDER_COMPLETE_ON_PAYMENT_APPROVAL"


class Orders:
    """Orders v2, without HTTP. `key` is the `PayPal-Request-Id` of the request, for the ledger."""

    def __init__(self, desk: Desk, payments: Payments) -> None:
        self._desk = desk
        self._payments = payments

    def find(self, order_id: str) -> Order:
        """404 when there is none."""
        found = self._desk.state.orders.get(order_id)
        if found is None:
            raise Refusal.unknown("order_id", order_id)
        return found

    def create(self, request: Mapping[str, Any], judge: Judge, key: str) -> Order:
        """A new order; it is paid at once when its source needs no payer."""
        check_units(request["purchase_units"], request["intent"])
        source = request.get("payment_source")
        now = self._desk.world.clock.now()
        if source is not None:
            check_card(source, now)
        context = experience(request)
        at_once = source is not None and pays_at_once(source)
        made = Order(
            id=self._desk.world.ids.upper(17),
            intent=request["intent"],
            status="CREATED" if source is None else "APPROVED" if at_once else "PAYER_ACTION_REQUIRED",
            units=[{"reference_id": DEFAULT_REFERENCE, **unit} for unit in request["purchase_units"]],
            instruction=request.get("processing_instruction"),
            payer=request.get("payer"),
            source=None if source is None else shown_source(source),
            return_url=context.get("return_url", ""),
            cancel_url=context.get("cancel_url", ""),
            created=now,
            updated=now,
        )
        if at_once:
            self._pay(made, judge, key)
        self._desk.state.orders[made.id] = made
        return made

    def approve(self, order_id: str, email: str | None = None) -> Order:
        """What the payer does on PayPal's page. Approving twice changes nothing; 422 when it is too late."""
        order = self.find(order_id)
        if order.status == "APPROVED":
            return order
        if order.status not in ("CREATED", "PAYER_ACTION_REQUIRED"):
            raise Refusal.of("ORDER_COMPLETED_OR_VOIDED")
        desk = self._desk
        order.status, order.updated = "APPROVED", desk.world.clock.now()
        order.payer = payer_of(email, order.payer)
        order.source = order.source if order.source and "paypal" not in order.source else {"paypal": wallet(email)}
        desk.events.publish("CHECKOUT.ORDER.APPROVED", desk.views.order(order, desk.state))
        if order.instruction == COMPLETE_ON_APPROVAL:
            self._pay(order, _good, "")
        return order

    def capture(self, order_id: str, request: Mapping[str, Any], judge: Judge, key: str) -> Order:
        """Take the money of an approved order."""
        order = self._payable(order_id, "CAPTURE", "ORDER_ALREADY_CAPTURED", request)
        self._pay(order, judge, key, _source(request))
        return order

    def authorize(self, order_id: str, request: Mapping[str, Any], judge: Judge, key: str) -> Order:
        """Reserve the money of an approved order."""
        order = self._payable(order_id, "AUTHORIZE", "ORDER_ALREADY_AUTHORIZED", request)
        self._pay(order, judge, key, _source(request))
        return order

    def patch(self, order_id: str, patches: Sequence[Mapping[str, Any]]) -> None:
        """Change what may be changed of an order that is not paid."""
        order = self.find(order_id)
        if order.status in ("COMPLETED", "VOIDED"):
            raise Refusal.of("ORDER_ALREADY_COMPLETED")
        document = {"intent": order.intent, "purchase_units": order.units}
        changed = patched({**document, **({"payer": order.payer} if order.payer else {})}, patches)
        check_units(changed["purchase_units"], changed["intent"])
        order.intent, order.units, order.payer = changed["intent"], changed["purchase_units"], changed.get("payer")
        order.updated = self._desk.world.clock.now()

    def _payable(self, order_id: str, intent: str, already: str, request: Mapping[str, Any]) -> Order:
        order = self.find(order_id)
        if order.intent != intent:
            raise Refusal.of("ACTION_DOES_NOT_MATCH_INTENT")
        if order.status == "COMPLETED":
            raise Refusal.of(already)
        if order.status == "VOIDED":
            raise Refusal.of("ORDER_COMPLETED_OR_VOIDED")
        source = request.get("payment_source")
        if source is not None:
            check_card(source, self._desk.world.clock.now())
        if order.status != "APPROVED" and (source is None or not pays_at_once(source)):
            raise Refusal.of("ORDER_NOT_APPROVED")
        return order

    def _pay(self, order: Order, judge: Judge, key: str, source: Json | None = None) -> None:
        """Authorize or capture all of the order; what is refused leaves it as it was."""
        verdict = judge()
        before = order.status, order.source, order.updated
        order.status, order.updated = "COMPLETED", self._desk.world.clock.now()
        order.source = source or order.source
        try:
            if order.intent == "AUTHORIZE":
                self._payments.authorize(order, verdict, key)
            else:
                self._payments.capture_units(order, verdict, key)
        except Refusal:
            order.status, order.source, order.updated = before
            raise


def _source(request: Mapping[str, Any]) -> Json | None:
    return shown_source(request["payment_source"]) if "payment_source" in request else None


def _good() -> Verdict:
    return GOOD
