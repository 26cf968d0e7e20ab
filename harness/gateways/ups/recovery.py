"""Labels of earlier shipments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shop.external.ups.http.models import (
    LabelRecoveryRequest,
    LabelRecoveryRequestEnvelope,
    LabelRecoveryResponseEnvelope,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.parcels.journey import CANCELLED, Shipment
from harness.gateways.ups.catalog import LABEL_FORMATS
from harness.gateways.ups.errors import refused
from harness.gateways.ups.numbers import is_number
from harness.gateways.ups.shipping import coded, reference_of
from harness.gateways.ups.voiding import Voiding


class Recovery(Voiding):
    """`/api/labels`."""

    async def recover_label(
        self,
        context: RequestContext,
        *,
        version: str,
        trans_id: str | None,
        transaction_src: str | None,
        body: LabelRecoveryRequestEnvelope,
    ) -> LabelRecoveryResponseEnvelope:
        """By a tracking number, or by a reference with the shipper's number: then the newest shipment's."""
        request = body.label_recovery_request
        shipment, pieces = self._recovered(request)
        if shipment["stage"] == CANCELLED:
            raise refused("300033")
        wanted = request.label_specification
        image = wanted.label_image_format.code.upper() if wanted is not None else shipment["image"]
        if image not in LABEL_FORMATS:
            raise refused("120702")
        self.state.recoveries += 1
        self.world.ledger.record(
            "label_recovery",
            id=f"recovery-{self.state.recoveries}-{shipment['number']}",
            reference=reference_of(shipment),
            data={"shipment": shipment["number"], "format": image},
        )
        results = [self._result(shipment, position, image) for position in pieces]
        response = {
            "Response": self.response(request.request),
            "ShipmentIdentificationNumber": shipment["number"],
            "LabelResults": results,
        }
        return LabelRecoveryResponseEnvelope.from_dict({"LabelRecoveryResponse": response})

    def _result(self, shipment: Shipment, position: int, image: str) -> dict[str, Any]:
        return {
            "TrackingNumber": shipment["pieces"][position - 1]["number"],
            "LabelImage": {
                "LabelImageFormat": coded(image),
                "GraphicImage": self.image(shipment, position, image),
            },
        }

    def _recovered(self, request: LabelRecoveryRequest) -> tuple[Shipment, Sequence[int]]:
        """A shipment, and which of its packages."""
        number, values = request.tracking_number, request.reference_values
        if number:
            if not is_number(number.upper()):
                raise refused("300014")
            shipment = self.find(number.upper())
            if shipment is None:
                raise refused("300007")
            numbers = [piece["number"] for piece in shipment["pieces"]]
            whole = range(1, len(numbers) + 1)
            return shipment, whole if number.upper() == shipment["number"] else [numbers.index(number.upper()) + 1]
        if values is None:
            raise refused("300005")
        found = [
            shipment
            for shipment in self.by_reference(values.reference_number.value)
            if shipment["account"] == values.shipper_number.upper()
        ]
        if not found:
            raise refused("300007")
        return found[-1], range(1, len(found[-1]["pieces"]) + 1)
