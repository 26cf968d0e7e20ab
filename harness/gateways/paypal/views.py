"""Resources as PayPal shows them, whole or `return=minimal`, with links to the mock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from harness.gateways.paypal.money import fee, money
from harness.gateways.paypal.state import Authorization, Capture, Json, Order, Refund, State, Webhook

Made = TypeVar("Made", Authorization, Capture, Refund)
_PROTECTION = {
    "status": "ELIGIBLE",
    "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
}
_MERCHANT = {"email_address": "merchant@example.com", "merchant_id": "C7CYMKZDG8D6E"}


def timestamp(at: float) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Views:
    """`url`: where the mock listens."""

    url: str

    def order(self, order: Order, state: State, *, minimal: bool = False) -> Json:
        """The order. Minimal: id, status and links, with the payments once there are some, as the sandbox answers."""
        head = {"id": order.id, "status": order.status}
        links = self._order_links(order)
        units = [self._unit(order, unit, state) for unit in order.units]
        if minimal:
            shown = [_some(unit, "reference_id", "shipping", "payments") for unit in units]
            paid = {"purchase_units": shown} if any("payments" in unit for unit in shown) else {}
            return {**head, **_present({"payment_source": order.source, "payer": order.payer}), **paid, "links": links}
        return {
            **_present({
                "create_time": timestamp(order.created),
                "update_time": timestamp(order.updated),
                **head,
                "intent": order.intent,
                "processing_instruction": order.instruction,
                "payment_source": order.source,
                "payer": order.payer,
            }),
            "purchase_units": units,
            "links": links,
        }  # fmt: skip

    def authorization(self, found: Authorization, *, minimal: bool = False, within_order: bool = False) -> Json:
        """The authorization; inside an order without what the order says."""
        here = self._link(f"/v2/payments/authorizations/{found.id}", "self", "GET")
        links = [here]
        if found.status in ("CREATED", "PARTIALLY_CAPTURED", "PENDING"):
            actions = ("capture", "reauthorize") if found.parent else ("capture", "void", "reauthorize")
            links += [self._link(f"/v2/payments/authorizations/{found.id}/{name}", name, "POST") for name in actions]
        links.append(self._up(found.order_id))
        if minimal:
            return {"id": found.id, "status": found.status, "links": links}
        related = {} if within_order else _related(order_id=found.order_id)
        return {
            **_payment(found),
            "seller_protection": _PROTECTION,
            "expiration_time": timestamp(found.expires),
            **related,
            "links": links,
        }

    def capture(self, found: Capture, *, minimal: bool = False, within_order: bool = False) -> Json:
        """The capture; inside an order without what the order says."""
        place = f"/v2/payments/captures/{found.id}"
        links = [self._link(place, "self", "GET"), self._link(f"{place}/refund", "refund", "POST")]
        if found.authorization_id:
            links.append(self._link(f"/v2/payments/authorizations/{found.authorization_id}", "up", "GET"))
        else:
            links.append(self._up(found.order_id))
        if minimal:
            return {"id": found.id, "status": found.status, "links": links}
        related = _related(order_id=found.order_id, authorization_id=found.authorization_id)
        code = {"response_code": found.response_code}
        return {
            **_payment(found),
            "final_capture": found.final,
            "disbursement_mode": "INSTANT",
            "seller_protection": _PROTECTION,
            **_present({"note_to_payer": found.note, "processor_response": code if found.response_code else None}),
            **_receivable(found),
            **({} if within_order else related),
            "links": links,
        }

    def refund(self, found: Refund, *, minimal: bool = False) -> Json:
        """The refund."""
        here = self._link(f"/v2/payments/refunds/{found.id}", "self", "GET")
        links = [here, self._link(f"/v2/payments/captures/{found.capture_id}", "up", "GET")]
        if minimal:
            return {"id": found.id, "status": "COMPLETED", "links": links}
        amount = money(found.amount, found.currency)
        return {
            "id": found.id,
            "amount": amount,
            **_present({"invoice_id": found.invoice_id, "custom_id": found.custom_id, "note_to_payer": found.note}),
            "seller_payable_breakdown": {
                "gross_amount": amount,
                "paypal_fee": money(0, found.currency),
                "net_amount": amount,
                "total_refunded_amount": money(found.total, found.currency),
            },
            "status": "COMPLETED",
            "create_time": timestamp(found.created),
            "update_time": timestamp(found.created),
            "links": links,
        }

    def webhook(self, found: Webhook) -> Json:
        """The subscription."""
        place = f"/v1/notifications/webhooks/{found.id}"
        return {
            "id": found.id,
            "url": found.url,
            "event_types": [{"name": name, "description": f"{name} occurs."} for name in found.events],
            "links": [self._link(place, "self", "GET"), self._link(place, "delete", "DELETE")],
        }

    def event_links(self, event_id: str) -> list[Json]:
        """Where an event is shown and sent again."""
        place = f"/v1/notifications/webhooks-events/{event_id}"
        return [self._link(place, "self", "GET"), self._link(f"{place}/resend", "resend", "POST")]

    def _unit(self, order: Order, unit: Mapping[str, Any], state: State) -> Json:
        def belong(made: Iterable[Made]) -> Iterator[Made]:
            return (each for each in made if each.reference_id == unit["reference_id"])

        held = belong(state.authorizations[id] for id in order.authorizations)
        taken = belong(state.captures[id] for id in order.captures)
        given = belong(state.refunds[id] for id in order.refunds)
        payments = {
            "authorizations": [self.authorization(each, within_order=True) for each in held],
            "captures": [self.capture(each, within_order=True) for each in taken],
            "refunds": [self.refund(each) for each in given],
        }
        made = {name: some for name, some in payments.items() if some}
        return {"payee": _MERCHANT, **unit, **({"payments": made} if made else {})}

    def _order_links(self, order: Order) -> list[Json]:
        place = f"/v2/checkout/orders/{order.id}"
        act = "capture" if order.intent == "CAPTURE" else "authorize"
        links = [self._link(place, "self", "GET")]
        if order.status == "PAYER_ACTION_REQUIRED":
            links.append(self._link(f"/checkoutnow?token={order.id}", "payer-action", "GET"))
        if order.status == "CREATED":
            links.append(self._link(f"/checkoutnow?token={order.id}", "approve", "GET"))
        if order.status in ("CREATED", "APPROVED"):
            links.append(self._link(place, "update", "PATCH"))
            links.append(self._link(f"{place}/{act}", act, "POST"))
        return links

    def _up(self, order_id: str) -> Json:
        return self._link(f"/v2/checkout/orders/{order_id}", "up", "GET")

    def _link(self, path: str, rel: str, method: str) -> Json:
        return {"href": self.url + path, "rel": rel, "method": method}


def _payment(found: Authorization | Capture) -> Json:
    reason = {"reason": found.reason} if found.reason else None
    return _present({
        "id": found.id,
        "status": found.status,
        "status_details": reason,
        "amount": money(found.amount, found.currency),
        "invoice_id": found.invoice_id,
        "custom_id": found.custom_id,
        "create_time": timestamp(found.created),
        "update_time": timestamp(found.updated),
    })  # fmt: skip


def _receivable(found: Capture) -> Json:
    if found.status in ("DECLINED", "PENDING"):
        return {}
    kept = fee(found.amount, found.currency)
    return {
        "seller_receivable_breakdown": {
            "gross_amount": money(found.amount, found.currency),
            "paypal_fee": money(kept, found.currency),
            "net_amount": money(found.amount - kept, found.currency),
        }
    }


def _related(**ids: str | None) -> Json:
    return {"supplementary_data": {"related_ids": _present(ids)}, "payee": _MERCHANT}


def _present(members: Mapping[str, Any]) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def _some(members: Mapping[str, Any], *names: str) -> Json:
    return {name: members[name] for name in names if name in members}
