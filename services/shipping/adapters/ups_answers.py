"""What UPS answers, as the shipping service sees it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from shop.external.ups.http.models import (
    Activity,
    LabelRecoveryResponseEnvelope,
    RatedShipment,
    RateResponseEnvelope,
    ShipResponseEnvelope,
    TrackAddress,
    TrackPackage,
    TrackResponseEnvelope,
    TrackStatus,
    XAVResponse,
)

from services.platform.gateways.errors import OutcomeUnknown, UnknownReference
from services.shipping.adapters.measures import level_of, money_of
from services.shipping.adapters.references import Found, booked
from services.shipping.adapters.ups_errors import GATEWAY
from services.shipping.domain import (
    Address,
    AddressCheck,
    AddressVerdict,
    Carrier,
    Label,
    LabelFormat,
    Rate,
    Shipment,
    ShipmentRequest,
    ShipmentStatus,
    Tracking,
    TrackingEvent,
)

T = TypeVar("T")
_VOIDED = "MV"
_STATUS: Mapping[str, ShipmentStatus] = {
    "M": ShipmentStatus.LABEL_CREATED,
    "O": ShipmentStatus.OUT_FOR_DELIVERY,
    "D": ShipmentStatus.DELIVERED,
    "X": ShipmentStatus.EXCEPTION,
    "RS": ShipmentStatus.RETURNED,
    _VOIDED: ShipmentStatus.CANCELLED,
}
"""By type; all other types are those of a parcel on its way."""
_OUT_FOR_DELIVERY = "021"
_GROUND = frozenset({"03", "11"})


def rates_of(answer: RateResponseEnvelope) -> tuple[Rate, ...]:
    """The cheapest first."""
    found = [_rate(rated) for rated in answer.rate_response.rated_shipment]
    return tuple(sorted(found, key=lambda rate: rate.price.amount))


def shipment_of(answer: ShipResponseEnvelope, request: ShipmentRequest) -> Shipment:
    """What was booked just now."""
    results = answer.shipment_response.shipment_results
    negotiated = results.negotiated_rate_charges
    charge = results.shipment_charges.total_charges if negotiated is None else negotiated.total_charge
    images = [(each.tracking_number, each.shipping_label.graphic_image) for each in results.package_results]
    return Shipment(
        carrier=Carrier.UPS,
        id=results.shipment_identification_number,
        service=request.service,
        tracking_numbers=tuple(each.tracking_number for each in results.package_results),
        labels=_labels("ship", images, request.label_format),
        cost=_readable("ship", lambda: money_of(charge.currency_code, charge.monetary_value)),
    )


def recovered_of(answer: TrackResponseEnvelope, request: ShipmentRequest) -> Shipment:
    """The shipment that has the reference of the request's key, still without its labels."""
    shipments = answer.track_response.shipment
    packages = [package for shipment in shipments for package in shipment.package or ()]
    numbers = booked(GATEWAY, request, [_found(package) for package in packages])
    if not numbers:
        raise OutcomeUnknown(GATEWAY, "find", "the search by reference says nothing")
    # UPS names a shipment by the number of its first parcel.
    named = next((each.inquiry_number for each in shipments if each.inquiry_number in numbers), numbers[0])
    first = next(package for package in packages if package.tracking_number == named)
    return Shipment(
        carrier=Carrier.UPS,
        id=named,
        service=request.service,
        tracking_numbers=numbers,
        labels=(),
        expected_on=_expected(first),
        recovered=True,
    )


def labelled(shipment: Shipment, answer: LabelRecoveryResponseEnvelope, asked: LabelFormat) -> Shipment:
    """The shipment with the labels of an answer besides those that it has."""
    images = [
        (each.tracking_number, each.label_image.graphic_image)
        for each in answer.label_recovery_response.label_results
        if each.tracking_number in shipment.tracking_numbers
    ]
    found = {label.tracking_number: label for label in (*shipment.labels, *_labels("find", images, asked))}
    return replace(shipment, labels=tuple(found[number] for number in shipment.tracking_numbers if number in found))


