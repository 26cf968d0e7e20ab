"""What is sent to UPS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.external.ups.http.models import (
    AddressRequestEnvelope,
    LabelRecoveryRequestEnvelope,
    PickupCreationRequestEnvelope,
    RateRequestEnvelope,
    ShipRequestEnvelope,
)

from services.shipping import domain
from services.shipping.adapters.bodies import LINE, body_of, digits, filled, street_lines
from services.shipping.adapters.measures import is_imperial, sides_of, weight_of
from services.shipping.adapters.references import reference_of
from services.shipping.adapters.ups_errors import GATEWAY
from services.shipping.domain import Address, LabelFormat, Parcel, ServiceLevel, ShipmentRequest

_OWN_PACKAGING = {"Code": "02"}
_AT_HOME = ("US", "PR")
_PICKUP_SERVICES: Mapping[ServiceLevel, str] = {
    ServiceLevel.GROUND: "003",
    ServiceLevel.TWO_DAY: "002",
    ServiceLevel.OVERNIGHT: "001",
}
_COMPANY, _CONTACT = 27, 22
"""Characters of the names at a pickup."""


def rate_request(account: str, asked: domain.RateRequest) -> RateRequestEnvelope:
    """Prices of the account; UPS gives them in its currency."""
    shipment = {
        "Shipper": {"ShipperNumber": account, "Address": _address("rates", asked.origin)},
        "ShipTo": {"Address": _address("rates", asked.destination)},
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": ""},
        "DeliveryTimeInformation": {"PackageBillType": "03"},
        "Package": [{"PackagingType": _OWN_PACKAGING, **_measured(asked.origin, parcel)} for parcel in asked.parcels],
    }
    return body_of(GATEWAY, "rates", RateRequestEnvelope, {"RateRequest": {"Shipment": shipment}})


def ship_request(account: str, asked: ShipmentRequest) -> ShipRequestEnvelope:
    """The reference of the key is at the packages within the USA, and at the shipment elsewhere, as UPS wants it."""
    references = [{"Value": value} for value in (reference_of(asked.key), asked.order_id[:LINE]) if value]
    domestic = asked.origin.country in _AT_HOME and asked.origin.country == asked.destination.country
    packages: list[dict[str, Any]] = [
        {"Packaging": _OWN_PACKAGING, **_measured(asked.origin, parcel)} for parcel in asked.parcels
    ]
    shipment: dict[str, Any] = {
        "Description": f"Order {asked.order_id}"[:50],
        "Shipper": {"ShipperNumber": account, **_party("ship", asked.origin)},
        "ShipTo": _party("ship", asked.destination),
        "PaymentInformation": {"ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": account}}]},
        "Service": {"Code": asked.service},
        "ShipmentRatingOptions": {"NegotiatedRatesIndicator": ""},
        "Package": packages,
    }
    for bearer in packages if domestic else [shipment]:
        bearer["ReferenceNumber"] = references
    value = {
        # `nonvalidate`: the address was checked before, or is wanted as it is.
        "Request": {"RequestOption": "nonvalidate", "TransactionReference": {"CustomerContext": asked.key}},
        "Shipment": shipment,
        "LabelSpecification": _label(asked.label_format),
    }
    return body_of(GATEWAY, "ship", ShipRequestEnvelope, {"ShipmentRequest": value})


def recovery_request(number: str, label_format: LabelFormat) -> LabelRecoveryRequestEnvelope:
    """Labels by a tracking number."""
    value = {"LabelSpecification": _label(label_format), "TrackingNumber": number}
    return body_of(GATEWAY, "find", LabelRecoveryRequestEnvelope, {"LabelRecoveryRequest": value})


def address_request(address: Address) -> AddressRequestEnvelope:
    """An address to be validated and classified."""
    low, _, extended = address.postal_code.partition("-")
    key_format = filled(
        {
            "AddressLine": street_lines(GATEWAY, "validate_address", address),
            "PoliticalDivision2": address.city,
            "PoliticalDivision1": address.region,
            "PostcodePrimaryLow": low,
            "PostcodeExtendedLow": extended,
            "CountryCode": address.country,
        }
    )
    value = {"XAVRequest": {"AddressKeyFormat": key_format}}
    return body_of(GATEWAY, "validate_address", AddressRequestEnvelope, value)


def pickup_request(account: str, asked: domain.PickupRequest) -> PickupCreationRequestEnvelope:
    """A driver to an address that need not be the account's, who is paid by the account."""
    address, imperial = asked.address, is_imperial(asked.address)
    value = {
        "Request": {"TransactionReference": {"CustomerContext": asked.key}},
        "RatePickupIndicator": "N",
        "Shipper": {"Account": {"AccountNumber": account, "AccountCountryCode": address.country}},
        "PickupDateInfo": {
            "PickupDate": f"{asked.day:%Y%m%d}",
            "ReadyTime": f"{asked.ready:%H%M}",
            "CloseTime": f"{asked.closes:%H%M}",
        },
        "PickupAddress": filled(
            {
                "CompanyName": address.name[:_COMPANY],
                "ContactName": address.name[:_CONTACT],
                "AddressLine": street_lines(GATEWAY, "schedule_pickup", address),
                "City": address.city,
                "StateProvince": address.region,
                "PostalCode": address.postal_code,
                "CountryCode": address.country,
                "ResidentialIndicator": "Y" if address.residential else "N",
                "Phone": {"Number": digits(address.phone)},
            }
        ),
        "AlternateAddressIndicator": "Y",
        "PickupPiece": [
            {
                "ServiceCode": _PICKUP_SERVICES[asked.level],
                "Quantity": str(len(asked.parcels)),
                "DestinationCountryCode": address.country,
                "ContainerCode": "01",
            }
        ],
        "TotalWeight": {
            "Weight": str(weight_of(asked.parcels, imperial=imperial)),
            "UnitOfMeasurement": "LBS" if imperial else "KGS",
        },
        "PaymentMethod": "01",
        "ReferenceNumber": reference_of(asked.key),
    }
    return body_of(GATEWAY, "schedule_pickup", PickupCreationRequestEnvelope, {"PickupCreationRequest": value})


def _label(label_format: LabelFormat) -> dict[str, Any]:
    return {
        "LabelImageFormat": {"Code": label_format.value.upper()},
        "LabelStockSize": {"Height": "6", "Width": "4"},
    }


def _measured(origin: Address, parcel: Parcel) -> dict[str, Any]:
    imperial = is_imperial(origin)
    length, width, height = sides_of(parcel, imperial=imperial)
    return {
        "PackageWeight": {
            "UnitOfMeasurement": {"Code": "LBS" if imperial else "KGS"},
            "Weight": str(weight_of([parcel], imperial=imperial)),
        },
        "Dimensions": {
            "UnitOfMeasurement": {"Code": "IN" if imperial else "CM"},
            "Length": str(length),
            "Width": str(width),
            "Height": str(height),
        },
    }


def _party(operation: str, address: Address) -> dict[str, Any]:
    number = digits(address.phone)
    return {
        "Name": address.name[:LINE],
        "AttentionName": address.name[:LINE],
        **({"Phone": {"Number": number}} if number else {}),
        "Address": _address(operation, address),
    }


def _address(operation: str, address: Address) -> dict[str, Any]:
    found = filled(
        {
            "AddressLine": street_lines(GATEWAY, operation, address),
            "City": address.city,
            "StateProvinceCode": address.region,
            "PostalCode": address.postal_code.replace("-", "") if address.country in _AT_HOME else address.postal_code,
            "CountryCode": address.country,
        }
    )
    if address.residential:
        found["ResidentialAddressIndicator"] = ""
    return found
