"""Voiding of shipments and of their packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shop.external.ups.http.models import VoidResponseEnvelope
from shop.runtime.http_requests import RequestContext

from harness.gateways.parcels.journey import CANCELLED, Shipment, handed_over
from harness.gateways.ups.desk import refuse_if_scripted
from harness.gateways.ups.errors import refused
from harness.gateways.ups.numbers import is_number
from harness.gateways.ups.shipping import Shipping, reference_of


class Voiding(Shipping):
    """`/api/shipments/.../void`."""

    async def void_shipment(
        self,
        context: RequestContext,
        *,
        version: str,
        shipmentidentificationnumber: str,
        trackingnumber: list[str] | None,
        trans_id: str | None,
        transaction_src: str | None,
    ) -> VoidResponseEnvelope:
        """Only before pickup. With all packages voided the shipment is."""
        number = shipmentidentificationnumber.upper()
        if not is_number(number):
            raise refused("190100")
        shipment = self.state.shipments.get(number)
        if shipment is None:
            raise refused("190102")
        if shipment["stage"] == CANCELLED:
            raise refused("190117")
        if handed_over(shipment):
            raise refused("190101")
        pieces = _chosen(shipment, trackingnumber)
        refuse_if_scripted(context)
        for piece in pieces:
            piece["voided"] = True
        if all(piece["voided"] for piece in shipment["pieces"]):
            self._void(shipment)
        voided = {"Code": "1", "Description": "Voided"}
        response: dict[str, Any] = {"Response": self.response(), "SummaryResult": {"Status": voided}}
        if trackingnumber:
            levels = [{"TrackingNumber": piece["number"], "Status": voided} for piece in pieces]
            response["PackageLevelResult"] = levels
        return VoidResponseEnvelope.from_dict({"VoidShipmentResponse": response})

    def _void(self, shipment: Shipment) -> None:
        self.journeys.cancel(shipment)
        self.world.ledger.record(
            "void",
            id=f"void-{shipment['number']}",
            amount=shipment["amount"],
            currency=shipment["currency"],
            reference=reference_of(shipment),
            data={"shipment": shipment["number"]},
        )


def _chosen(shipment: Shipment, numbers: Sequence[str] | None) -> list[dict[str, Any]]:
    """The packages to void."""
    pieces: list[dict[str, Any]] = shipment["pieces"]
    if not numbers:
        return [piece for piece in pieces if not piece["voided"]]
    by_number = {piece["number"]: piece for piece in pieces}
    if not all(number in by_number for number in numbers):
        raise refused("190109")
    if any(by_number[number]["voided"] for number in numbers):
        raise refused("190117")
    return [by_number[number] for number in dict.fromkeys(numbers)]
