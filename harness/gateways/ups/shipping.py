"""Shipments with their labels."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from shop.external.ups.http.models import (
    ReferenceNumber,
    ShipPackage,
    ShipParty,
    Shipper,
    ShipRequestEnvelope,
    ShipResponseEnvelope,
    ShipShipment,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.labels.label import Label, as_gif, as_pdf, as_png, as_zpl
from harness.gateways.parcels.journey import Shipment
from harness.gateways.parcels.places import Place, currency_of, zone
from harness.gateways.parcels.tariff import Price, Service, due, listed, price, total
from harness.gateways.ups.catalog import LABEL_FORMATS
from harness.gateways.ups.desk import charge, customer_context, refuse_if_scripted
from harness.gateways.ups.errors import refused
from harness.gateways.ups.numbers import tracking_number
from harness.gateways.ups.rating import Rating, billing_weight, itemized, parsed_date
from harness.gateways.ups.requests import SHIPPING

_WRITERS: Mapping[str, Callable[[Label], bytes]] = {
    "GIF": partial(as_gif, sideways=True),
    "PNG": partial(as_png, sideways=True),
    "PDF": as_pdf,
    "ZPL": as_zpl,
}
_SERIAL_DIGITS = 7


class Shipping(Rating):
    """`/api/shipments/.../ship`."""

    async def ship(
        self,
        context: RequestContext,
        *,
        version: str,
        additionaladdressvalidation: str | None,
        trans_id: str | None,
        transaction_src: str | None,
        body: ShipRequestEnvelope,
    ) -> ShipResponseEnvelope:
        """Every call makes a shipment, also one that is equal to an earlier one."""
        request = body.shipment_request
        asked = request.shipment
        account = SHIPPING.check_shipper(asked.shipper.shipper_number)
        origin, destination = _places(asked)
        packages = SHIPPING.packages(asked.package)
        SHIPPING.check_invoice_total(asked.invoice_line_total)
        if not any(one.type == "01" for one in asked.payment_information.shipment_charge):
            raise refused("120410")
        image = request.label_specification.label_image_format.code.upper()
        if image not in LABEL_FORMATS:
            raise refused("120702")
        service = SHIPPING.services(asked.service.code, origin, destination, packages)[0]
        refuse_if_scripted(context)
        currency = currency_of(origin.country)
        prices = [price(service, origin, destination, package, currency=currency) for package in packages]
        shipment = self._shipment(asked, account, service, origin, destination)
        shipment |= {"image": image, "amount": total(prices).total, "context": customer_context(request.request)}
        self._book(shipment)
        results = self._results(shipment, prices, negotiated=_negotiated(asked))
        response = {"Response": self.response(request.request), "ShipmentResults": results}
        return ShipResponseEnvelope.from_dict({"ShipmentResponse": response})

    def _shipment(
        self, asked: ShipShipment, account: str, service: Service, origin: Place, destination: Place
    ) -> Shipment:
        """A record that is plain data."""
        day = self.ship_day(parsed_date(asked.shipment_date))
        pieces = [
            {
                "number": self._tracking_number(account, service.code),
                "weight": _weight(package),
                "references": _references(package.reference_number),
                "voided": False,
            }
            for package in asked.package
        ]
        sender = asked.ship_from or asked.shipper
        return {
            "number": pieces[0]["number"],
            "account": account,
            "service": service.code,
            "service_name": service.name,
            "currency": currency_of(origin.country),
            "zone": zone(origin, destination),
            "shipped": day.isoformat(),
            "due": due(service, origin, destination, day).timestamp(),
            "origin": _where(origin),
            "destination": _where(destination),
            "ship_from": _lines(sender),
            "ship_to": _lines(asked.ship_to),
            "recipient": asked.ship_to.attention_name or asked.ship_to.name,
            "references": _references(asked.reference_number),
            "pieces": pieces,
            "stage": "",
            "held": False,
            "events": [],
        }

    def _tracking_number(self, account: str, service: str) -> str:
        while (found := tracking_number(account, service, self.world.ids.digits(_SERIAL_DIGITS))) in self.state.firsts:
            continue
        return found

    def _book(self, shipment: Shipment) -> None:
        """Into the state and the ledger, and on its way."""
        first = shipment["number"]
        numbers = [piece["number"] for piece in shipment["pieces"]]
        self.state.shipments[first] = shipment
        self.state.firsts.update(dict.fromkeys(numbers, first))
        self.world.ledger.record(
            "shipment",
            id=first,
            amount=shipment["amount"],
            currency=shipment["currency"],
            reference=reference_of(shipment),
            key=shipment["context"],
            data={"service": shipment["service"], "tracking_numbers": numbers, "tracking_status": "created"},
        )
        self.journeys.begin(shipment, shipment["due"])

    def _results(self, shipment: Shipment, prices: Sequence[Price], *, negotiated: bool) -> dict[str, Any]:
        currency = shipment["currency"]
        account, whole = total(prices), total(listed(one) for one in prices)
        found: dict[str, Any] = {
            "ShipmentCharges": {
                "BaseServiceCharge": charge(whole.freight, currency),
                "TransportationCharges": charge(whole.freight + whole.fuel, currency),
                "ItemizedCharges": itemized(whole, currency),
                "ServiceOptionsCharges": charge(0, currency),
                "TotalCharges": charge(whole.total, currency),
            },
            "RatingMethod": "01",
            "BillableWeightCalculationMethod": "02",
            "BillingWeight": billing_weight(whole),
            "ShipmentIdentificationNumber": shipment["number"],
            "PackageResults": [
                {
                    "TrackingNumber": piece["number"],
                    "BaseServiceCharge": charge(listed(one).freight, currency),
                    "ServiceOptionsCharges": charge(0, currency),
                    "ShippingLabel": {
                        "ImageFormat": coded(shipment["image"]),
                        "GraphicImage": self.image(shipment, position, shipment["image"]),
                    },
                    "ItemizedCharges": itemized(listed(one), currency),
                }
                for position, (piece, one) in enumerate(zip(shipment["pieces"], prices, strict=True), start=1)
            ],
        }
        if negotiated:
            found["NegotiatedRateCharges"] = {
                "ItemizedCharges": itemized(account, currency),
                "TotalCharge": charge(account.total, currency),
            }
        return found

    def image(self, shipment: Shipment, position: int, image: str) -> str:
        """A label in base64."""
        piece = shipment["pieces"][position - 1]
        label = Label(
            carrier="UPS",
            service=shipment["service_name"].replace("®", "").upper(),
            tracking_number=piece["number"],
            ship_from=shipment["ship_from"],
            ship_to=shipment["ship_to"],
            reference=reference_of(shipment),
            weight=piece["weight"],
            piece=position,
            pieces=len(shipment["pieces"]),
        )
        return base64.b64encode(_WRITERS[image](label)).decode()

    def by_reference(self, value: str) -> list[Shipment]:
        """Shipments with a reference number, or whose ship request had it as its context; the oldest first."""
        return [
            shipment
            for shipment in self.state.shipments.values()
            if value == shipment["context"]
            or any(given == value for _, given in shipment["references"])
            or any(given == value for piece in shipment["pieces"] for _, given in piece["references"])
        ]


def _places(asked: ShipShipment) -> tuple[Place, Place]:
    origin = SHIPPING.place("Shipper", asked.shipper.address)
    if asked.ship_from is not None:
        sender = SHIPPING.place("ShipFrom", asked.ship_from.address)
        if sender.country != origin.country:
            raise refused("120317")
        origin = sender
    return origin, SHIPPING.place("ShipTo", asked.ship_to.address)


def _negotiated(asked: ShipShipment) -> bool:
    options = asked.shipment_rating_options
    return options is not None and options.negotiated_rates_indicator is not None


def reference_of(shipment: Shipment) -> str:
    """The shipper's reference: of the shipment, of its first package, else the context of the request."""
    given = [value for _, value in shipment["references"]]
    given += [value for piece in shipment["pieces"] for _, value in piece["references"]]
    return str(given[0] if given else shipment["context"])


def _references(given: Sequence[ReferenceNumber] | None) -> list[list[str]]:
    return [[one.code or "", one.value] for one in given or ()]


def _weight(package: ShipPackage) -> str:
    weight = package.package_weight
    return f"{weight.weight} {weight.unit_of_measurement.code}" if weight is not None else ""


def coded(image: str) -> dict[str, str]:
    """A label format with its description."""
    return {"Code": image, "Description": image}


def _where(place: Place) -> dict[str, str]:
    return {
        "city": place.city.upper(),
        "state": place.state,
        "postal_code": place.postal_code,
        "country": place.country,
    }


def _lines(party: Shipper | ShipParty) -> list[str]:
    """An address as it stands on a label."""
    address = party.address
    town = " ".join(part for part in (address.city, address.state_province_code, address.postal_code) if part)
    names = dict.fromkeys(name for name in (party.attention_name, party.name) if name)
    return [line for line in (*names, *(address.address_line or []), town, address.country_code) if line]
