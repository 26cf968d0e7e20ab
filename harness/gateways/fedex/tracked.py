"""A track result: what has happened to a package so far."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from harness.gateways.fedex.catalog import PACKAGINGS, SERVICES
from harness.gateways.fedex.errors import track_error
from harness.gateways.parcels.journey import (
    CANCELLED,
    CREATED,
    DELIVERED,
    EXCEPTION,
    IN_TRANSIT,
    OUT_FOR_DELIVERY,
    PICKED_UP,
    RETURNED,
    Shipment,
    handed_over,
)
from harness.gateways.parcels.tariff import Service

_CODES: Mapping[str, tuple[str, str, str, str]] = {
    CREATED: ("OC", "IN", "Label created", "Shipment information sent to FedEx"),
    PICKED_UP: ("PU", "PU", "Picked up", "Picked up"),
    IN_TRANSIT: ("IT", "IT", "In transit", "In transit"),
    OUT_FOR_DELIVERY: ("OD", "IT", "Out for delivery", "On FedEx vehicle for delivery"),
    DELIVERED: ("DL", "DL", "Delivered", "Delivered"),
    EXCEPTION: ("DE", "DE", "Delivery exception", "Delivery exception"),
    RETURNED: ("RS", "RS", "Return to sender", "Returning package to shipper"),
    CANCELLED: ("CA", "CA", "Shipment cancelled", "Shipment cancelled by sender"),
}
"""Code, derived code, status, description."""
_NOT_IN = ("08", "Recipient not in")


def unknown_result(number: str, code: str) -> dict[str, Any]:
    """A result that has an error instead of anything else."""
    return {"trackingNumberInfo": {"trackingNumber": number}, "error": track_error(code)}


def track_result(shipment: Shipment, number: str) -> dict[str, Any]:
    """The result for one of the packages of a shipment."""
    events = shipment["events"]
    latest = events[-1]
    service = SERVICES[shipment["service"]]
    position = next(at for at, piece in enumerate(shipment["pieces"], start=1) if piece["number"] == number)
    piece = shipment["pieces"][position - 1]
    weight = [_weight(piece["weight"])]
    return {
        "trackingNumberInfo": _number_info(shipment, number, service),
        "additionalTrackingInfo": {
            "nickname": "",
            "hasAssociatedShipments": len(shipment["pieces"]) > 1,
            "packageIdentifiers": [_identifier(kind, value) for kind, value in piece["references"]],
        },
        "latestStatusDetail": _status(latest),
        "serviceDetail": {
            "type": service.code,
            "description": service.name,
            "shortDescription": service.code[:2],
        },
        "shipperInformation": {"address": _address(shipment["origin"])},
        "recipientInformation": {"address": _address(shipment["destination"])},
        "originLocation": {"locationContactAndAddress": {"address": _address(shipment["origin"])}},
        "destinationLocation": {"locationContactAndAddress": {"address": _address(shipment["destination"])}},
        "lastUpdatedDestinationAddress": _address(shipment["destination"]),
        "scanEvents": [_scan(event) for event in reversed(events)],
        "dateAndTimes": _times(shipment),
        "packageDetails": _package_details(shipment, position, weight),
        "shipmentDetails": {"possessionStatus": handed_over(shipment), "weight": weight},
        "deliveryDetails": _delivery(shipment, latest),
        "estimatedDeliveryTimeWindow": {"window": {"ends": _stamp(shipment["due"])}},
        "standardTransitTimeWindow": {
            "window": {"begins": _stamp(shipment["due"]), "ends": _stamp(shipment["due"])},
        },
        "availableNotifications": ["ON_DELIVERY", "ON_EXCEPTION"],
    }


def _number_info(shipment: Shipment, number: str, service: Service) -> Mapping[str, str]:
    """The unique number begins with the Julian day of the shipment."""
    julian = datetime.date.fromisoformat(shipment["shipped"]).toordinal() + 1721425
    return {
        "trackingNumber": number,
        "trackingNumberUniqueId": f"{julian}000~{number}~FX",
        "carrierCode": "FDXG" if service.category == "GROUND" else "FDXE",
    }


def _package_details(shipment: Shipment, position: int, weight: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
    packaging = shipment["packaging"]
    return {
        "packagingDescription": {"type": packaging, "description": PACKAGINGS[packaging]},
        "sequenceNumber": str(position),
        "count": str(len(shipment["pieces"])),
        "weightAndDimensions": {"weight": weight},
    }


def _status(event: Mapping[str, Any]) -> Mapping[str, Any]:
    code, derived, status, description = _CODES[event["stage"]]
    found: dict[str, Any] = {
        "code": code,
        "derivedCode": derived,
        "statusByLocale": status,
        "description": description,
        "scanLocation": _address(event["place"]),
    }
    if event["stage"] == EXCEPTION:
        reason, text = _reason(event)
        found["ancillaryDetails"] = [
            {
                "reason": reason,
                "reasonDescription": text,
                "action": "",
                "actionDescription": "We will make another delivery attempt.",
            }
        ]
    return found


def _scan(event: Mapping[str, Any]) -> Mapping[str, Any]:
    code, derived, status, description = _CODES[event["stage"]]
    reason, text = _reason(event) if event["stage"] == EXCEPTION else ("", "")
    return {
        "date": _stamp(event["at"]),
        "eventType": code,
        "eventDescription": description,
        "exceptionCode": reason,
        "exceptionDescription": text,
        "scanLocation": _address(event["place"]),
        "locationType": "CUSTOMER" if event["stage"] == CREATED else "FEDEX_FACILITY",
        "derivedStatusCode": derived,
        "derivedStatus": status,
    }


def _reason(event: Mapping[str, Any]) -> tuple[str, str]:
    return ("99", event["reason"]) if event["reason"] else _NOT_IN


def _times(shipment: Shipment) -> list[dict[str, str]]:
    first = {event["stage"]: event["at"] for event in reversed(shipment["events"])}
    found = [("SHIP", first[CREATED])]
    if PICKED_UP in first:
        found.append(("ACTUAL_PICKUP", first[PICKED_UP]))
    if DELIVERED in first:
        found.append(("ACTUAL_DELIVERY", first[DELIVERED]))
    elif shipment["stage"] != CANCELLED:
        found.append(("ESTIMATED_DELIVERY", shipment["due"]))
    return [{"type": kind, "dateTime": _stamp(at)} for kind, at in found]


def _delivery(shipment: Shipment, latest: Mapping[str, Any]) -> Mapping[str, Any]:
    attempts = sum(event["stage"] in (DELIVERED, EXCEPTION) for event in shipment["events"])
    found: dict[str, Any] = {"deliveryAttempts": str(attempts)}
    if latest["stage"] == DELIVERED:
        contact = shipment["recipient"].get("contact", {})
        name = (contact.get("personName") or contact.get("companyName") or "RECIPIENT").upper()
        found |= {
            "receivedByName": name,
            "signedByName": name,
            "locationType": "RESIDENCE",
            "locationDescription": "Residence",
            "actualDeliveryAddress": _address(shipment["destination"]),
        }
    return found


def _identifier(kind: str, value: str) -> Mapping[str, Any]:
    return {"type": kind, "values": [value], "trackingNumberUniqueId": ""}


def _weight(text: str) -> Mapping[str, str]:
    value, unit = text.split(" ")
    return {"unit": unit, "value": value}


def _address(place: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "city": place.get("city", ""),
        "stateOrProvinceCode": place.get("state", ""),
        "countryCode": place.get("country", ""),
        "postalCode": place.get("postal_code", ""),
        "residential": False,
    }
    return {name: value for name, value in found.items() if value != ""}


def _stamp(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="seconds")
