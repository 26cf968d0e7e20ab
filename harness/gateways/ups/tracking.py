"""Tracking by number and by reference."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from shop.external.ups.http.models import TrackResponseEnvelope
from shop.runtime.http_requests import RequestContext

from harness.gateways.parcels.journey import (
    CANCELLED,
    CREATED,
    DELIVERED,
    EXCEPTION,
    IN_TRANSIT,
    OUT_FOR_DELIVERY,
    PICKED_UP,
    RETURNED,
    STAGES,
    Shipment,
)
from harness.gateways.ups.errors import UpsProblem, refused
from harness.gateways.ups.numbers import is_number
from harness.gateways.ups.rating import parsed_date
from harness.gateways.ups.recovery import Recovery

_CODES: Mapping[str, tuple[str, str, str, str]] = {
    CREATED: ("M", "MP", "003", "Shipper created a label, UPS has not received the package yet."),
    PICKED_UP: ("P", "OR", "038", "Origin Scan"),
    IN_TRANSIT: ("I", "DP", "005", "Departed from Facility"),
    OUT_FOR_DELIVERY: ("I", "OT", "021", "Out For Delivery Today"),
    DELIVERED: ("D", "FS", "011", "DELIVERED"),
    EXCEPTION: ("X", "X1", "007", "The receiver was not available for delivery. We'll make a second attempt."),
    RETURNED: ("RS", "RS", "016", "Returned to Shipper"),
    CANCELLED: ("MV", "VP", "013", "Shipment information voided"),
}
"""Type, code, status code, description."""
_SIMPLE: Mapping[str, str] = {
    CREATED: "Label Created",
    PICKED_UP: "We Have Your Package",
    IN_TRANSIT: "On the Way",
    OUT_FOR_DELIVERY: "Out for Delivery",
    DELIVERED: "Delivered",
    EXCEPTION: "Delivery Attempted",
    RETURNED: "Returned to Sender",
    CANCELLED: "Voided",
}


class Tracking(Recovery):
    """`/api/track`."""

    async def track(
        self,
        context: RequestContext,
        *,
        inquiry_number: str,
        locale: str | None,
        return_signature: str | None,
        return_milestones: str | None,
        return_pod: str | None,
        trans_id: str,
        transaction_src: str,
    ) -> TrackResponseEnvelope:
        """One package."""
        number = inquiry_number.upper()
        if not is_number(number):
            raise refused("151018")
        shipment = self.find(number)
        if shipment is None:
            raise UpsProblem(404, "151018")
        milestones = (return_milestones or "").lower() == "true"
        found = [{"inquiryNumber": number, "package": [_package(shipment, number, milestones=milestones)]}]
        return TrackResponseEnvelope.from_dict({"trackResponse": {"shipment": found}})

    async def track_by_reference(
        self,
        context: RequestContext,
        *,
        reference_number: str,
        locale: str | None,
        from_pick_up_date: str | None,
        to_pick_up_date: str | None,
        ref_num_type: str | None,
        trans_id: str,
        transaction_src: str,
    ) -> TrackResponseEnvelope:
        """All shipments with a reference, the oldest first."""
        earliest, latest = parsed_date(from_pick_up_date), parsed_date(to_pick_up_date)
        found = [
            {
                "inquiryNumber": shipment["number"],
                "package": [_package(shipment, piece["number"]) for piece in shipment["pieces"]],
            }
            for shipment in self.by_reference(reference_number)
            if (earliest is None or earliest.isoformat() <= shipment["shipped"])
            and (latest is None or shipment["shipped"] <= latest.isoformat())
        ]
        if not found:
            raise UpsProblem(404, "151044")
        return TrackResponseEnvelope.from_dict({"trackResponse": {"shipment": found}})


def _package(shipment: Shipment, number: str, *, milestones: bool = False) -> dict[str, Any]:
    piece = next(piece for piece in shipment["pieces"] if piece["number"] == number)
    events = shipment["events"]
    weight, _, unit = piece["weight"].partition(" ")
    references = [*shipment["references"], *piece["references"]]
    found: dict[str, Any] = {
        "trackingNumber": number,
        "deliveryDate": _delivery_date(shipment),
        "deliveryTime": _delivery_time(shipment),
        "activity": [_activity(event) for event in reversed(events)],
        "currentStatus": _status(events[-1], simple=True),
        "packageAddress": [
            {"type": "ORIGIN", "address": _address(shipment["origin"])},
            {
                "type": "DESTINATION",
                "name": shipment["recipient"],
                "attentionName": shipment["recipient"],
                "address": _address(shipment["destination"]),
            },
        ],
        "packageCount": len(shipment["pieces"]),
        "referenceNumber": [{"type": "SHIPMENT", "number": value} for _, value in references],
        "alternateTrackingNumber": [],
        "additionalServices": [],
        "service": {
            "code": f"5{shipment['service']}",
            "levelCode": f"0{shipment['service']}",
            "description": shipment["service_name"],
        },
        "weight": {"unitOfMeasurement": unit, "weight": weight},
    }
    if shipment["stage"] == DELIVERED:
        found["deliveryInformation"] = {"location": "Front Door", "receivedBy": shipment["recipient"].upper()}
    if milestones:
        found["milestones"] = _milestones(shipment)
    return found


def _delivered_at(shipment: Shipment) -> float | None:
    return next((event["at"] for event in shipment["events"] if event["stage"] == DELIVERED), None)


def _delivery_date(shipment: Shipment) -> list[dict[str, str]]:
    at = _delivered_at(shipment)
    kind, at = ("SDD", shipment["due"]) if at is None else ("DEL", at)
    return [{"type": kind, "date": f"{_utc(at):%Y%m%d}"}]


def _delivery_time(shipment: Shipment) -> dict[str, str]:
    at = _delivered_at(shipment)
    kind, at = ("EOD", shipment["due"]) if at is None else ("DEL", at)
    return {"type": kind, "startTime": "", "endTime": f"{_utc(at):%H%M%S}"}


def _status(event: Mapping[str, Any], *, simple: bool = False) -> dict[str, str]:
    kind, code, status, text = _CODES[event["stage"]]
    found = {"type": kind, "code": code, "statusCode": status, "description": event["reason"] or text}
    if simple:
        found["simplifiedTextDescription"] = _SIMPLE[event["stage"]]
    return found


def _activity(event: Mapping[str, Any]) -> dict[str, Any]:
    at = _utc(event["at"])
    return {
        "location": {"address": _address(event["place"]), "slic": "0000"},
        "status": _status(event),
        "date": f"{at:%Y%m%d}",
        "time": f"{at:%H%M%S}",
        "gmtDate": f"{at:%Y%m%d}",
        "gmtTime": f"{at:%H:%M:%S}",
        "gmtOffset": "+00:00",
    }


def _milestones(shipment: Shipment) -> list[dict[str, Any]]:
    reached = {event["stage"] for event in shipment["events"]}
    return [
        {
            "category": "Milestones",
            "code": _CODES[stage][1],
            "current": stage == shipment["stage"],
            "description": _SIMPLE[stage],
            "state": "Completed" if stage in reached else "Pending",
        }
        for stage in STAGES
    ]


def _address(place: Mapping[str, str]) -> dict[str, str]:
    found = {
        "city": place.get("city", ""),
        "stateProvince": place.get("state", ""),
        "postalCode": place.get("postal_code", ""),
        "country": place.get("country", ""),
        "countryCode": place.get("country", ""),
    }
    return {name: value for name, value in found.items() if value}


def _utc(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.UTC)
