"""The answer to a ship request."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from harness.gateways.fedex.catalog import PACKAGINGS, transit_text
from harness.gateways.fedex.desk import amount
from harness.gateways.fedex.rates import service_description, service_number, surcharges
from harness.gateways.parcels.journey import Shipment
from harness.gateways.parcels.tariff import DIM_DIVISOR, FUEL_PERCENT, Price, Service, listed, total


def shipped_output(
    shipment: Shipment, service: Service, prices: Sequence[Price], documents: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """`output`: one transaction shipment with all pieces."""
    return {
        "transactionShipments": [
            {
                "serviceType": service.code,
                "shipDatestamp": shipment["shipped"],
                "serviceCategory": service.category,
                "shipmentDocuments": [],
                "pieceResponses": [
                    _piece(shipment, service, number, one, document)
                    for number, (one, document) in enumerate(zip(prices, documents, strict=True), start=1)
                ],
                "serviceName": service.name,
                "alerts": [],
                "completedShipmentDetail": _completed(shipment, service, prices),
                "masterTrackingNumber": shipment["number"],
            }
        ],
    }


def _piece(
    shipment: Shipment, service: Service, number: int, one: Price, document: Mapping[str, Any]
) -> Mapping[str, Any]:
    piece = shipment["pieces"][number - 1]
    return {
        "netChargeAmount": amount(one.total),
        "packageDocuments": [document],
        "acceptanceTrackingNumber": piece["number"],
        "serviceCategory": service.category,
        "deliveryDatestamp": _arrival(shipment).date().isoformat(),
        "trackingIdType": _id_type(service),
        "additionalChargesDiscount": 0,
        "netListRateAmount": amount(listed(one).total),
        "baseRateAmount": amount(one.freight),
        "packageSequenceNumber": number,
        "netDiscountAmount": amount(one.discount),
        "codcollectionAmount": 0,
        "masterTrackingNumber": shipment["number"],
        "acceptanceType": "",
        "trackingNumber": piece["number"],
        "successful": True,
        "customerReferences": [{"customerReferenceType": kind, "value": value} for kind, value in piece["references"]],
        "netRateAmount": amount(one.total),
        "currency": shipment["currency"],
    }


def _completed(shipment: Shipment, service: Service, prices: Sequence[Price]) -> Mapping[str, Any]:
    origin, destination = shipment["origin"], shipment["destination"]
    return {
        "completedPackageDetails": [
            {
                "sequenceNumber": number,
                "trackingIds": [_tracking_id(service, piece["number"])],
                "groupNumber": 0,
                "signatureOption": "SERVICE_DEFAULT",
            }
            for number, piece in enumerate(shipment["pieces"], start=1)
        ],
        "operationalDetail": _operational(shipment, service),
        "carrierCode": "FDXG" if service.category == "GROUND" else "FDXE",
        "packagingDescription": PACKAGINGS[shipment["packaging"]],
        "masterTrackingId": _tracking_id(service, shipment["number"]),
        "serviceDescription": service_description(service),
        "usDomestic": origin["country"] == destination["country"] == "US",
        "shipmentRating": {
            "actualRateType": "PAYOR_ACCOUNT_PACKAGE",
            "shipmentRateDetails": [
                _rate_detail(shipment, "PAYOR_ACCOUNT_PACKAGE", total(prices)),
                _rate_detail(shipment, "PAYOR_LIST_PACKAGE", total(listed(one) for one in prices)),
            ],
        },
    }


def _operational(shipment: Shipment, service: Service) -> Mapping[str, Any]:
    arrival, destination = _arrival(shipment), shipment["destination"]
    return {
        "originServiceArea": "A1",
        "destinationServiceArea": "A1",
        "serviceCode": service_number(service),
        "scac": "FDEG" if service.category == "GROUND" else "FDE",
        "deliveryDay": f"{arrival:%a}".upper(),
        "deliveryDate": arrival.date().isoformat(),
        "commitDate": f"{arrival:%Y-%m-%dT%H:%M:%S}",
        "transitTime": transit_text(service.transit_days(shipment["zone"])),
        "countryCode": destination["country"],
        "postalCode": destination["postal_code"],
        "stateOrProvinceCode": destination["state"],
        "ineligibleForMoneyBackGuarantee": service.category == "GROUND",
    }


def _rate_detail(shipment: Shipment, rate_type: str, whole: Price) -> Mapping[str, Any]:
    return {
        "rateZone": str(shipment["zone"]),
        "ratedWeightMethod": "ACTUAL",
        "rateType": rate_type,
        "dimDivisor": DIM_DIVISOR,
        "fuelSurchargePercent": float(FUEL_PERCENT),
        "totalBillingWeight": {"units": "LB", "value": whole.pounds},
        "totalBaseCharge": amount(whole.freight),
        "totalFreightDiscounts": amount(whole.discount),
        "totalNetFreight": amount(whole.freight - whole.discount),
        "totalSurcharges": amount(whole.surcharges),
        "totalNetFedExCharge": amount(whole.total),
        "totalTaxes": 0,
        "totalNetCharge": amount(whole.total),
        "totalNetChargeWithDutiesAndTaxes": amount(whole.total),
        "surcharges": surcharges(whole, "surchargeType"),
        "currency": shipment["currency"],
    }


def _tracking_id(service: Service, number: str) -> Mapping[str, str]:
    return {"formId": "0201", "trackingIdType": _id_type(service), "trackingNumber": number}


def _id_type(service: Service) -> str:
    return "GROUND" if service.category == "GROUND" else "FEDEX"


def _arrival(shipment: Shipment) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(shipment["due"], datetime.UTC)
