"""What FedEx answers, as the shipping service sees it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import TypeVar

from shop.external.fedex.http.models import (
    PieceResponse,
    RateReplyDetail,
    RateResponse,
    ResolvedAddress,
    ScanAddress,
    ScanEvent,
    ShipResponse,
    TrackResponse,
    TrackResult,
    TransactionShipment,
)

from services.platform.gateways.errors import OutcomeUnknown, UnknownReference
from services.shipping.adapters.fedex_errors import GATEWAY
from services.shipping.adapters.measures import level_of, money_of
from services.shipping.adapters.references import Found, booked
from services.shipping.domain import (
    Address,
    AddressCheck,
    AddressVerdict,
    Carrier,
    Label,
    LabelFormat,
    Money,
    Rate,
    Shipment,
    ShipmentRequest,
    ShipmentStatus,
    Tracking,
    TrackingEvent,
)

T = TypeVar("T")
_CANCELLED = "CA"
_STATUS: Mapping[str, ShipmentStatus] = {
    "OC": ShipmentStatus.LABEL_CREATED,
    "IN": ShipmentStatus.LABEL_CREATED,
    "OD": ShipmentStatus.OUT_FOR_DELIVERY,
    "DL": ShipmentStatus.DELIVERED,
    "DE": ShipmentStatus.EXCEPTION,
    "SE": ShipmentStatus.EXCEPTION,
    "CD": ShipmentStatus.EXCEPTION,
    "RS": ShipmentStatus.RETURNED,
    _CANCELLED: ShipmentStatus.CANCELLED,
}
"""All other codes are those of a parcel on its way."""
_NUMBERS = ("", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN", "TWELVE")


def rates_of(answer: RateResponse, currency: str | None) -> tuple[Rate, ...]:
    """The cheapest first."""
    found = [_rate(detail, currency) for detail in answer.output.rate_reply_details]
    return tuple(sorted(found, key=lambda rate: rate.price.amount))


def shipment_of(answer: ShipResponse, asked: LabelFormat) -> Shipment:
    """What was booked just now. `OutcomeUnknown` for an answer that shows no whole shipment."""
    made = next(iter(answer.output.transaction_shipments), None)
    if made is None or not made.piece_responses or not all(piece.successful for piece in made.piece_responses):
        raise OutcomeUnknown(GATEWAY, "ship", "the answer shows no whole shipment")
    pieces = sorted(made.piece_responses, key=lambda piece: piece.package_sequence_number)
    return Shipment(
        carrier=Carrier.FEDEX,
        id=made.master_tracking_number,
        service=made.service_type,
        tracking_numbers=tuple(piece.tracking_number for piece in pieces),
        labels=tuple(_readable("ship", lambda: [label for piece in pieces for label in _labels(piece, asked)])),
        cost=_cost(made),
        expected_on=max(piece.delivery_datestamp for piece in pieces),
    )


def recovered_of(answer: TrackResponse, request: ShipmentRequest) -> Shipment | None:
    """The shipment that has the reference of the request's key, without labels: FedEx gives them only once."""
    results = [result for complete in answer.output.complete_track_results for result in complete.track_results]
    known = [result for result in results if result.error is None]
    # Only FedEx's own word for it says that there is none.
    if not results or any(result.error and not result.error.code.endswith(".NOTFOUND") for result in results):
        raise OutcomeUnknown(GATEWAY, "find", "the search by reference says nothing")
    known.sort(key=_sequence)
    numbers = booked(GATEWAY, request, [_found(result) for result in known])
    if not numbers:
        return None
    first = next(result for result in known if result.tracking_number_info.tracking_number == numbers[0])
    return Shipment(
        carrier=Carrier.FEDEX,
        id=numbers[0],
        service=request.service,
        tracking_numbers=numbers,
        labels=(),
        expected_on=_expected(first),
        recovered=True,
    )


def tracking_of(number: str, answer: TrackResponse) -> Tracking:
    """The journey of a parcel. A number that is not known is a result with an error."""
    results = [result for complete in answer.output.complete_track_results for result in complete.track_results]
    found = next((result for result in results if result.error is None and result.latest_status_detail), None)
    if found is None or found.latest_status_detail is None:
        code = next((result.error.code for result in results if result.error is not None), "")
        raise UnknownReference(GATEWAY, "track", "there is no such parcel, or not yet", code=code[:80])
    return Tracking(
        tracking_number=number,
        status=_status(found.latest_status_detail.code),
        events=tuple(event for scan in found.scan_events or () for event in _event(scan)),
        expected_on=_expected(found),
    )


