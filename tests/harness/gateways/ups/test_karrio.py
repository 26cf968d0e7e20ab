"""UPS through karrio, unmodified."""

from __future__ import annotations

import datetime
import io

import pypdf
import pytest

from harness.gateways.inprocess import RunningMock
from tests.harness.gateways.karrio_sdk import PARCEL, RECIPIENT, Carrier, label_of
from tests.harness.gateways.ups.conftest import connect

DAY = 86_400


def test_rates_of_all_services_come_with_transit_days(carrier: Carrier) -> None:
    rates, messages = carrier.rates()
    assert messages == []
    found = {rate.service: rate for rate in rates}
    assert {"ups_ground", "ups_2nd_day_air", "ups_next_day_air"} <= found.keys()
    assert found["ups_2nd_day_air"].transit_days == 2
    assert found["ups_ground"].total_charge < found["ups_next_day_air"].total_charge
    assert {rate.currency for rate in rates} == {"USD"}
    assert "RESIDENTIAL ADDRESS" in {charge.name for charge in found["ups_ground"].extra_charges}
    assert carrier.rates()[0] == rates


def test_a_parcel_of_unknown_size_has_rates(carrier: Carrier) -> None:
    rates, messages = carrier.rates({"weight": 2.0, "weight_unit": "LB"})
    assert (bool(rates), messages) == (True, [])


def test_rates_abroad_are_those_of_other_services(carrier: Carrier) -> None:
    to = {**RECIPIENT, "country_code": "DE", "postal_code": "10115", "city": "Berlin", "state_code": None}
    rates, _ = carrier.rates(recipient=to)
    assert {rate.service for rate in rates} == {
        "ups_worldwide_express_plus",
        "ups_worldwide_express",
        "ups_worldwide_saver",
        "ups_worldwide_expedited",
    }


def test_a_shipment_of_two_packages_has_a_label_of_two_pages(carrier: Carrier, mock: RunningMock) -> None:
    shipment, messages = carrier.ship(PARCEL, {**PARCEL, "weight": 2.0}, service="ups_ground")
    assert messages == []
    pages = pypdf.PdfReader(io.BytesIO(label_of(shipment))).pages
    assert len(pages) == 2
    picture = pages[0].images[0].image
    assert picture is not None
    assert picture.size == (1200, 1800)
    (entry,) = mock.control.ledger("shipment")
    assert (entry["id"], entry["reference"], entry["status"]) == (shipment.tracking_number, "order-1", "succeeded")
    assert entry["data"]["tracking_numbers"] == shipment.meta["tracking_numbers"]


def test_a_zpl_label_is_for_the_printer(carrier: Carrier) -> None:
    shipment, _ = carrier.ship(service="ups_2nd_day_air", label_type="ZPL")
    assert label_of(shipment).startswith(b"^XA")


def test_tracking_shows_the_way_from_label_to_delivery(carrier: Carrier, mock: RunningMock) -> None:
    shipment, _ = carrier.ship(service="ups_ground")
    (details,), _ = carrier.track(shipment.tracking_number)
    assert (details.status, details.delivered, [event.code for event in details.events]) == ("pending", False, ["MP"])
    mock.control.advance(10 * DAY)
    (details,), _ = connect(mock, "id two").track(shipment.tracking_number)
    assert (details.status, details.delivered) == ("delivered", True)
    assert [event.code for event in details.events] == ["FS", "OT", "DP", "OR", "MP"]
    assert details.info.signed_by == "GRACE HOPPER"


def test_a_number_that_is_not_known_is_a_message(carrier: Carrier) -> None:
    details, messages = carrier.track("1Z999AA10123456784", "nonsense")
    assert details == []
    assert [message.code for message in messages] == ["151018", "151018"]


def test_a_shipment_is_voided_once(carrier: Carrier, mock: RunningMock) -> None:
    shipment, _ = carrier.ship(service="ups_ground")
    confirmation, _ = carrier.cancel(shipment.shipment_identifier)
    assert confirmation.success is True
    confirmation, (message,) = carrier.cancel(shipment.shipment_identifier)
    assert (confirmation, message.code) == (None, "190117")
    assert mock.control.ledger("shipment")[0]["status"] == "voided"
    assert len(mock.control.ledger("void")) == 1


def test_a_pickup_is_scheduled_and_cancelled(carrier: Carrier, mock: RunningMock) -> None:
    day = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)).isoformat()
    pickup, messages = carrier.pickup(day)
    assert messages == []
    assert (float(pickup.pickup_charge.amount), pickup.pickup_charge.currency) == (12.25, "USD")
    confirmation, _ = carrier.cancel_pickup(pickup.confirmation_number, day)
    assert confirmation.success is True
    assert carrier.cancel_pickup(pickup.confirmation_number, day)[1][0].code == "9510116"
    assert [entry["status"] for entry in mock.control.ledger("pickup")] == ["cancelled"]


@pytest.mark.parametrize(
    ("parcel", "code"), [({**PARCEL, "weight": 151.0}, "111035"), ({**PARCEL, "length": 200}, "111055")]
)
def test_impossible_parcels_have_no_rate(carrier: Carrier, parcel: dict[str, object], code: str) -> None:
    rates, (message,) = carrier.rates(parcel)
    assert (rates, message.code) == ([], code)
