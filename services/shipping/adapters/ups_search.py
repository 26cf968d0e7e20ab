"""The shipment that UPS has booked for a key, if there is one, and its labels."""

from __future__ import annotations

import uuid
from datetime import timedelta

from shop.external.ups.http.client import Client
from shop.external.ups.http.models import LabelRecoveryResponseEnvelope
from shop.runtime.http_client import CallOptions

from services.platform.gateways.calling import Caller
from services.platform.gateways.errors import GatewayError, UnknownReference
from services.shipping.adapters.references import check_age, days_of, reference_of
from services.shipping.adapters.ups_answers import labelled, recovered_of
from services.shipping.adapters.ups_errors import GATEWAY, NOT_FOUND
from services.shipping.adapters.ups_requests import recovery_request
from services.shipping.domain import Earlier, Shipment, ShipmentRequest

HISTORY = timedelta(days=120)
"""How long UPS keeps tracking data (developer.ups.com, Tracking)."""
VERSION = "v1"
"""Of label recovery."""
SOURCE = "shipping"
"""Who we are, in `transactionSrc`."""


class UpsSearch:
    """Looks shipments up by the reference of their key."""

    def __init__(self, client: Client, caller: Caller, options: CallOptions) -> None:
        self._client = client
        self._caller = caller
        self._options = options

    async def find(self, request: ShipmentRequest, earlier: Earlier | None) -> Shipment | None:
        """None is UPS's own word for it that there is none; everything else that is no shipment is an error."""
        first, last = days_of(earlier)
        try:
            answer = await self._caller.call(
                "find",
                lambda: self._client.track_by_reference(
                    reference_of(request.key),
                    from_pick_up_date=f"{first:%Y%m%d}",
                    to_pick_up_date=f"{last:%Y%m%d}",
                    ref_num_type="SmallPackage",
                    trans_id=uuid.uuid4().hex,
                    transaction_src=SOURCE,
                    options=self._options,
                ),
                repeatable=True,
            )
        except UnknownReference as problem:
            if problem.code != NOT_FOUND:
                raise
            check_age(GATEWAY, earlier, HISTORY)
            return None
        return await self._with_labels(recovered_of(answer, request), request)

    async def _with_labels(self, shipment: Shipment, request: ShipmentRequest) -> Shipment:
        """With what UPS gives again: by the number of the shipment, then by those of its parcels."""
        for number in (shipment.id, *shipment.tracking_numbers):
            if not shipment.labels_missing:
                break
            try:
                answer = await self._recovered(number, request)
                shipment = labelled(shipment, answer, request.label_format)
            except GatewayError:
                break
        return shipment

    async def _recovered(self, number: str, request: ShipmentRequest) -> LabelRecoveryResponseEnvelope:
        body = recovery_request(number, request.label_format)
        return await self._caller.call(
            "find",
            lambda: self._client.recover_label(VERSION, body, transaction_src=SOURCE, options=self._options),
            repeatable=True,
        )