def tracking_of(number: str, answer: TrackResponseEnvelope) -> Tracking:
    """The journey of a parcel."""
    packages = [package for shipment in answer.track_response.shipment for package in shipment.package or ()]
    if not packages:
        raise UnknownReference(GATEWAY, "track", "there is no such parcel, or not yet")
    found = next((package for package in packages if package.tracking_number == number), packages[0])
    return Tracking(
        tracking_number=number,
        status=_status(found.current_status),
        events=tuple(event for activity in found.activity for event in _event(activity)),
        expected_on=_expected(found),
    )


def check_of(answer: XAVResponse, asked: Address) -> AddressCheck:
    """What UPS makes of an address."""
    kind = answer.address_classification.code if answer.address_classification is not None else ""
    residential = {"1": False, "2": True}.get(kind)
    suggestion = _suggestion(answer, asked, residential)
    verdict = AddressVerdict.INVALID
    if answer.valid_address_indicator is not None:
        verdict = AddressVerdict.VALID
    elif answer.ambiguous_address_indicator is not None:
        verdict = AddressVerdict.AMBIGUOUS
    return AddressCheck(verdict=verdict, suggestion=suggestion, residential=residential)


def _suggestion(answer: XAVResponse, asked: Address, residential: bool | None) -> Address | None:
    candidate = next(iter(answer.candidate or ()), None)
    if candidate is None or not candidate.address_key_format.address_line:
        return None
    given = candidate.address_key_format
    codes = (given.postcode_primary_low, given.postcode_extended_low)
    return Address(
        name=asked.name,
        line1=candidate.address_key_format.address_line[0],
        line2=" ".join(candidate.address_key_format.address_line[1:]),
        city=given.political_division2 or asked.city,
        region=given.political_division1 or "",
        postal_code="-".join(code for code in codes if code),
        country=given.country_code,
        phone=asked.phone,
        residential=asked.residential if residential is None else residential,
    )


def _rate(rated: RatedShipment) -> Rate:
    negotiated = rated.negotiated_rate_charges
    charge = rated.total_charges if negotiated is None else negotiated.total_charge
    days = 0
    if rated.time_in_transit is not None:
        days = _number(rated.time_in_transit.service_summary.estimated_arrival.business_days_in_transit)
    elif rated.guaranteed_delivery is not None:
        days = _number(rated.guaranteed_delivery.business_days_in_transit)
    return Rate(
        carrier=Carrier.UPS,
        service=rated.service.code,
        level=level_of(days, ground=rated.service.code in _GROUND),
        price=_readable("rates", lambda: money_of(charge.currency_code, charge.monetary_value)),
        transit_days=days,
    )


def _labels(operation: str, images: Iterable[tuple[str, str]], asked: LabelFormat) -> tuple[Label, ...]:
    return _readable(
        operation,
        lambda: tuple(
            Label(tracking_number=number, format=asked, content=base64.b64decode(image, validate=True))
            for number, image in images
            if image
        ),
    )


def _found(package: TrackPackage) -> Found:
    place = next((each.address for each in package.package_address if each.type == "DESTINATION"), None)
    return Found(
        number=package.tracking_number,
        cancelled=package.current_status.type == _VOIDED,
        country=(place.country_code or "") if place is not None else "",
        postal_code=(place.postal_code or "") if place is not None else "",
    )


def _status(status: TrackStatus) -> ShipmentStatus:
    if status.status_code == _OUT_FOR_DELIVERY:
        return ShipmentStatus.OUT_FOR_DELIVERY
    return _STATUS.get(status.type, ShipmentStatus.IN_TRANSIT)


def _event(activity: Activity) -> Iterable[TrackingEvent]:
    """One, or none when its time cannot be read."""
    try:
        at = datetime.fromisoformat(f"{activity.gmt_date}T{activity.gmt_time}+00:00")
    except ValueError:
        return
    yield TrackingEvent(
        status=_status(activity.status),
        description=activity.status.description,
        at=at,
        location=_place(activity.location.address),
    )


def _place(address: TrackAddress) -> str:
    parts = (address.city, address.state_province, address.country_code or address.country)
    return ", ".join(part for part in parts if part)


def _expected(package: TrackPackage) -> date | None:
    for each in package.delivery_date:
        if each.type in ("SDD", "RDD", "DEL"):
            try:
                return date.fromisoformat(each.date)
            except ValueError:
                continue
    return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _readable(operation: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, binascii.Error):
        raise OutcomeUnknown(GATEWAY, operation, "the answer cannot be read") from None
