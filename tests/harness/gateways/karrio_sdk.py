"""karrio, unmodified, as a client of the mocks of carriers; its messages to the log are left out."""

from __future__ import annotations

import base64
from typing import Any

import karrio.sdk as karrio
from karrio.core import models
from loguru import logger

logger.remove()

SHIPPER: dict[str, Any] = {
    "person_name": "Ada Lovelace",
    "company_name": "Shop",
    "address_line1": "1 Main St",
    "city": "Memphis",
    "state_code": "TN",
    "postal_code": "38116",
    "country_code": "US",
    "phone_number": "9015551234",
}
RECIPIENT: dict[str, Any] = {
    "person_name": "Grace Hopper",
    "address_line1": "5 Oak Ave",
    "address_line2": "Apt 4",
    "city": "Austin",
    "state_code": "TX",
    "postal_code": "78701",
    "country_code": "US",
    "phone_number": "5125551234",
    "residential": True,
}
PARCEL: dict[str, Any] = {
    "weight": 5.0,
    "weight_unit": "LB",
    "length": 10,
    "width": 8,
    "height": 4,
    "dimension_unit": "IN",
}


class Carrier:
    """One connection. Every method returns what karrio makes of the answer, and its messages."""

    def __init__(self, name: str, url: str, **settings: Any) -> None:
        self._gateway = karrio.gateway[name].create({"account_country_code": "US", "test_mode": True, **settings})
        type(self._gateway.settings).server_url = property(lambda _: url)

    def rates(self, *parcels: dict[str, Any], **more: Any) -> Any:
        """All services."""
        asked = {"shipper": SHIPPER, "recipient": RECIPIENT, "services": [], "options": {}, **more}
        request = models.RateRequest(parcels=list(parcels or (PARCEL,)), **asked)
        return karrio.Rating.fetch(request).from_(self._gateway).parse()

    def ship(self, *parcels: dict[str, Any], service: str, **more: Any) -> Any:
        """A shipment with labels."""
        asked = {
            "shipper": SHIPPER,
            "recipient": RECIPIENT,
            "reference": "order-1",
            "options": {},
            "payment": {"paid_by": "sender", "currency": "USD"},
            "label_type": "PDF",
            **more,
        }
        request = models.ShipmentRequest(parcels=list(parcels or (PARCEL,)), service=service, **asked)
        return karrio.Shipment.create(request).from_(self._gateway).parse()

    def cancel(self, number: str) -> Any:
        """Cancel or void."""
        request = models.ShipmentCancelRequest(shipment_identifier=number)
        return karrio.Shipment.cancel(request).from_(self._gateway).parse()

    def track(self, *numbers: str) -> Any:
        """By tracking number."""
        request = models.TrackingRequest(tracking_numbers=list(numbers))
        return karrio.Tracking.fetch(request).from_(self._gateway).parse()

    def pickup(self, day: str, **more: Any) -> Any:
        """From nine to five."""
        asked = {"ready_time": "09:00", "closing_time": "17:00", "options": {}, **more}
        request = models.PickupRequest(pickup_date=day, address=SHIPPER, parcels=[PARCEL], **asked)
        return karrio.Pickup.schedule(request).from_(self._gateway).parse()

    def cancel_pickup(self, number: str, day: str) -> Any:
        """By its confirmation number."""
        request = models.PickupCancelRequest(confirmation_number=number, pickup_date=day, address=SHIPPER)
        return karrio.Pickup.cancel(request).from_(self._gateway).parse()


def label_of(shipment: Any) -> bytes:
    """The file."""
    return base64.b64decode(shipment.docs.label)
