"""Rates and transit times."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from shop.external.ups.http.models import (
    RateRequestEnvelope,
    RateRequestoption,
    RateResponseEnvelope,
    RateShipment,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.parcels.places import Place, currency_of, zone
from harness.gateways.parcels.tariff import (
    Package,
    Price,
    Service,
    business_day,
    due,
    listed,
    price,
    total,
)
from harness.gateways.ups.catalog import FUEL, RESIDENTIAL
from harness.gateways.ups.desk import Desk, charge, money
from harness.gateways.ups.requests import RATING

_MAY_VARY = {"Code": "110971", "Description": "Your invoice may vary from the displayed reference rates"}


class Rating(Desk):
    """`/api/rating`."""

    async def rate(
        self,
        context: RequestContext,
        *,
        version: str,
        requestoption: RateRequestoption,
        additionalinfo: str | None,
        trans_id: str | None,
        transaction_src: str | None,
        body: RateRequestEnvelope,
    ) -> RateResponseEnvelope:
        """`Rate` the service of the request, `Shop` all of them, the fastest first."""
        request = body.rate_request
        shipment = request.shipment
        if shipment.shipper.shipper_number:
            RATING.check_shipper(shipment.shipper.shipper_number)
        origin = RATING.place("Shipper", shipment.shipper.address)
        if shipment.ship_from is not None:
            origin = RATING.place("ShipFrom", shipment.ship_from.address)
        destination = RATING.place("ShipTo", shipment.ship_to.address)
        packages = RATING.packages(shipment.package)
        RATING.check_invoice_total(shipment.invoice_line_total)
        option = str(requestoption)
        code = None if option.startswith("Shop") else shipment.service.code if shipment.service else "03"
        services = RATING.services(code, origin, destination, packages)
        timed = option.endswith("timeintransit") or additionalinfo == "timeintransit"
        shipped = self.ship_day(_pickup_date(shipment))
        ranked = sorted(services, key=lambda one: (due(one, origin, destination, shipped), one.base))
        rated = []
        for service in ranked:
            prices = [
                price(service, origin, destination, package, currency=currency_of(origin.country))
                for package in packages
            ]
            found = _rated(service, origin, destination, packages, prices, _negotiated(shipment))
            if timed:
                found["TimeInTransit"] = _in_transit(service, origin, destination, shipped)
            rated.append(found)
        response = {"Response": self.response(request.request, _MAY_VARY), "RatedShipment": rated}
        return RateResponseEnvelope.from_dict({"RateResponse": response})

    def ship_day(self, asked: datetime.date | None) -> datetime.date:
        """The day of the shipment, not before today."""
        today = datetime.datetime.fromtimestamp(self.world.clock.now(), datetime.UTC).date()
        return max(asked or today, today)


def parsed_date(text: str | None) -> datetime.date | None:
    """yyyymmdd or yyyy-mm-dd; None for anything else."""
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _pickup_date(shipment: RateShipment) -> datetime.date | None:
    times = shipment.delivery_time_information
    return parsed_date(times.pickup.date) if times is not None and times.pickup is not None else None


def _negotiated(shipment: RateShipment) -> bool:
    options = shipment.shipment_rating_options
    return options is not None and options.negotiated_rates_indicator is not None


def itemized(one: Price, currency: str) -> list[dict[str, str]]:
    """Surcharges that are not zero."""
    found = [(FUEL, "Fuel Surcharge", one.fuel), (RESIDENTIAL, "Residential Surcharge", one.residential)]
    return [
        {"Code": code, "Description": text, "CurrencyCode": currency, "MonetaryValue": money(minor)}
        for code, text, minor in found
        if minor
    ]


def billing_weight(one: Price) -> dict[str, Any]:
    """In pounds."""
    unit = {"Code": "LBS", "Description": "Pounds"}
    return {"UnitOfMeasurement": unit, "Weight": f"{one.pounds:.1f}"}


def _rated(
    service: Service,
    origin: Place,
    destination: Place,
    packages: Sequence[Package],
    prices: Sequence[Price],
    negotiated: bool,
) -> dict[str, Any]:
    currency = currency_of(origin.country)
    account = total(prices)
    lists = [listed(one) for one in prices]
    whole = total(lists)
    in_zone = zone(origin, destination)
    found: dict[str, Any] = {
        "Service": {"Code": service.code, "Description": service.name},
        "Zone": f"{in_zone:03}",
        "RatedShipmentAlert": [_MAY_VARY],
        "RatingMethod": "01",
        "BillableWeightCalculationMethod": "02",
        "BillingWeight": billing_weight(whole),
        "TransportationCharges": charge(whole.freight + whole.fuel, currency),
        "BaseServiceCharge": charge(whole.freight, currency),
        "ServiceOptionsCharges": charge(0, currency),
        "ItemizedCharges": itemized(whole, currency),
        "TaxCharges": [],
        "TotalCharges": charge(whole.total, currency),
        "RatedPackage": [_rated_package(one, package, currency) for one, package in zip(lists, packages, strict=True)],
    }
    if negotiated:
        found["NegotiatedRateCharges"] = {
            "ItemizedCharges": itemized(account, currency),
            "BaseServiceCharge": charge(account.freight - account.discount, currency),
            "TaxCharges": [],
            "TotalCharge": charge(account.total, currency),
        }
    if service.category != "GROUND":
        found["GuaranteedDelivery"] = _guaranteed(service, in_zone)
    return found


def _guaranteed(service: Service, in_zone: int) -> Mapping[str, str]:
    half = "A.M." if service.by.hour < 12 else "P.M."
    return {
        "BusinessDaysInTransit": str(service.transit_days(in_zone)),
        "DeliveryByTime": f"{service.by:%I:%M} {half}".lstrip("0"),
    }


def _rated_package(one: Price, package: Package, currency: str) -> Mapping[str, Any]:
    return {
        "BaseServiceCharge": charge(one.freight, currency),
        "TransportationCharges": charge(one.freight + one.fuel, currency),
        "ServiceOptionsCharges": charge(0, currency),
        "TotalCharges": charge(one.total, currency),
        "Weight": f"{package.pounds:.1f}",
        "BillingWeight": billing_weight(one),
        "ItemizedCharges": itemized(one, currency),
    }


def _in_transit(service: Service, origin: Place, destination: Place, shipped: datetime.date) -> Mapping[str, Any]:
    arrival = due(service, origin, destination, shipped)
    pickup = business_day(shipped)
    return {
        "PickupDate": f"{pickup:%Y%m%d}",
        "PackageBillType": "03",
        "Disclaimer": "All services are guaranteed, except for UPS Ground.",
        "ServiceSummary": {
            "Service": {"Description": service.name},
            "GuaranteedIndicator": "0" if service.category == "GROUND" else "1",
            "SaturdayDelivery": "0",
            "EstimatedArrival": {
                "Arrival": {"Date": f"{arrival:%Y%m%d}", "Time": f"{arrival:%H%M%S}"},
                "BusinessDaysInTransit": str(service.transit_days(zone(origin, destination))),
                "TotalTransitDays": str((arrival.date() - pickup).days),
                "Pickup": {"Date": f"{pickup:%Y%m%d}", "Time": "170000"},
                "DayOfWeek": f"{arrival:%a}".upper(),
                "CustomerCenterCutoff": "150000",
            },
        },
    }
