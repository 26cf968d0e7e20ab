"""FedEx through karrio, unmodified."""

from __future__ import annotations

import datetime
import io

import pypdf
import pytest

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.fedex.conftest import connect
from tests.harness.gateways.karrio_sdk import PARCEL, RECIPIENT, Carrier, label_of

DAY = 86_400


def test_rates_of_all_services_come_with_transit_days(carrier: Carrier) -> None:
    rates, messages = carrier.rates()
    assert messages == []
    found = {rate.service: rate for rate in rates}
    assert {"fedex_ground", "fedex_ground_home_delivery", "fedex_2_day", "fedex_priority_overnight"} <= found.keys()
    assert found["fedex_2_day"].transit_days == 2
    assert found["fedex_ground"].total_charge < found["fedex_priority_overnight"].total_charge
    assert {rate.currency for rate in rates} == {"USD"}
    charged = {charge.name for charge in found["fedex_ground"].extra_charges}
    assert {"Base Charge", "Fuel Surcharge", "Residential surcharge"} <= charged
    assert carrier.rates()[0] == rates


def test_rates_abroad_are_those_of_other_services(carrier: Carrier) -> None:
    to = {**RECIPIENT, "country_code": "DE", "postal_code": "10115", "city": "Berlin", "state_code": None}
    rates, _ = carrier.rates(recipient=to)
    assert {rate.service for rate in rates} == {
        "fedex_international_first",
        "fedex_international_priority",
        "fedex_international_priority_express",
        "fedex_international_economy",
    }


def test_a_shipment_of_two_packages_has_a_label_of_two_pages(carrier: Carrier, mock: RunningMock) -> None:
    shipment, messages = carrier.ship(PARCEL, {**PARCEL, "weight": 2.0}, service="fedex_ground")
    assert messages == []
    pages = pypdf.PdfReader(io.BytesIO(label_of(shipment))).pages
    assert len(pages) == 2
    text = pages[0].extract_text()
    assert shipment.tracking_number in text
    assert "Grace Hopper" in text
    (entry,) = mock.control.ledger("shipment")
    assert (entry["id"], entry["reference"], entry["status"]) == (shipment.tracking_number, "order-1", "succeeded")
    assert len(entry["data"]["tracking_numbers"]) == 2


def test_a_zpl_label_is_for_the_printer(carrier: Carrier) -> None:
    shipment, _ = carrier.ship(service="fedex_2_day", label_type="ZPL")
    assert label_of(shipment).startswith(b"^XA")


def test_tracking_shows_the_way_from_label_to_signature(carrier: Carrier, mock: RunningMock) -> None:
    shipment, _ = carrier.ship(service="fedex_ground")
    (details,), _ = carrier.track(shipment.tracking_number)
    assert (details.status, details.delivered, [event.code for event in details.events]) == ("pending", False, ["OC"])
    mock.control.advance(10 * DAY)
    (details,), _ = connect(mock, "key two").track(shipment.tracking_number)
    assert (details.status, details.delivered) == ("delivered", True)
    assert [event.code for event in details.events] == ["DL", "OD", "IT", "PU", "OC"]
    assert details.info.signed_by == "GRACE HOPPER"
    assert mock.control.ledger("shipment")[0]["data"]["tracking_status"] == "delivered"


def test_a_number_that_is_not_known_is_a_message(carrier: Carrier) -> None:
    details, (message,) = carrier.track("123456789012")
    assert details == []
    assert message.code == "TRACKING.TRACKINGNUMBER.NOTFOUND"


def test_a_shipment_is_cancelled_once(carrier: Carrier, mock: RunningMock) -> None:
    shipment, _ = carrier.ship(service="fedex_ground")
    confirmation, _ = carrier.cancel(shipment.tracking_number)
    assert confirmation.success is True
    confirmation, (message,) = carrier.cancel(shipment.tracking_number)
    assert (confirmation, message.code) == (None, "CANCELSHIPMENT.TRACKINGNUMBER.DELETED")
    assert mock.control.ledger("shipment")[0]["status"] == "voided"
    assert len(mock.control.ledger("void")) == 1


def test_a_pickup_is_scheduled_and_cancelled(carrier: Carrier, mock: RunningMock) -> None:
    day = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)).isoformat()
    pickup, messages = carrier.pickup(day)
    assert messages == []
    confirmation, _ = carrier.cancel_pickup(pickup.confirmation_number, day)
    assert confirmation.success is True
    assert carrier.cancel_pickup(pickup.confirmation_number, day)[1][0].code == "PICKUP.ALREADY.CANCELLED"
    assert [entry["status"] for entry in mock.control.ledger("pickup")] == ["cancelled"]


@pytest.mark.parametrize(
    ("parcel", "code"),
    [
        ({**PARCEL, "weight": 151.0}, "MAXIMUM.WEIGHT.EXCEEDED"),
        ({**PARCEL, "length": 200}, "DIMENSIONS.EXCEEDS.LIMITS"),
    ],
)
def test_impossible_parcels_have_no_rate(carrier: Carrier, parcel: dict[str, object], code: str) -> None:
    rates, (message,) = carrier.rates(parcel)
    assert (rates, message.code) == ([], code)
