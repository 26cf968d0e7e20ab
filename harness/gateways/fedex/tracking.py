"""Tracking by number and by reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shop.external.fedex.http.models import (
    ReferencesInformation,
    TrackByReferenceRequest,
    TrackRequest,
    TrackResponse,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.fedex.catalog import REFERENCE_TYPES
from harness.gateways.fedex.errors import refused
from harness.gateways.fedex.shipments import Shipments
from harness.gateways.fedex.tracked import track_result, unknown_result
from harness.gateways.parcels.journey import Shipment

MAX_NUMBERS = 30


class Tracking(Shipments):
    """`/track/v1`."""

    async def track_by_number(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: TrackRequest,
    ) -> TrackResponse:
        """A number that is not known is no error of the request."""
        numbers = [info.tracking_number_info.tracking_number for info in body.tracking_info]
        if not numbers:
            raise refused("TRACKING.TRACKINGNUMBER.EMPTY")
        if len(numbers) > MAX_NUMBERS:
            raise refused("TRACKING.TRACKINGNUMBERS.LIMITEXCEEDED")
        results = [{"trackingNumber": number, "trackResults": [self._result(number)]} for number in numbers]
        return self.answer(TrackResponse, context, {"completeTrackResults": results})

    def _result(self, number: str) -> dict[str, object]:
        shipment = self.find(number)
        if not number:
            return unknown_result(number, "TRACKING.TRACKINGNUMBER.EMPTY")
        if shipment is None:
            return unknown_result(number, "TRACKING.TRACKINGNUMBER.NOTFOUND")
        return track_result(shipment, number)

    async def track_by_reference(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: TrackByReferenceRequest,
    ) -> TrackResponse:
        """All packages that were shipped with a reference; also those whose ship request had it as its number."""
        asked = body.references_information
        _check(asked)
        wanted = REFERENCE_TYPES[asked.type] if asked.type is not None else None
        results = [
            {"trackingNumber": number, "trackResults": [track_result(shipment, number)]}
            for shipment in self.state.shipments.values()
            if _concerns(shipment, asked)
            for number in _numbers(shipment, asked.value, wanted)
        ]
        if not results:
            unknown = unknown_result("", "TRACKING.REFERENCENUMBER.NOTFOUND")
            results = [{"trackingNumber": "", "trackResults": [unknown]}]
        return self.answer(TrackResponse, context, {"completeTrackResults": results})


def _check(asked: ReferencesInformation) -> None:
    if not asked.value:
        raise refused("TRACKING.REFERENCEVALUE.EMPTY")
    if asked.type is not None and asked.type not in REFERENCE_TYPES:
        raise refused("TRACKING.REFERENCETYPE.INVALID")
    if not asked.account_number and not (asked.destination_country_code and asked.destination_postal_code):
        raise refused("TRACKING.REFERENCEDATA.INCOMPLETE")


def _concerns(shipment: Shipment, asked: ReferencesInformation) -> bool:
    """Whether a shipment is of the account, the destination and the days that were asked for."""
    destination, shipped = shipment["destination"], shipment["shipped"]
    return (
        asked.account_number in (None, "", shipment["account"])
        and asked.destination_country_code in (None, "", destination["country"])
        and asked.destination_postal_code in (None, "", destination["postal_code"])
        and (asked.ship_date_begin is None or asked.ship_date_begin.isoformat() <= shipped)
        and (asked.ship_date_end is None or shipped <= asked.ship_date_end.isoformat())
    )


def _numbers(shipment: Shipment, value: str, wanted: str | None) -> Sequence[str]:
    is_transaction = shipment["transaction"] == value and wanted in (None, "CUSTOMER_REFERENCE")
    return [
        piece["number"] for piece in shipment["pieces"] if is_transaction or _has(piece["references"], value, wanted)
    ]


def _has(references: Iterable[Sequence[str]], value: str, wanted: str | None) -> bool:
    return any(given == value and wanted in (None, kind) for kind, given in references)
