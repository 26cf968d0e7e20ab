"""What is sent to FedEx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shop.external.fedex.http.models import (
    CancelPickupRequest,
    CancelShipmentRequest,
    CreatePickupRequest,
    RateRequest,
    ResolveAddressesRequest,
    ShipRequest,
    TrackByReferenceRequest,
    TrackRequest,
)

from services.shipping import domain
from services.shipping.adapters.bodies import body_of, digits, filled, street_lines
from services.shipping.adapters.fedex_errors import GATEWAY
from services.shipping.adapters.measures import is_imperial, sides_of, weight_of
from services.shipping.adapters.references import reference_of
from services.shipping.domain import Address, LabelFormat, Parcel, ServiceLevel, ShipmentRequest

LABEL_TYPES: Mapping[LabelFormat, tuple[str, str]] = {
    LabelFormat.PDF: ("PDF", "PAPER_4X6"),
    LabelFormat.PNG: ("PNG", "PAPER_4X6"),
    LabelFormat.ZPL: ("ZPLII", "STOCK_4X6"),
}
"""Image type and paper."""
_PICKUP = "USE_SCHEDULED_PICKUP"
_PACKAGING = "YOUR_PACKAGING"


def rate_request(account: str, asked: domain.RateRequest) -> RateRequest:
    """Prices of the account, and in the currency that is wanted."""
    shipment = {
        "shipper": {"address": _address("rates", asked.origin)},
        "recipient": {"address": _address("rates", asked.destination)},
        "pickupType": _PICKUP,
        "packagingType": _PACKAGING,
        "rateRequestType": ["ACCOUNT", "PREFERRED"] if asked.currency else ["ACCOUNT"],
        "requestedPackageLineItems": _items(asked.origin, asked.parcels, ()),
        **filled({"preferredCurrency": asked.currency}),
    }
    value = {
        "accountNumber": {"value": account},
        "rateRequestControlParameters": {"returnTransitTimes": True},
        "requestedShipment": shipment,
    }
    return body_of(GATEWAY, "rates", RateRequest, value)


def ship_request(account: str, asked: ShipmentRequest) -> ShipRequest:
    """Every parcel has the reference of the key, and the order as its invoice."""
    image, stock = LABEL_TYPES[asked.label_format]
    references = [
        {"customerReferenceType": "CUSTOMER_REFERENCE", "value": reference_of(asked.key)},
        {"customerReferenceType": "INVOICE_NUMBER", "value": asked.order_id},
    ]
    shipment = {
        "shipper": _party("ship", asked.origin),
        # FedEx wants a number of the recipient: the shop's, where the customer gave none.
        "recipients": [_party("ship", asked.destination, asked.destination.phone or asked.origin.phone)],
        "pickupType": _PICKUP,
        "serviceType": asked.service,
        "packagingType": _PACKAGING,
        "shippingChargesPayment": {
            "paymentType": "SENDER",
            "payor": {"responsibleParty": {"accountNumber": {"value": account}}},
        },
        "labelSpecification": {"imageType": image, "labelStockType": stock},
        "totalPackageCount": len(asked.parcels),
        "requestedPackageLineItems": _items(
            asked.origin, asked.parcels, [each for each in references if each["value"]]
        ),
    }
    value = {
        "labelResponseOptions": "LABEL",
        "accountNumber": {"value": account},
        "requestedShipment": shipment,
    }
    return body_of(GATEWAY, "ship", ShipRequest, value)


def reference_request(account: str, key: str, days: tuple[date, date]) -> TrackByReferenceRequest:
    """All parcels that were shipped with a key."""
    first, last = days
    sought = {
        "type": "CUSTOMER_REFERENCE",
        "value": reference_of(key),
        "accountNumber": account,
        "shipDateBegin": first.isoformat(),
        "shipDateEnd": last.isoformat(),
    }
    return body_of(GATEWAY, "find", TrackByReferenceRequest, {"referencesInformation": sought})


def track_request(number: str) -> TrackRequest:
    """One parcel with all its stops."""
    info = {"trackingNumberInfo": {"trackingNumber": number}}
    return body_of(GATEWAY, "track", TrackRequest, {"includeDetailedScans": True, "trackingInfo": [info]})


def cancel_request(account: str, number: str) -> CancelShipmentRequest:
    """The whole shipment."""
    value = {
        "accountNumber": {"value": account},
        "trackingNumber": number,
        "deletionControl": "DELETE_ALL_PACKAGES",
    }
    return body_of(GATEWAY, "cancel", CancelShipmentRequest, value)


def resolve_request(address: Address) -> ResolveAddressesRequest:
    """One address."""
    given = _address("validate_address", address)
    given.pop("residential", None)
    return body_of(GATEWAY, "validate_address", ResolveAddressesRequest, {"addressesToValidate": [{"address": given}]})


def pickup_request(account: str, asked: domain.PickupRequest) -> CreatePickupRequest:
    """A courier of FedEx Ground, or of FedEx Express. Times are local, as FedEx's examples have them with a `Z`."""
    imperial = is_imperial(asked.address)
    value = {
        "associatedAccountNumber": {"value": account},
        "originDetail": {
            "pickupLocation": {"accountNumber": {"value": account}, **_party("schedule_pickup", asked.address)},
            "readyDateTimestamp": f"{asked.day:%Y-%m-%d}T{asked.ready:%H:%M:%S}Z",
            "customerCloseTime": f"{asked.closes:%H:%M:%S}",
        },
        "carrierCode": courier_of(asked.level),
        "totalWeight": {
            "units": "LB" if imperial else "KG",
            "value": float(weight_of(asked.parcels, imperial=imperial)),
        },
        "packageCount": len(asked.parcels),
    }
    return body_of(GATEWAY, "schedule_pickup", CreatePickupRequest, value)


def cancel_pickup_request(account: str, pickup: domain.Pickup) -> CancelPickupRequest:
    """A courier by the code and the day; Express wants the depot, too."""
    value = {
        "associatedAccountNumber": {"value": account},
        "pickupConfirmationCode": pickup.id,
        "carrierCode": courier_of(pickup.level),
        "scheduledDate": pickup.day.isoformat(),
        **filled({"location": pickup.location}),
    }
    return body_of(GATEWAY, "cancel_pickup", CancelPickupRequest, value)


def courier_of(level: ServiceLevel) -> str:
    """FedEx's operating company."""
    return "FDXG" if level is ServiceLevel.GROUND else "FDXE"


def _items(origin: Address, parcels: Sequence[Parcel], references: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    imperial = is_imperial(origin)
    items = []
    for number, parcel in enumerate(parcels, start=1):
        length, width, height = sides_of(parcel, imperial=imperial)
        item: dict[str, Any] = {
            "sequenceNumber": number,
            "groupPackageCount": 1,
            "weight": {"units": "LB" if imperial else "KG", "value": float(weight_of([parcel], imperial=imperial))},
            "dimensions": {
                "length": length,
                "width": width,
                "height": height,
                "units": "IN" if imperial else "CM",
            },
        }
        if references:
            item["customerReferences"] = references
        items.append(item)
    return items


def _party(operation: str, address: Address, phone: str = "") -> dict[str, Any]:
    contact = {"personName": address.name[:70], "phoneNumber": digits(phone or address.phone)}
    return {"address": _address(operation, address), "contact": filled(contact)}


def _address(operation: str, address: Address) -> dict[str, Any]:
    return filled(
        {
            "streetLines": street_lines(GATEWAY, operation, address),
            "city": address.city,
            "stateOrProvinceCode": address.region,
            "postalCode": address.postal_code,
            "countryCode": address.country,
            "residential": address.residential,
        }
    )
