"""What a Stripe account holds: objects as the API shows them, without anything expanded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel

Object: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Remembered:
    """The first use of an idempotency key. `model` or `error` is None while it runs."""

    path: str
    parameters: tuple[tuple[str, str], ...]
    at: float
    request_id: str
    model: BaseModel | None = None
    status: int = 200
    error: Object | None = None

    @property
    def running(self) -> bool:
        """Whether there is no result yet."""
        return self.model is None and self.error is None


@dataclass(slots=True)
class State:
    """Objects by id, the oldest first."""

    payment_intents: dict[str, Object] = field(default_factory=dict)
    charges: dict[str, Object] = field(default_factory=dict)
    refunds: dict[str, Object] = field(default_factory=dict)
    disputes: dict[str, Object] = field(default_factory=dict)
    balance_transactions: dict[str, Object] = field(default_factory=dict)
    customers: dict[str, Object] = field(default_factory=dict)
    payment_methods: dict[str, Object] = field(default_factory=dict)
    events: dict[str, Object] = field(default_factory=dict)
    webhook_endpoints: dict[str, Object] = field(default_factory=dict)
    behaviours: dict[str, str] = field(default_factory=dict)
    """Payment method -> the test card that it is."""
    secrets: dict[str, list[str]] = field(default_factory=dict)
    """Webhook endpoint -> its signing secrets, the newest first."""
    remembered: dict[tuple[str, str, str], Remembered] = field(default_factory=dict)
    """(API key, account, idempotency key) -> the first use."""

    def table(self, kind: str) -> dict[str, Object]:
        """The objects of a kind, named as in `object`."""
        found: dict[str, Object] = getattr(self, _TABLES[kind])
        return found

    def holder(self, id: str) -> Object | None:
        """Any object by its id."""
        table = _PREFIXES.get(id.partition("_")[0])
        return None if table is None else getattr(self, table).get(id)


_TABLES = {
    "payment_intent": "payment_intents",
    "charge": "charges",
    "refund": "refunds",
    "dispute": "disputes",
    "balance_transaction": "balance_transactions",
    "customer": "customers",
    "payment_method": "payment_methods",
    "event": "events",
    "webhook_endpoint": "webhook_endpoints",
}
_PREFIXES = {
    "pi": "payment_intents",
    "ch": "charges",
    "re": "refunds",
    "pyr": "refunds",
    "dp": "disputes",
    "du": "disputes",
    "txn": "balance_transactions",
    "cus": "customers",
    "pm": "payment_methods",
    "evt": "events",
    "we": "webhook_endpoints",
}
SPELLED = {
    "payment_intent": "payment_intent",
    "charge": "charge",
    "refund": "refund",
    "dispute": "dispute",
    "balance_transaction": "balance transaction",
    "customer": "customer",
    "payment_method": "PaymentMethod",
    "event": "event",
    "webhook_endpoint": "webhook endpoint",
}
"""How Stripe's messages name the kinds."""
