"""What karrio does not ask: wire shapes, references, lost answers, states, labels, addresses."""

from __future__ import annotations

import base64
import contextlib
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from harness.gateways.inprocess import RunningMock
from harness.gateways.outcomes import ControlError
from harness.gateways.ups.numbers import check_digit, is_number
from tests.harness.gateways.ups.conftest import (
    ACCOUNT,
    AUSTIN,
    LYON,
    TRACK_HEADERS,
    address,
    by_reference,
    code_of,
    number_of,
    rate_request,
    recover,
    ship,
    ship_request,
    token,
    track,
    void,
)

DAY = 86_400


def rated(client: httpx.Client, body: dict[str, Any], option: str = "Rate") -> list[dict[str, Any]]:
    answer = client.post(f"/api/rating/v2409/{option}", json=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["RateResponse"]["RatedShipment"]
    return found


def test_a_token_has_its_numbers_as_text(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.freeze(1_785_751_200.0)
    form = {"grant_type": "client_credentials"}
    found = http.post("/security/v1/oauth/token", data=form, auth=("me", "secret")).json()
    del found["access_token"]
    assert found == {
        "token_type": "Bearer",
        "issued_at": "1785751200000",
        "client_id": "me",
        "scope": "",
        "expires_in": "14399",
        "refresh_count": "0",
        "status": "approved",
    }


def test_a_token_is_valid_for_four_hours_of_the_clock(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.advance(14_390)
    assert rated(http, rate_request())
    mock.control.advance(10)
    answer = http.post("/api/rating/v2409/Rate", json=rate_request())
    assert (answer.status_code, code_of(answer)) == (401, "250002")


def test_rates_depend_on_weight_distance_and_residence(http: httpx.Client) -> None:
    def cost(body: dict[str, Any]) -> str:
        (found,) = rated(http, body)
        charges: str = found["TotalCharges"]["MonetaryValue"]
        return charges

    base = cost(rate_request())
    assert cost(rate_request()) == base
    assert base.partition(".")[2].isdigit()
    assert float(cost(rate_request(pounds="20"))) > float(base)
    assert float(cost(rate_request(to=address()))) < float(base)
    home = cost(rate_request(to={**AUSTIN, "ResidentialAddressIndicator": ""}))
    assert float(home) - float(base) == pytest.approx(5.65)


def test_shop_rates_all_services_and_times_them_when_asked(http: httpx.Client) -> None:
    plain = rated(http, rate_request(), "Shop")
    timed = rated(http, rate_request(), "Shoptimeintransit")
    assert [each["Service"]["Code"] for each in plain] == ["14", "01", "13", "59", "02", "12", "03"]
    assert not any("TimeInTransit" in each for each in plain)
    arrivals = [each["TimeInTransit"]["ServiceSummary"]["EstimatedArrival"]["Arrival"]["Date"] for each in timed]
    assert arrivals == sorted(arrivals)


def test_negotiated_rates_come_when_asked_for(http: httpx.Client) -> None:
    (plain,) = rated(http, rate_request())
    (found,) = rated(http, rate_request(ShipmentRatingOptions={"NegotiatedRatesIndicator": "Y"}))
    assert "NegotiatedRateCharges" not in plain
    negotiated = found["NegotiatedRateCharges"]["TotalCharge"]["MonetaryValue"]
    assert float(negotiated) < float(found["TotalCharges"]["MonetaryValue"])


def test_the_callers_context_comes_back(http: httpx.Client) -> None:
    answer = http.post("/api/rating/v2409/Rate", json=rate_request()).json()
    assert answer["RateResponse"]["Response"]["TransactionReference"]["CustomerContext"] == "quote"


def test_tracking_numbers_have_shipper_service_and_check_digit(http: httpx.Client) -> None:
    numbers = [number_of(http) for _ in range(5)]
    assert len(set(numbers)) == 5
    assert all(number.startswith(f"1Z{ACCOUNT}03") and is_number(number) for number in numbers)
    assert check_digit("999AA1012345678") == 4
    assert not is_number("1Z999AA10123456785")


@pytest.mark.parametrize(
    ("image", "start"), [("GIF", b"GIF87a"), ("PNG", b"\x89PNG"), ("PDF", b"%PDF"), ("ZPL", b"^XA")]
)
def test_labels_come_in_the_format_that_was_asked_for(http: httpx.Client, image: str, start: bytes) -> None:
    (package,) = ship(http, image=image)["PackageResults"]
    label = package["ShippingLabel"]
    data = base64.b64decode(label["GraphicImage"])
    assert label["ImageFormat"]["Code"] == image
    assert data.startswith(start)
    if image in ("GIF", "PNG"):
        assert Image.open(io.BytesIO(data)).size == (1200, 800)


def test_labels_are_recovered_by_number_and_by_reference(http: httpx.Client, mock: RunningMock) -> None:
    results = ship(http, "order-3", weights=("5", "2"))
    first = results["ShipmentIdentificationNumber"]
    images = [package["ShippingLabel"]["GraphicImage"] for package in results["PackageResults"]]
    values = {"ReferenceNumber": {"Value": "order-3"}, "ShipperNumber": ACCOUNT}
    for asked in ({"TrackingNumber": first}, {"ReferenceValues": values}):
        found = recover(http, **asked).raise_for_status().json()["LabelRecoveryResponse"]
        assert found["ShipmentIdentificationNumber"] == first
        assert [each["LabelImage"]["GraphicImage"] for each in found["LabelResults"]] == images
    second = results["PackageResults"][1]["TrackingNumber"]
    pdf = {"LabelImageFormat": {"Code": "PDF"}}
    (one,) = recover(http, TrackingNumber=second, LabelSpecification=pdf).json()["LabelRecoveryResponse"][
        "LabelResults"
    ]
    assert one["TrackingNumber"] == second
    assert base64.b64decode(one["LabelImage"]["GraphicImage"]).startswith(b"%PDF")
    assert [entry["reference"] for entry in mock.control.ledger("label_recovery")] == ["order-3"] * 3
    void(http, first)
    assert code_of(recover(http, TrackingNumber=first)) == "300033"


def test_two_equal_requests_make_two_shipments(http: httpx.Client, mock: RunningMock) -> None:
    assert number_of(http, reference="order-7") != number_of(http, reference="order-7")
    assert len(mock.control.ledger("shipment", "order-7")) == 2
    assert len(by_reference(http, "order-7").json()["trackResponse"]["shipment"]) == 2


@pytest.mark.parametrize("outcome", [{"lost": True}, {"truncate": 100}, {"answer_html": 502}, {"answer_status": 503}])
def test_a_shipment_whose_answer_was_lost_is_found_by_its_reference(
    http: httpx.Client, mock: RunningMock, outcome: dict[str, object]
) -> None:
    mock.control.script(outcome, operation="ship")
    body = ship_request("order-9", context="saga-1", weights=("5", "2"))
    with contextlib.suppress(httpx.TransportError):
        assert http.post("/api/shipments/v2409/ship", json=body).status_code >= 500
    (entry,) = mock.control.ledger("shipment", "order-9")
    (found,) = by_reference(http, "order-9").json()["trackResponse"]["shipment"]
    assert [package["trackingNumber"] for package in found["package"]] == entry["data"]["tracking_numbers"]
    assert by_reference(http, "saga-1").json()["trackResponse"]["shipment"] == [found]
    assert void(http, found["inquiryNumber"]).status_code == 200
    assert mock.control.totals()["void"] == {"USD": entry["amount"]}


def test_references_of_shipments_count_and_days_restrict(http: httpx.Client) -> None:
    number = number_of(http, ReferenceNumber=[{"Value": "whole"}])
    assert by_reference(http, "whole").json()["trackResponse"]["shipment"][0]["inquiryNumber"] == number
    path = "/api/track/v1/reference/details/whole"
    later = http.get(path, params={"fromPickUpDate": "20900101"}, headers=TRACK_HEADERS)
    assert (later.status_code, code_of(later)) == (404, "151044")


def test_what_is_charged_is_what_was_negotiated(http: httpx.Client, mock: RunningMock) -> None:
    options = {"NegotiatedRatesIndicator": "Y"}
    (quoted,) = rated(http, rate_request(ShipmentRatingOptions=options))
    charged = ship(http, ShipmentRatingOptions=options)["NegotiatedRateCharges"]["TotalCharge"]
    assert charged == quoted["NegotiatedRateCharges"]["TotalCharge"]
    (entry,) = mock.control.ledger("shipment")
    assert f"{entry['amount'] / 100:.2f}" == charged["MonetaryValue"]


def test_a_shipment_moves_by_the_clock(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.freeze(1_785_751_200.0)
    http.headers["authorization"] = f"Bearer {token(http)}"
    number = number_of(http, to=LYON, Service={"Code": "65"})
    kinds = []
    for _ in range(10):
        kinds.append(track(http, number)["currentStatus"]["code"])
        mock.control.advance(DAY / 2)
        http.headers["authorization"] = f"Bearer {token(http)}"
    assert kinds == sorted(kinds, key=["MP", "OR", "DP", "OT", "FS"].index)
    assert (kinds[0], kinds[-1]) == ("MP", "FS")
    package = track(http, number, returnMilestones="true")
    assert package["deliveryDate"][0]["type"] == "DEL"
    assert {each["state"] for each in package["milestones"]} == {"Completed"}


def test_a_shipment_moves_as_a_test_says(http: httpx.Client, mock: RunningMock) -> None:
    number = number_of(http)
    mock.control.action("set_tracking_status", tracking_number=number, status="exception", reason="Flood")
    status = track(http, number)["currentStatus"]
    assert (status["type"], status["description"]) == ("X", "Flood")
    mock.control.advance(3 * 3600)
    assert len(track(http, number)["activity"]) == 2
    mock.control.action("set_tracking_status", tracking_number=number, status="delivered")
    assert track(http, number)["deliveryInformation"]["receivedBy"] == "GRACE HOPPER"
    with pytest.raises(ControlError, match="delivered"):
        mock.control.action("set_tracking_status", tracking_number=number, status="in_transit")


def test_what_ups_has_cannot_be_voided(http: httpx.Client, mock: RunningMock) -> None:
    number = number_of(http)
    mock.control.action("set_tracking_status", tracking_number=number, status="picked_up")
    answer = void(http, number)
    assert (answer.status_code, code_of(answer)) == (400, "190101")
    assert mock.control.ledger("void") == []


def test_packages_are_voided_one_by_one(http: httpx.Client, mock: RunningMock) -> None:
    results = ship(http, weights=("5", "2"))
    first, second = (package["TrackingNumber"] for package in results["PackageResults"])
    answer = void(http, first, first, second).json()["VoidShipmentResponse"]
    assert [each["TrackingNumber"] for each in answer["PackageLevelResult"]] == [first, second]
    assert track(http, first)["currentStatus"]["type"] == "MV"
    results = ship(http, weights=("5", "2"))
    first, second = (package["TrackingNumber"] for package in results["PackageResults"])
    assert void(http, first, second[:-1]).status_code == 400
    assert void(http, first, first).status_code == 200
    assert code_of(void(http, first, first)) == "190117"
    assert len(mock.control.ledger("void")) == 1
    assert void(http, first).status_code == 200
    assert len(mock.control.ledger("void")) == 2


def test_unknown_shipments_cannot_be_voided(http: httpx.Client) -> None:
    for number, code in (("nonsense", "190100"), ("1Z999AA10123456784", "190102")):
        answer = void(http, number)
        assert (answer.status_code, code_of(answer)) == (400, code)


def test_a_snapshot_brings_a_shipment_back_to_its_label(http: httpx.Client, mock: RunningMock) -> None:
    number = number_of(http)
    kept = mock.control.snapshot()
    assert void(http, number).status_code == 200
    mock.control.restore(kept)
    assert track(http, number)["currentStatus"]["code"] == "MP"
    assert void(http, number).status_code == 200


def test_a_scripted_refusal_leaves_no_shipment(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.script({"decline": "120100"}, {"status": 429}, operation="ship")
    answers = [http.post("/api/shipments/v2409/ship", json=ship_request()) for _ in range(2)]
    assert [(each.status_code, code_of(each)) for each in answers] == [(400, "120100"), (429, "10429")]
    assert mock.control.ledger() == []


def pickup_request(day: str = "20900102", **more: Any) -> dict[str, Any]:
    return {
        "PickupCreationRequest": {
            "RatePickupIndicator": "N",
            "Shipper": {"Account": {"AccountNumber": ACCOUNT, "AccountCountryCode": "US"}},
            "PickupDateInfo": {"CloseTime": "1700", "ReadyTime": "0900", "PickupDate": day},
            "PickupAddress": {
                "CompanyName": "Shop",
                "ContactName": "Ada",
                "AddressLine": ["1 Main St", "Dock 4"],
                "City": "Memphis",
                "StateProvince": "TN",
                "PostalCode": "38116",
                "CountryCode": "US",
                "ResidentialIndicator": "N",
                "Phone": {"Number": "9015551234"},
            },
            "AlternateAddressIndicator": "Y",
            "PickupPiece": [
                {"ServiceCode": "003", "Quantity": "2", "DestinationCountryCode": "US", "ContainerCode": "01"},
            ],
            "PaymentMethod": "01",
            **more,
        }
    }


def test_pickups_are_collected_or_cancelled_by_account(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.freeze(1_785_751_200.0)
    http.headers["authorization"] = f"Bearer {token(http)}"
    path = "/api/pickupcreation/v2409/pickup"
    numbers = [
        http.post(path, json=pickup_request("20260803", ReferenceNumber=f"saga-{each}")).json()[
            "PickupCreationResponse"
        ]["PRN"]
        for each in range(2)
    ]
    assert http.delete("/api/shipments/v2409/pickup/01").status_code == 200
    mock.control.advance(DAY)
    http.headers["authorization"] = f"Bearer {token(http)}"
    answers = [http.delete("/api/shipments/v2409/pickup/02", headers={"Prn": number}) for number in numbers]
    assert [code_of(answer) for answer in answers] == ["9510117", "9510116"]
    assert code_of(http.delete("/api/shipments/v2409/pickup/01")) == "9510115"
    assert mock.control.ledger("pickup", "saga-0")[0]["data"]["prn"] == numbers[0]


def test_addresses_are_valid_ambiguous_or_not_found(http: httpx.Client) -> None:
    def ask(option: str = "3", **more: Any) -> dict[str, Any]:
        key = {
            "AddressLine": ["5 Oak Ave", "Apt 4"],
            "PoliticalDivision2": "Austin",
            "PoliticalDivision1": "TX",
            "PostcodePrimaryLow": "78701",
            "CountryCode": "US",
            **more,
        }
        answer = http.post(f"/api/addressvalidation/v2/{option}", json={"XAVRequest": {"AddressKeyFormat": key}})
        found: dict[str, Any] = answer.raise_for_status().json()["XAVResponse"]
        return found

    valid = ask()
    assert valid["ValidAddressIndicator"] == ""
    assert valid["AddressClassification"] == {"Code": "2", "Description": "Residential"}
    assert valid["Candidate"][0]["AddressKeyFormat"]["Region"] == "AUSTIN TX 78701"
    assert ask(PoliticalDivision1="NY")["AmbiguousAddressIndicator"] == ""
    assert "Candidate" not in ask(AddressLine=["Nowhere"])
    assert "AddressClassification" not in ask("1")
    assert "ValidAddressIndicator" not in ask("2")
