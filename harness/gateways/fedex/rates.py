"""Rates and transit times."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from shop.external.fedex.http.models import RateRequest, RateResponse
from shop.runtime.http_requests import RequestContext

from harness.gateways.fedex.catalog import transit_text
from harness.gateways.fedex.desk import Desk, amount
from harness.gateways.fedex.errors import refused
from harness.gateways.fedex.requests import check_account, check_currency, check_places, offered, packages_of, place_of
from harness.gateways.parcels.places import Place, currency_of, zone
from harness.gateways.parcels.tariff import (
    DIM_DIVISOR,
    FUEL_PERCENT,
    Package,
    Price,
    Service,
    due,
    listed,
    price,
    total,
)


class Rates(Desk):
    """`/rate/v1`."""

    async def quote_rates(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: RateRequest,
    ) -> RateResponse:
        """One detail for each service, the fastest first."""
        shipment = body.requested_shipment
        check_account(body.account_number.value)
        origin, destination = place_of(shipment.shipper.address), place_of(shipment.recipient.address)
        check_places(origin, destination)
        packages = [package for _, package in packages_of(shipment.requested_package_line_items)]
        packaging = shipment.packaging_type or "YOUR_PACKAGING"
        services = offered(shipment.service_type, origin, destination, packages, packaging)
        types = {str(one) for one in shipment.rate_request_type}
        if "PREFERRED" in types and shipment.preferred_currency is None:
            raise refused("CURRENCY.TYPE.INVALID")
        preferred = check_currency(shipment.preferred_currency or currency_of(origin.country))
        shipped = self.ship_day(shipment.ship_date_stamp)
        details = []
        for service in sorted(services, key=lambda one: (due(one, origin, destination, shipped), one.base)):
            detail = service_detail(service, origin, destination, shipped)
            detail["packagingType"] = packaging
            detail["ratedShipmentDetails"] = [
                _rated(service, origin, destination, packages, rate_type, currency)
                for rate_type, currency in _rate_types(types, currency_of(origin.country), preferred)
            ]
            details.append(detail)
        output = {"rateReplyDetails": details, "quoteDate": shipped.isoformat(), "encoded": False}
        return self.answer(RateResponse, context, output)

    def ship_day(self, asked: datetime.date | None) -> datetime.date:
        """The day of the shipment, not before today."""
        today = datetime.datetime.fromtimestamp(self.world.clock.now(), datetime.UTC).date()
        return max(asked or today, today)


def _rate_types(asked: set[str], account: str, preferred: str) -> Sequence[tuple[str, str]]:
    found = [("ACCOUNT", account)]
    if "LIST" in asked:
        found.append(("LIST", account))
    if "PREFERRED" in asked:
        found.append(("PREFERRED_CURRENCY", preferred))
    return found


def service_detail(service: Service, origin: Place, destination: Place, shipped: datetime.date) -> dict[str, Any]:
    """What a service is, and when it would arrive."""
    arrival = due(service, origin, destination, shipped)
    days = transit_text(service.transit_days(zone(origin, destination)))
    day, local = f"{arrival:%a}".upper(), f"{arrival:%Y-%m-%dT%H:%M:%S}"
    return {
        "serviceType": service.code,
        "serviceName": service.name,
        "signatureOptionType": "SERVICE_DEFAULT",
        "commit": {
            "dateDetail": {"dayOfWeek": day, "dayFormat": local},
            "transitDays": {"minimumTransitTime": days, "description": days.replace("_", " ").capitalize()},
            "saturdayDelivery": False,
        },
        "operationalDetail": {
            "originServiceAreas": ["A1"],
            "destinationServiceAreas": ["A1"],
            "ineligibleForMoneyBackGuarantee": service.category == "GROUND",
            "serviceCode": service_number(service),
            "transitTime": days,
            "deliveryDay": day,
            "deliveryDate": f"{arrival:%Y-%m-%d}",
            "commitDate": local,
        },
        "serviceDescription": service_description(service),
    }


def service_number(service: Service) -> str:
    """FedEx's two digits of a service; the mock's are those of its place in the alphabet."""
    return f"{sum(service.code.encode()) % 90 + 10}"


def service_description(service: Service) -> dict[str, Any]:
    """Its names."""
    return {
        "serviceId": f"EP10000{service_number(service)}",
        "serviceType": service.code,
        "code": service_number(service),
        "names": [
            {"type": "long", "encoding": "utf-8", "value": service.name},
            {"type": "short", "encoding": "utf-8", "value": service.code},
        ],
        "serviceCategory": "parcel",
        "description": service.name.replace("®", ""),
        "astraDescription": service.code[:12],
    }


def _rated(
    service: Service,
    origin: Place,
    destination: Place,
    packages: Sequence[Package],
    rate_type: str,
    currency: str,
) -> Mapping[str, Any]:
    prices = [price(service, origin, destination, package, currency=currency) for package in packages]
    if rate_type == "LIST":
        prices = [listed(one) for one in prices]
    whole = total(prices)
    return {
        "rateType": rate_type,
        "ratedWeightMethod": "ACTUAL",
        "totalDiscounts": amount(whole.discount),
        "totalBaseCharge": amount(whole.freight),
        "totalNetCharge": amount(whole.total),
        "totalNetFedExCharge": amount(whole.total),
        "totalDutiesAndTaxes": 0,
        "totalNetChargeWithDutiesAndTaxes": amount(whole.total),
        "totalDutiesTaxesAndFees": 0,
        "totalAncillaryFeesAndTaxes": 0,
        "shipmentRateDetail": {
            "rateZone": str(zone(origin, destination)),
            "dimDivisor": DIM_DIVISOR,
            "fuelSurchargePercent": float(FUEL_PERCENT),
            "totalSurcharges": amount(whole.surcharges),
            "totalFreightDiscount": amount(whole.discount),
            "surCharges": surcharges(whole, "type"),
            "pricingCode": "PACKAGE",
            "totalBillingWeight": {"units": "LB", "value": whole.pounds},
            "currency": currency,
        },
        "ratedPackages": [
            _rated_package(number, one, rate_type, currency) for number, one in enumerate(prices, start=1)
        ],
        "currency": currency,
    }


def _rated_package(number: int, one: Price, rate_type: str, currency: str) -> Mapping[str, Any]:
    return {
        "groupNumber": 0,
        "effectiveNetDiscount": amount(one.discount),
        "sequenceNumber": number,
        "packageRateDetail": {
            "rateType": f"PAYOR_{rate_type}_PACKAGE",
            "ratedWeightMethod": "ACTUAL",
            "baseCharge": amount(one.freight),
            "netFreight": amount(one.freight - one.discount),
            "totalSurcharges": amount(one.surcharges),
            "netFedExCharge": amount(one.total),
            "totalTaxes": 0,
            "netCharge": amount(one.total),
            "totalRebates": 0,
            "billingWeight": {"units": "LB", "value": one.pounds},
            "totalFreightDiscounts": amount(one.discount),
            "surcharges": surcharges(one, "type"),
            "currency": currency,
        },
    }


def surcharges(one: Price, key: str) -> list[dict[str, Any]]:
    """Those that are not zero; rating and shipping name their type differently."""
    found = [("FUEL", "Fuel Surcharge", one.fuel), ("RESIDENTIAL_DELIVERY", "Residential surcharge", one.residential)]
    return [
        {key: kind, "description": text, "level": "PACKAGE", "amount": amount(minor)}
        for kind, text, minor in found
        if minor
    ]
