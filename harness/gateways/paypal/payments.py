"""Money: authorized, captured, voided, given back. Every rule is checked before anything changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.gateways.paypal.desk import Desk
from harness.gateways.paypal.errors import Refusal
from harness.gateways.paypal.money import minor_units
from harness.gateways.paypal.state import Authorization, Capture, Order, Refund
from harness.gateways.paypal.verdicts import Judge, Verdict

DAY = 86400.0
AUTHORIZATION_LIVES = 29 * DAY
HONOR_PERIOD = 3 * DAY
REFUNDABLE_FOR = 180 * DAY
_LEDGER_STATUS = {"COMPLETED": "succeeded", "PENDING": "pending", "DECLINED": "declined"}


class Payments:
    """Payments v2, without HTTP. `key` is the `PayPal-Request-Id` of the request, for the ledger."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # ---- orders

    def authorize(self, order: Order, verdict: Verdict, key: str) -> Authorization:
        """Reserve the amount of an order, which has one purchase unit."""
        unit = order.units[0]
        now = self._desk.world.clock.now()
        made = Authorization(
            id=self._desk.world.ids.upper(17),
            order_id=order.id,
            reference_id=unit["reference_id"],
            amount=minor_units(unit["amount"], ""),
            currency=order.currency,
            status={"COMPLETED": "CREATED", "DECLINED": "DENIED"}.get(verdict.status, "PENDING"),
            invoice_id=unit.get("invoice_id"),
            custom_id=unit.get("custom_id"),
            reason=verdict.reason,
            expires=now + AUTHORIZATION_LIVES,
            created=now,
            updated=now,
        )
        self._keep_authorization(order, made, key)
        return made

    def capture_units(self, order: Order, verdict: Verdict, key: str) -> list[Capture]:
        """Take the amounts of all purchase units of an order."""
        for unit in order.units:
            self._check_invoice(unit.get("invoice_id"), order.id)
        captures = [self._capture_of(order, unit, minor_units(unit["amount"], "")) for unit in order.units]
        for capture in captures:
            self._keep_capture(order, capture, verdict, key)
        return captures

    # ---- authorizations

    def authorization(self, authorization_id: str) -> Authorization:
        """404 when there is none."""
        found = self._desk.state.authorizations.get(authorization_id)
        if found is None:
            raise Refusal.unknown("authorization_id", authorization_id)
        return found

    def capture(self, authorization_id: str, request: Mapping[str, Any], judge: Judge, key: str) -> Capture:
        """Take a part of an authorization, or what is left of it."""
        state = self._desk.state
        found = self.authorization(authorization_id)
        root = state.authorizations[found.parent] if found.parent else found
        self._check_capturable(found, root)
        amount = self._captured_amount(found, root, request)
        order = state.orders[found.order_id]
        invoice_id = request.get("invoice_id", found.invoice_id)
        self._check_invoice(invoice_id, order.id)
        verdict = judge()
        unit = {"reference_id": found.reference_id, "invoice_id": invoice_id, "custom_id": found.custom_id}
        made = self._capture_of(order, unit, amount)
        made.authorization_id = found.id
        made.final = bool(request.get("final_capture", False))
        made.note = request.get("note_to_payer")
        if verdict.status != "DECLINED":
            root.captured += amount
            done = made.final or root.captured >= found.amount
            for one in {found.id: found, root.id: root}.values():
                one.status = "CAPTURED" if done else "PARTIALLY_CAPTURED"
                one.updated = made.created
            self._desk.world.ledger.update(found.id, status="succeeded", captured=root.captured)
        self._keep_capture(order, made, verdict, key)
        return made

    def void(self, authorization_id: str, key: str) -> Authorization:
        """Give back what was not captured."""
        found = self.authorization(authorization_id)
        if found.parent:
            raise Refusal.of("CANNOT_BE_VOIDED")
        if found.status == "CAPTURED":
            raise Refusal.of("PREVIOUSLY_CAPTURED")
        if found.status in ("VOIDED", "DENIED"):
            raise Refusal.of("PREVIOUSLY_VOIDED")
        desk, order = self._desk, self._desk.state.orders[found.order_id]
        now = desk.world.clock.now()
        for one in (desk.state.authorizations[id] for id in order.authorizations):
            if id_of_root(one) == found.id:
                one.status, one.updated = "VOIDED", now
        if not order.captures:
            order.status, order.updated = "VOIDED", now
        left = found.amount - found.captured
        self._record("void", f"void-{found.id}", found, left, key, {"authorization": found.id})
        desk.world.ledger.update(found.id, status="voided")
        desk.events.publish("PAYMENT.AUTHORIZATION.VOIDED", desk.views.authorization(found))
        if order.status == "VOIDED":
            desk.events.publish("CHECKOUT.ORDER.VOIDED", desk.views.order(order, desk.state))
        return found

    def reauthorize(self, authorization_id: str, request: Mapping[str, Any], key: str) -> Authorization:
        """Reserve again, once, from day 4 to day 29."""
        desk, found = self._desk, self.authorization(authorization_id)
        self._check_capturable(found, found)
        amount = found.amount
        if "amount" in request:
            amount = minor_units(request["amount"], "/amount")
            if request["amount"]["currency_code"] != found.currency:
                raise Refusal.of("AUTH_CURRENCY_MISMATCH", field="/amount/currency_code", location="body")
            if amount * 100 > found.amount * 115:
                raise Refusal.of("AUTHORIZATION_AMOUNT_EXCEEDED", field="/amount/value", location="body")
        now = desk.world.clock.now()
        if found.parent or found.renewed:
            raise Refusal.of("REAUTHORIZATION_NOT_SUPPORTED")
        if now < found.created + HONOR_PERIOD:
            raise Refusal.of("REAUTHORIZATION_TOO_SOON")
        found.renewed = True
        made = Authorization(
            id=desk.world.ids.upper(17),
            order_id=found.order_id,
            reference_id=found.reference_id,
            amount=amount,
            currency=found.currency,
            status="CREATED",
            invoice_id=found.invoice_id,
            custom_id=found.custom_id,
            expires=found.expires,
            created=now,
            updated=now,
            parent=found.id,
        )
        desk.world.ledger.update(found.id, status="reauthorized")
        self._keep_authorization(desk.state.orders[found.order_id], made, key)
        return made

    # ---- captures

    def captured(self, capture_id: str) -> Capture:
        """404 when there is none."""
        found = self._desk.state.captures.get(capture_id)
        if found is None:
            raise Refusal.unknown("capture_id", capture_id)
        return found

    def settle(self, capture: Capture, status: str) -> None:
        """Let a pending capture end: COMPLETED or DECLINED."""
        desk = self._desk
        capture.status, capture.reason, capture.updated = status, None, desk.world.clock.now()
        desk.world.ledger.update(capture.id, status=_LEDGER_STATUS[status])
        self._announce(desk.state.orders[capture.order_id], capture)

    def refund(self, capture_id: str, request: Mapping[str, Any], judge: Judge, key: str) -> Refund:
        """Give back a part of a capture, or what is left of it."""
        desk, capture = self._desk, self.captured(capture_id)
        amount = self._refunded_amount(capture, request)
        invoice_id = request.get("invoice_id")
        if invoice_id is not None and invoice_id in desk.state.refund_invoices:
            raise Refusal.of("DUPLICATE_INVOICE_ID", field="/invoice_id", value=invoice_id, location="body")
        judge()
        capture.refunded += amount
        capture.status = "REFUNDED" if capture.refunded == capture.amount else "PARTIALLY_REFUNDED"
        capture.updated = desk.world.clock.now()
        made = Refund(
            id=desk.world.ids.upper(17),
            capture_id=capture.id,
            order_id=capture.order_id,
            reference_id=capture.reference_id,
            amount=amount,
            currency=capture.currency,
            total=capture.refunded,
            invoice_id=invoice_id or capture.invoice_id,
            custom_id=request.get("custom_id", capture.custom_id),
            note=request.get("note_to_payer"),
            created=capture.updated,
        )
        desk.state.refunds[made.id] = made
        desk.state.orders[capture.order_id].refunds.append(made.id)
        if invoice_id is not None:
            desk.state.refund_invoices.add(invoice_id)
        self._record("refund", made.id, made, amount, key, {"capture": capture.id, "order": capture.order_id})
        desk.events.publish("PAYMENT.CAPTURE.REFUNDED", desk.views.refund(made))
        return made

    def refunded(self, refund_id: str) -> Refund:
        """404 when there is none."""
        found = self._desk.state.refunds.get(refund_id)
        if found is None:
            raise Refusal.unknown("refund_id", refund_id)
        return found

    # ---- rules

    def _check_capturable(self, found: Authorization, root: Authorization) -> None:
        for one in (found, root):
            if one.status in ("VOIDED", "DENIED", "CAPTURED"):
                issue = "AUTHORIZATION_ALREADY_CAPTURED" if one.status == "CAPTURED" else f"AUTHORIZATION_{one.status}"
                raise Refusal.of(issue)
        if self._desk.world.clock.now() >= root.expires:
            raise Refusal.of("AUTHORIZATION_EXPIRED")

    def _captured_amount(self, found: Authorization, root: Authorization, request: Mapping[str, Any]) -> int:
        """All captures together may reach 115 % of the authorization."""
        asked = request.get("amount")
        if asked is None:
            return found.amount - root.captured
        amount = minor_units(asked, "/amount")
        if asked["currency_code"] != found.currency:
            raise Refusal.of("AUTH_CAPTURE_CURRENCY_MISMATCH", field="/amount/currency_code", location="body")
        if (root.captured + amount) * 100 > found.amount * 115:
            raise Refusal.of(
                "MAX_CAPTURE_AMOUNT_EXCEEDED", field="/amount/value", value=asked["value"], location="body"
            )
        return amount

    def _refunded_amount(self, capture: Capture, request: Mapping[str, Any]) -> int:
        if capture.status == "PENDING":
            raise Refusal.of("PENDING_CAPTURE")
        if capture.status in ("DECLINED", "FAILED"):
            raise Refusal.of("REFUND_NOT_ALLOWED")
        left = capture.amount - capture.refunded
        asked = request.get("amount")
        amount = left if asked is None else minor_units(asked, "/amount")
        if asked is not None and asked["currency_code"] != capture.currency:
            raise Refusal.of("REFUND_CAPTURE_CURRENCY_MISMATCH", field="/amount/currency_code", location="body")
        if not left:
            raise Refusal.of("CAPTURE_FULLY_REFUNDED")
        if amount > left:
            value = asked["value"] if asked is not None else ""
            raise Refusal.of("REFUND_AMOUNT_EXCEEDED", field="/amount/value", value=value, location="body")
        if self._desk.world.clock.now() > capture.created + REFUNDABLE_FOR:
            raise Refusal.of("REFUND_TIME_LIMIT_EXCEEDED")
        return amount

    def _check_invoice(self, invoice_id: str | None, order_id: str) -> None:
        """One order for each invoice, which is how new accounts are set up."""
        if invoice_id is not None and self._desk.state.invoices.get(invoice_id, order_id) != order_id:
            raise Refusal.of("DUPLICATE_INVOICE_ID", field="/invoice_id", value=invoice_id, location="body")

    # ---- effects

    def _capture_of(self, order: Order, unit: Mapping[str, Any], amount: int) -> Capture:
        now = self._desk.world.clock.now()
        return Capture(
            id=self._desk.world.ids.upper(17),
            order_id=order.id,
            reference_id=unit["reference_id"],
            authorization_id=None,
            amount=amount,
            currency=order.currency,
            status="COMPLETED",
            invoice_id=unit.get("invoice_id"),
            custom_id=unit.get("custom_id"),
            created=now,
            updated=now,
        )

    def _keep_authorization(self, order: Order, made: Authorization, key: str) -> None:
        desk = self._desk
        desk.state.authorizations[made.id] = made
        order.authorizations.append(made.id)
        status = {"CREATED": "succeeded", "DENIED": "declined"}.get(made.status, "pending")
        self._record("authorization", made.id, made, made.amount, key, {"order": order.id}, status)
        if made.status == "CREATED":
            desk.events.publish("PAYMENT.AUTHORIZATION.CREATED", desk.views.authorization(made))

    def _keep_capture(self, order: Order, made: Capture, verdict: Verdict, key: str) -> None:
        desk = self._desk
        made.status, made.reason, made.response_code = verdict.status, verdict.reason, verdict.response_code
        desk.state.captures[made.id] = made
        order.captures.append(made.id)
        if made.invoice_id is not None and made.status != "DECLINED":
            desk.state.invoices[made.invoice_id] = order.id
        data = {"order": order.id, **({"authorization": made.authorization_id} if made.authorization_id else {})}
        self._record("capture", made.id, made, made.amount, key, data, _LEDGER_STATUS[made.status])
        self._announce(order, made)

    def _announce(self, order: Order, capture: Capture) -> None:
        desk = self._desk
        word = "DENIED" if capture.status == "DECLINED" else capture.status
        desk.events.publish(f"PAYMENT.CAPTURE.{word}", desk.views.capture(capture))
        if self._is_paid(order):
            desk.events.publish("CHECKOUT.ORDER.COMPLETED", desk.views.order(order, desk.state))

    def _is_paid(self, order: Order) -> bool:
        """Whether all units of an order with the intent CAPTURE were captured well."""
        captures: Sequence[Capture] = [self._desk.state.captures[id] for id in order.captures]
        return (
            order.intent == "CAPTURE"
            and len(captures) == len(order.units)
            and all(capture.status == "COMPLETED" for capture in captures)
        )

    def _record(
        self,
        kind: str,
        id: str,
        made: Authorization | Capture | Refund,
        amount: int,
        key: str,
        data: Mapping[str, Any],
        status: str = "succeeded",
    ) -> None:
        reference = made.custom_id or made.invoice_id or made.reference_id
        self._desk.world.ledger.record(
            kind, id=id, amount=amount, currency=made.currency, status=status, reference=reference, key=key, data=data
        )


def id_of_root(authorization: Authorization) -> str:
    """The authorization that a reauthorization renews; an original one is its own."""
    return authorization.parent or authorization.id
