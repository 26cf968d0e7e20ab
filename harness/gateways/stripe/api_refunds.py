"""Refunds and disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shop.external.stripe.http.models import Dispute, DisputeList, Refund, RefundList

from harness.gateways.stripe import disputes, refunds
from harness.gateways.stripe.errors import StripeError
from harness.gateways.stripe.metadata import merged
from harness.gateways.stripe.resource import Resource
from harness.gateways.stripe.shown import created_within

if TYPE_CHECKING:
    from shop.external.stripe.http import models
    from shop.runtime.http_requests import RequestContext


class Refunds(Resource):
    """Operations of refunds and disputes."""

    async def create_refund(self, context: RequestContext, *, body: models.RefundCreate | None, **_: Any) -> Refund:
        """Give money back."""
        found = refunds.create(self.account, body.to_dict() if body else {})
        return Refund.from_dict(self.shown(found, body.expand if body else None))

    async def get_refund(self, context: RequestContext, *, refund: str, expand: list[str] | None, **_: Any) -> Refund:
        """Read one."""
        return Refund.from_dict(self.shown(self.account.find("refund", refund, "refund", status=404), expand))

    async def list_refunds(
        self, context: RequestContext, *, charge: str | None, payment_intent: str | None, created: Any, **page: Any
    ) -> RefundList:
        """One page."""
        wanted = created_within(created)
        found = [
            each
            for each in self.account.state.refunds.values()
            if wanted(each) and charge in (None, each["charge"]) and payment_intent in (None, each["payment_intent"])
        ]
        return RefundList.from_dict(self.page(found, context, "refund", page))

    async def update_refund(
        self, context: RequestContext, *, refund: str, body: models.RefundUpdate | None, **_: Any
    ) -> Refund:
        """Change its metadata."""
        found = self.account.find("refund", refund, "refund", status=404)
        before = dict(found)
        if body is not None:
            found["metadata"] = merged(found["metadata"], body.to_dict().get("metadata"))
        self.account.emit("refund.updated", found, before)
        return Refund.from_dict(self.shown(found, body.expand if body else None))

    async def cancel_refund(
        self, context: RequestContext, *, refund: str, body: models.OnlyExpand | None, **_: Any
    ) -> Refund:
        """Cancel one that needs action; cards have none."""
        found = self.account.find("refund", refund, "refund", status=404)
        raise StripeError(400, f"Refunds with status {found['status']} cannot be canceled: only `requires_action` can.")

    async def get_dispute(
        self, context: RequestContext, *, dispute: str, expand: list[str] | None, **_: Any
    ) -> Dispute:
        """Read one."""
        return Dispute.from_dict(self.shown(self.account.find("dispute", dispute, "dispute", status=404), expand))

    async def list_disputes(
        self, context: RequestContext, *, charge: str | None, payment_intent: str | None, created: Any, **page: Any
    ) -> DisputeList:
        """One page."""
        wanted = created_within(created)
        found = [
            each
            for each in self.account.state.disputes.values()
            if wanted(each) and charge in (None, each["charge"]) and payment_intent in (None, each["payment_intent"])
        ]
        return DisputeList.from_dict(self.page(found, context, "dispute", page))

    async def update_dispute(
        self, context: RequestContext, *, dispute: str, body: models.DisputeUpdate | None, **_: Any
    ) -> Dispute:
        """Add evidence, and submit it when asked; evidence that is given is submitted unless `submit` is false."""
        found = self.account.find("dispute", dispute, "dispute", status=404)
        given = body.to_dict() if body else {}
        if found["status"] not in disputes.OPEN:
            raise StripeError(400, "This dispute is already closed.")
        evidence = given.get("evidence") or {}
        unknown = next((key for key in evidence if key not in found["evidence"]), None)
        if unknown:
            param = f"evidence[{unknown}]"
            raise StripeError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
        before = {**found, "evidence_details": dict(found["evidence_details"])}
        found["metadata"] = merged(found["metadata"], given.get("metadata"))
        found["evidence"] = {**found["evidence"], **evidence}
        if given.get("submit", bool(evidence)):
            disputes.submit(self.account, found, evidence)
        self.account.emit("charge.dispute.updated", found, before)
        return Dispute.from_dict(self.shown(found, body.expand if body else None))

    async def close_dispute(
        self, context: RequestContext, *, dispute: str, body: models.OnlyExpand | None, **_: Any
    ) -> Dispute:
        """Accept it as lost."""
        found = self.account.find("dispute", dispute, "dispute", status=404)
        disputes.decide(self.account, found, won=False)
        return Dispute.from_dict(self.shown(found, body.expand if body else None))
