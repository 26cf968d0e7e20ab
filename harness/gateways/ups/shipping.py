"""Shipments: create with labels, void, recover labels."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from shop.external.ups.http.models import (
    LabelRecoveryRequest,
    LabelRecoveryRequestEnvelope,
    LabelRecoveryResponseEnvelope,
    ReferenceNumber,
    ShipPackage,
    ShipParty,
    Shipper,
    ShipRequestEnvelope,
    ShipResponseEnvelope,
    ShipShipment,
    VoidResponseEnvelope,
)
from shop.runtime.http_requests import RequestContext

from harness.gateways.labels.label import Label, as_gif, as_pdf, as_png, as_zpl
from harness.gateways.parcels.journey import CANCELLED, Shipment, handed_over
from harness.gateways.parcels.places import Place, currency_of, zone
from harness.gateways.parcels.tariff import Price, Service, due, listed, price, total
from harness.gateways.ups.catalog import LABEL_FORMATS
from harness.gateways.ups.desk import charge, customer_context, refuse_if_scripted
from harness.gateways.ups.errors import refused
from harness.gateways.ups.numbers import is_number, tracking_number
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
    """`/api/shipments` and `/api/labels`."""

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
                        "ImageFormat": _coded(shipment["image"]),
                        "GraphicImage": self._image(shipment, position, shipment["image"]),
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

    def _image(self, shipment: Shipment, position: int, image: str) -> str:
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

    async def void_shipment(
        self,
        context: RequestContext,
        *,
        version: str,
        shipmentidentificationnumber: str,
        trackingnumber: list[str] | None,
        trans_id: str | None,
        transaction_src: str | None,
    ) -> VoidResponseEnvelope:
        """Only before pickup. With all packages voided the shipment is."""
        number = shipmentidentificationnumber.upper()
        if not is_number(number):
            raise refused("190100")
        shipment = self.state.shipments.get(number)
        if shipment is None:
            raise refused("190102")
        if shipment["stage"] == CANCELLED:
            raise refused("190117")
        if handed_over(shipment):
            raise refused("190101")
        pieces = _chosen(shipment, trackingnumber)
        refuse_if_scripted(context)
        for piece in pieces:
            piece["voided"] = True
        if all(piece["voided"] for piece in shipment["pieces"]):
            self._void(shipment)
        voided = {"Code": "1", "Description": "Voided"}
        response: dict[str, Any] = {"Response": self.response(), "SummaryResult": {"Status": voided}}
        if trackingnumber:
            levels = [{"TrackingNumber": piece["number"], "Status": voided} for piece in pieces]
            response["PackageLevelResult"] = levels
        return VoidResponseEnvelope.from_dict({"VoidShipmentResponse": response})

    def _void(self, shipment: Shipment) -> None:
        self.journeys.cancel(shipment)
        self.world.ledger.record(
            "void",
            id=f"void-{shipment['number']}",
            amount=shipment["amount"],
            currency=shipment["currency"],
            reference=reference_of(shipment),
            data={"shipment": shipment["number"]},
        )

    async def recover_label(
        self,
        context: RequestContext,
        *,
        version: str,
        trans_id: str | None,
        transaction_src: str | None,
        body: LabelRecoveryRequestEnvelope,
    ) -> LabelRecoveryResponseEnvelope:
        """By a tracking number, or by a reference with the shipper's number: then the newest shipment's."""
        request = body.label_recovery_request
        shipment, pieces = self._recovered(request)
        if shipment["stage"] == CANCELLED:
            raise refused("300033")
        wanted = request.label_specification
        image = wanted.label_image_format.code.upper() if wanted is not None else shipment["image"]
        if image not in LABEL_FORMATS:
            raise refused("120702")
        self.state.recoveries += 1
        self.world.ledger.record(
            "label_recovery",
            id=f"recovery-{self.state.recoveries}-{shipment['number']}",
            reference=reference_of(shipment),
            data={"shipment": shipment["number"], "format": image},
        )
        results = [
            {
                "TrackingNumber": shipment["pieces"][position - 1]["number"],
                "LabelImage": {
                    "LabelImageFormat": _coded(image),
                    "GraphicImage": self._image(shipment, position, image),
                },
            }
            for position in pieces
        ]
        response = {
            "Response": self.response(request.request),
            "ShipmentIdentificationNumber": shipment["number"],
            "LabelResults": results,
        }
        return LabelRecoveryResponseEnvelope.from_dict({"LabelRecoveryResponse": response})

    def _recovered(self, request: LabelRecoveryRequest) -> tuple[Shipment, Sequence[int]]:
        """A shipment, and which of its packages."""
        number, values = request.tracking_number, request.reference_values
        if number:
            if not is_number(number.upper()):
                raise refused("300014")
            shipment = self.find(number.upper())
            if shipment is None:
                raise refused("300007")
            numbers = [piece["number"] for piece in shipment["pieces"]]
            whole = range(1, len(numbers) + 1)
            return shipment, whole if number.upper() == shipment["number"] else [numbers.index(number.upper()) + 1]
        if values is None:
            raise refused("300005")
        found = [
            shipment
            for shipment in self.by_reference(values.reference_number.value)
            if shipment["account"] == values.shipper_number.upper()
        ]
        if not found:
            raise refused("300007")
        return found[-1], range(1, len(found[-1]["pieces"]) + 1)

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


def _chosen(shipment: Shipment, numbers: Sequence[str] | None) -> list[dict[str, Any]]:
    """The packages to void."""
    pieces: list[dict[str, Any]] = shipment["pieces"]
    if not numbers:
        return [piece for piece in pieces if not piece["voided"]]
    by_number = {piece["number"]: piece for piece in pieces}
    if not all(number in by_number for number in numbers):
        raise refused("190109")
    if any(by_number[number]["voided"] for number in numbers):
        raise refused("190117")
    return [by_number[number] for number in dict.fromkeys(numbers)]


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


def _coded(image: str) -> dict[str, str]:
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