def check_of(found: ResolvedAddress, asked: Address) -> AddressCheck:
    """What FedEx makes of an address."""
    said = found.attributes
    if said.country_supported == "false":
        return AddressCheck(verdict=AddressVerdict.UNCHECKED)
    kinds = {"RESIDENTIAL": True, "BUSINESS": False}
    residential = kinds.get(found.classification)
    if said.resolved != "true" or not found.street_lines_token:
        return AddressCheck(verdict=AddressVerdict.INVALID, residential=residential)
    suggestion = Address(
        name=asked.name,
        line1=found.street_lines_token[0],
        line2=" ".join(found.street_lines_token[1:]),
        city=found.city or asked.city,
        region=found.state_or_province_code or "",
        postal_code=found.postal_code or "",
        country=found.country_code,
        phone=asked.phone,
        residential=asked.residential if residential is None else residential,
    )
    return AddressCheck(verdict=AddressVerdict.VALID, suggestion=suggestion, residential=residential)


def _rate(detail: RateReplyDetail, currency: str | None) -> Rate:
    rated = detail.rated_shipment_details
    wanted = [each for each in rated if each.currency == currency]
    account = [each for each in rated if each.rate_type == "ACCOUNT"]
    priced = next(iter(wanted or account or rated), None)
    if priced is None:
        raise OutcomeUnknown(GATEWAY, "rates", "a rate has no price")
    days = _transit_days(detail.commit.transit_days.minimum_transit_time)
    return Rate(
        carrier=Carrier.FEDEX,
        service=detail.service_type,
        level=level_of(days, ground="GROUND" in detail.service_type),
        price=_readable("rates", lambda: money_of(priced.currency, priced.total_net_charge)),
        transit_days=days,
    )


def _transit_days(text: str) -> int:
    """`TWO_DAYS` is 2; 0 for what is no such text."""
    word = text.partition("_")[0]
    return _NUMBERS.index(word) if word in _NUMBERS else 0


def _cost(made: TransactionShipment) -> Money | None:
    rating = made.completed_shipment_detail.shipment_rating
    details = [each for each in rating.shipment_rate_details if each.rate_type == rating.actual_rate_type]
    if not details:
        return None
    return _readable("ship", lambda: money_of(details[0].currency, details[0].total_net_charge))


def _labels(piece: PieceResponse, asked: LabelFormat) -> Iterable[Label]:
    for document in piece.package_documents:
        if document.content_type == "LABEL" and document.encoded_label:
            content = base64.b64decode(document.encoded_label, validate=True)
            yield Label(tracking_number=piece.tracking_number, format=asked, content=content)


def _found(result: TrackResult) -> Found:
    place = result.last_updated_destination_address
    if place is None and result.recipient_information is not None:
        place = result.recipient_information.address
    status = result.latest_status_detail
    return Found(
        number=result.tracking_number_info.tracking_number,
        cancelled=status is not None and status.code == _CANCELLED,
        country=(place.country_code or "") if place is not None else "",
        postal_code=(place.postal_code or "") if place is not None else "",
    )


def _sequence(result: TrackResult) -> int:
    number = result.package_details.sequence_number if result.package_details is not None else ""
    return int(number) if number.isascii() and number.isdigit() else 0


def _status(code: str) -> ShipmentStatus:
    return _STATUS.get(code, ShipmentStatus.IN_TRANSIT)


def _event(scan: ScanEvent) -> Iterable[TrackingEvent]:
    """One, or none when its time cannot be read."""
    try:
        at = datetime.fromisoformat(scan.date)
    except ValueError:
        return
    yield TrackingEvent(
        status=_status(scan.event_type),
        description=scan.exception_description or scan.event_description,
        at=at if at.tzinfo is not None else at.replace(tzinfo=UTC),
        location=_place(scan.scan_location),
    )


def _place(address: ScanAddress) -> str:
    parts = (address.city, address.state_or_province_code, address.country_code)
    return ", ".join(part for part in parts if part)


def _expected(result: TrackResult) -> date | None:
    window = result.estimated_delivery_time_window
    ends = window.window.ends if window is not None else None
    try:
        return None if not ends else datetime.fromisoformat(ends).date()
    except ValueError:
        return None


def _readable(operation: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, binascii.Error):
        raise OutcomeUnknown(GATEWAY, operation, "the answer cannot be read") from None
