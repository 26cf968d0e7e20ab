"""Shipments: create with labels, cancel, fetch a label by URL."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from shop.external.fedex.http.models import (
    CancelShipmentRequest,
    CancelShipmentResponse,
    PackageLineItem,
    RequestedShipment,
    ShipParty,
    ShipRequest,
    ShipResponse,
)
from shop.runtime.http_requests import RequestContext
from shop.runtime.http_server import Reply

from harness.gateways.fedex.catalog import LABEL_TYPES
from harness.gateways.fedex.desk import refuse_if_scripted
from harness.gateways.fedex.errors import FedexProblem, customer_transaction, refused
from harness.gateways.fedex.rates import Rates
from harness.gateways.fedex.requests import check_account, check_currency, check_places, offered, packages_of, place_of
from harness.gateways.fedex.shipped import shipped_output
from harness.gateways.labels.label import Label, as_pdf, as_png, as_zpl
from harness.gateways.parcels.journey import CANCELLED, Shipment, handed_over
from harness.gateways.parcels.places import Place, currency_of, zone
from harness.gateways.parcels.tariff import Package, Price, Service, due, price, total

_WRITERS: Mapping[str, Callable[[Label], bytes]] = {"PDF": as_pdf, "PNG": as_png, "ZPLII": as_zpl}
_WEIGHTS = (3, 1, 7)


class Shipments(Rates):
    """`/ship/v1` and `/document/v2`."""

    async def create_shipment(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: ShipRequest,
    ) -> ShipResponse:
        """Every call makes a shipment, also one that is equal to an earlier one."""
        asked = body.requested_shipment
        account = check_account(body.account_number.value)
        _check(body, account)
        origin, destination = place_of(asked.shipper.address), place_of(asked.recipients[0].address)
        check_places(origin, destination)
        packages = packages_of(asked.requested_package_line_items)
        service = offered(
            asked.service_type, origin, destination, [package for _, package in packages], asked.packaging_type
        )[0]
        currency = check_currency(asked.preferred_currency or currency_of(origin.country))
        refuse_if_scripted(context)
        prices = [price(service, origin, destination, package, currency=currency) for _, package in packages]
        shipment = self._shipment(asked, account, service, packages, prices, currency, context)
        self._book(shipment, prices)
        inline = body.label_response_options == "LABEL"
        documents = [self._document(shipment, number, inline=inline) for number in range(1, len(packages) + 1)]
        return self.answer(ShipResponse, context, shipped_output(shipment, service, prices, documents))

    def _shipment(
        self,
        asked: RequestedShipment,
        account: str,
        service: Service,
        packages: Sequence[tuple[PackageLineItem, Package]],
        prices: Sequence[Price],
        currency: str,
        context: RequestContext,
    ) -> Shipment:
        """A record that is plain data."""
        origin, destination = place_of(asked.shipper.address), place_of(asked.recipients[0].address)
        day = self.ship_day(asked.ship_datestamp)
        pieces = [self._piece(item) for item, _ in packages]
        return {
            "number": pieces[0]["number"],
            "account": account,
            "service": service.code,
            "packaging": asked.packaging_type,
            "currency": currency,
            "amount": total(prices).total,
            "zone": zone(origin, destination),
            "shipped": day.isoformat(),
            "due": due(service, origin, destination, day).timestamp(),
            "origin": _where(origin),
            "destination": _where(destination),
            "shipper": asked.shipper.to_dict(),
            "recipient": asked.recipients[0].to_dict(),
            "ship_from": _lines(asked.shipper),
            "ship_to": _lines(asked.recipients[0]),
            "label_type": asked.label_specification.image_type,
            "transaction": customer_transaction(context),
            "pieces": pieces,
            "stage": "",
            "held": False,
            "events": [],
        }

    def _piece(self, item: PackageLineItem) -> dict[str, Any]:
        references = [[one.customer_reference_type, one.value] for one in item.customer_references or [] if one.value]
        return {
            "number": self._tracking_number(),
            "weight": f"{item.weight.value} {item.weight.units}",
            "references": references,
        }

    def _tracking_number(self) -> str:
        """Twelve digits, the last of which checks the others: weights 3, 1, 7 from the left, modulo 11, then 10."""
        while True:
            digits = "79" + self.world.ids.digits(9)
            check = sum(int(digit) * _WEIGHTS[place % 3] for place, digit in enumerate(digits)) % 11 % 10
            if digits + str(check) not in self.state.masters:
                return digits + str(check)

    def _book(self, shipment: Shipment, prices: Sequence[Price]) -> None:
        """Into the state and the ledger, and on its way."""
        master = shipment["number"]
        self.state.shipments[master] = shipment
        numbers = [piece["number"] for piece in shipment["pieces"]]
        self.state.masters.update(dict.fromkeys(numbers, master))
        self.world.ledger.record(
            "shipment",
            id=master,
            amount=total(prices).total,
            currency=shipment["currency"],
            reference=reference_of(shipment),
            key=shipment["transaction"],
            data={"service": shipment["service"], "tracking_numbers": numbers, "tracking_status": "created"},
        )
        self.journeys.begin(shipment, shipment["due"])

    def _document(self, shipment: Shipment, number: int, *, inline: bool) -> dict[str, Any]:
        piece = shipment["pieces"][number - 1]
        found = {
            "contentType": "LABEL",
            "copiesToPrint": 1,
            "docType": shipment["label_type"],
            "trackingNumber": piece["number"],
        }
        if inline:
            return {**found, "encodedLabel": base64.b64encode(self._label(shipment, number)).decode()}
        key = f"SH,{self.world.ids.hex(32)},{piece['number']}"
        self.state.documents[key] = (shipment["number"], number)
        return {**found, "url": f"{self.world.url}/document/v2/document/retrieve/{key}"}

    def _label(self, shipment: Shipment, number: int) -> bytes:
        piece = shipment["pieces"][number - 1]
        label = Label(
            carrier="FedEx",
            service=shipment["service"].replace("_", " "),
            tracking_number=piece["number"],
            ship_from=shipment["ship_from"],
            ship_to=shipment["ship_to"],
            reference=reference_of(shipment),
            weight=piece["weight"],
            piece=number,
            pieces=len(shipment["pieces"]),
        )
        return _WRITERS[shipment["label_type"]](label)

    async def get_document(self, context: RequestContext, *, document_key: str) -> Reply[bytes | AsyncIterator[bytes]]:
        """A label that a ship response gave the URL of."""
        found = self.state.documents.get(document_key)
        if found is None:
            raise FedexProblem(404, "NOT.FOUND.ERROR")
        shipment = self.state.shipments[found[0]]
        return Reply(self._label(shipment, found[1]), media_type=LABEL_TYPES[shipment["label_type"]])

    async def cancel_shipment(
        self,
        context: RequestContext,
        *,
        x_customer_transaction_id: str | None,
        x_locale: str | None,
        body: CancelShipmentRequest,
    ) -> CancelShipmentResponse:
        """Only before the packages were handed over, and by the account that ships."""
        account = check_account(body.account_number.value)
        shipment = self.find(body.tracking_number)
        if shipment is None:
            raise refused("TRACKING.TRACKINGNUMBER.NOTFOUND")
        if shipment["account"] != account:
            raise refused("SHIPMENT.USER.UNAUTHORIZED")
        if shipment["stage"] == CANCELLED:
            raise refused("CANCELSHIPMENT.TRACKINGNUMBER.DELETED")
        if handed_over(shipment):
            raise refused("TRACKINGIDS.TRACKINGNUMBER.CLOSED")
        refuse_if_scripted(context)
        self.journeys.cancel(shipment)
        self.world.ledger.record(
            "void",
            id=f"void-{shipment['number']}",
            amount=shipment["amount"],
            currency=shipment["currency"],
            reference=reference_of(shipment),
            key=customer_transaction(context),
            data={"shipment": shipment["number"]},
        )
        output = {"cancelledShipment": True, "cancelledHistory": True, "successMessage": "Success"}
        return self.answer(CancelShipmentResponse, context, output)


def _check(body: ShipRequest, account: str) -> None:
    """What only ship requests have."""
    asked = body.requested_shipment
    payment = asked.shipping_charges_payment
    party = payment.payor.responsible_party if payment.payor is not None else None
    payor = party.account_number.value if party is not None and party.account_number is not None else account
    if payment.payment_type == "SENDER" and payor != account:
        raise refused("ACCOUNT.NUMBER.MISMATCH")
    if not asked.shipper.contact.phone_number:
        raise refused("SHIPPER.CONTACT.PHONENUMBER.INVALID")
    if not asked.recipients[0].contact.phone_number:
        raise refused("RECIPIENT.CONTACT.PHONENUMBER.INVALID")
    if asked.label_specification.image_type not in LABEL_TYPES:
        raise refused("LABELIMAGETYPE.INVALID")
    if body.one_label_at_a_time and len(asked.requested_package_line_items) > 1:
        raise refused("ONELABELATATIME.NOTSUPPORTED")


def reference_of(shipment: Shipment) -> str:
    """The shipper's reference: the first of a package, else the number of the request."""
    given = [value for piece in shipment["pieces"] for _, value in piece["references"]]
    return str(given[0] if given else shipment["transaction"])


def _where(place: Place) -> dict[str, str]:
    return {
        "city": place.city.upper(),
        "state": place.state,
        "postal_code": place.postal_code,
        "country": place.country,
    }


def _lines(party: ShipParty) -> list[str]:
    """An address as it stands on a label."""
    address, contact = party.address, party.contact
    town = " ".join(part for part in (address.city, address.state_or_province_code, address.postal_code) if part)
    names = (contact.person_name, contact.company_name)
    return [line for line in (*names, *(address.street_lines or []), town, address.country_code) if line]
