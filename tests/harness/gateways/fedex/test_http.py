"""What karrio does not ask: wire shapes, references, lost answers, states, addresses."""

from __future__ import annotations

import base64
import contextlib
import io

import httpx
import pytest
from PIL import Image

from harness.gateways.inprocess import RunningMock
from harness.gateways.outcomes import ControlError
from tests.harness.gateways.fedex.conftest import (
    ACCOUNT,
    AUSTIN,
    PARIS,
    address,
    by_reference,
    cancel,
    code_of,
    rate_request,
    ship,
    ship_request,
    token,
    track,
)

DAY = 86_400


def test_a_token_is_valid_for_an_hour_of_the_clock(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.advance(3590)
    assert track(http, "1")
    mock.control.advance(11)
    answer = http.post("/track/v1/trackingnumbers", json={"trackingInfo": []})
    assert (answer.status_code, code_of(answer)) == (401, "NOT.AUTHORIZED.ERROR")
    assert answer.json()["errors"][0]["message"].startswith("Access token expired")
    http.headers["authorization"] = f"Bearer {token(http)}"
    assert track(http, "1")


def test_tokens_outlive_a_reset_but_not_a_control_call(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.reset()
    assert track(http, "1")
    token(http)
    mock.control.action("expire_tokens")
    fresh = token(http)
    http.headers["authorization"] = f"Bearer {fresh}"
    assert track(http, "1")


def test_the_callers_number_of_a_request_comes_back(http: httpx.Client) -> None:
    headers = {"x-customer-transaction-id": "step-7"}
    good = http.post("/rate/v1/rates/quotes", json=rate_request(), headers=headers).json()
    bad = http.post("/rate/v1/rates/quotes", json=rate_request(weight=0), headers=headers).json()
    assert (good["customerTransactionId"], bad["customerTransactionId"]) == ("step-7", "step-7")
    assert good["transactionId"] != bad["transactionId"]


def test_rates_depend_on_weight_distance_residence_and_currency(http: httpx.Client) -> None:
    def cost(body: dict[str, object]) -> float:
        details = http.post("/rate/v1/rates/quotes", json=body).raise_for_status().json()["output"]["rateReplyDetails"]
        (ground,) = [each for each in details if each["serviceType"] == "FEDEX_GROUND"]
        found: float = ground["ratedShipmentDetails"][-1]["totalNetCharge"]
        return found

    base = cost(rate_request())
    assert cost(rate_request()) == base
    assert cost(rate_request(weight=20)) > base
    assert cost(rate_request(to=address())) < base
    assert cost(rate_request(to={**AUSTIN, "residential": True})) == pytest.approx(base + 5.65)
    in_francs = rate_request(rateRequestType=["PREFERRED"], preferredCurrency="CHF", serviceType="FEDEX_GROUND")
    assert cost(in_francs) < base


def test_one_service_can_be_asked_for(http: httpx.Client) -> None:
    answer = http.post("/rate/v1/rates/quotes", json=rate_request(serviceType="FEDEX_2_DAY")).json()
    (detail,) = answer["output"]["rateReplyDetails"]
    assert (detail["serviceType"], detail["operationalDetail"]["transitTime"]) == ("FEDEX_2_DAY", "TWO_DAYS")
    assert {each["rateType"] for each in detail["ratedShipmentDetails"]} == {"ACCOUNT", "LIST"}


def test_tracking_numbers_have_twelve_digits_with_a_check_digit(http: httpx.Client) -> None:
    numbers = [ship(http)["masterTrackingNumber"] for _ in range(5)]
    assert len(set(numbers)) == 5
    for number in [*numbers, "986578788855"]:
        assert len(number) == 12
        weighted = sum(int(digit) * weight for digit, weight in zip(number, (3, 1, 7) * 4, strict=True))
        assert (weighted - int(number[-1]) * 7) % 11 % 10 == int(number[-1])


@pytest.mark.parametrize(("kind", "start"), [("PDF", b"%PDF"), ("PNG", b"\x89PNG"), ("ZPLII", b"^XA")])
def test_labels_come_inline_or_by_url(http: httpx.Client, kind: str, start: bytes) -> None:
    specification = {"imageType": kind, "labelStockType": "STOCK_4X6"}
    inline = ship(http, labelSpecification=specification)["pieceResponses"][0]["packageDocuments"][0]
    assert base64.b64decode(inline["encodedLabel"]).startswith(start)
    assert "url" not in inline
    body = {**ship_request(labelSpecification=specification), "labelResponseOptions": "URL_ONLY"}
    answer = http.post("/ship/v1/shipments", json=body).json()
    (piece,) = answer["output"]["transactionShipments"][0]["pieceResponses"]
    document = piece["packageDocuments"][0]
    assert "encodedLabel" not in document
    fetched = httpx.get(document["url"])
    assert fetched.content.startswith(start)
    if kind == "PNG":
        assert fetched.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(fetched.content)).size == (800, 1200)
    missing = httpx.get(document["url"][:-1])
    assert (missing.status_code, code_of(missing)) == (404, "NOT.FOUND.ERROR")


def test_two_equal_requests_make_two_shipments(http: httpx.Client, mock: RunningMock) -> None:
    first, second = ship(http, "order-7"), ship(http, "order-7")
    assert first["masterTrackingNumber"] != second["masterTrackingNumber"]
    assert len(mock.control.ledger("shipment", "order-7")) == 2
    assert len(by_reference(http, "order-7")) == 2


@pytest.mark.parametrize("outcome", [{"lost": True}, {"truncate": 100}, {"answer_html": 502}, {"answer_status": 503}])
def test_a_shipment_whose_answer_was_lost_is_found_by_its_reference(
    http: httpx.Client, mock: RunningMock, outcome: dict[str, object]
) -> None:
    mock.control.script(outcome, operation="createShipment")
    headers = {"x-customer-transaction-id": "saga-1"}
    with contextlib.suppress(httpx.TransportError):
        answer = http.post("/ship/v1/shipments", json=ship_request("order-9", weights=(5, 2)), headers=headers)
        assert answer.status_code >= 500
    (entry,) = mock.control.ledger("shipment", "order-9")
    results = by_reference(http, "order-9", type="CUSTOMER_REFERENCE")
    assert [each["trackingNumber"] for each in results] == entry["data"]["tracking_numbers"]
    assert by_reference(http, "saga-1") == results
    assert by_reference(http, "order-9", type="INVOICE")[0]["trackResults"][0]["error"]
    assert by_reference(http, "order-9", accountNumber="740561073")[0]["trackResults"][0]["error"]
    assert cancel(http, results[0]["trackingNumber"]).status_code == 200
    assert mock.control.totals()["void"] == {"USD": entry["amount"]}


def test_a_reference_that_is_not_known_is_no_error_of_the_request(http: httpx.Client) -> None:
    (result,) = by_reference(http, "order-0")
    assert result["trackResults"][0]["error"]["code"] == "TRACKING.REFERENCENUMBER.NOTFOUND"


def test_what_is_charged_is_what_was_quoted(http: httpx.Client, mock: RunningMock) -> None:
    quoted = http.post("/rate/v1/rates/quotes", json=rate_request(serviceType="FEDEX_GROUND")).json()
    net = quoted["output"]["rateReplyDetails"][0]["ratedShipmentDetails"][0]["totalNetCharge"]
    piece = ship(http)["pieceResponses"][0]
    assert piece["netChargeAmount"] == net
    assert mock.control.ledger("shipment")[0]["amount"] == round(net * 100)
    assert mock.control.totals()["shipment"] == {"USD": round(net * 100)}


def test_a_shipment_moves_by_the_clock(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.freeze(1_785_751_200.0)
    http.headers["authorization"] = f"Bearer {token(http)}"
    number = ship(http, to=PARIS, serviceType="FEDEX_INTERNATIONAL_PRIORITY")["masterTrackingNumber"]
    codes = []
    for _ in range(8):
        codes.append(track(http, number)[0]["latestStatusDetail"]["code"])
        mock.control.advance(DAY / 2)
        http.headers["authorization"] = f"Bearer {token(http)}"
    assert codes == sorted(codes, key=["OC", "PU", "IT", "OD", "DL"].index)
    assert (codes[0], codes[-1]) == ("OC", "DL")
    (result,) = track(http, number)
    times = {each["type"]: each["dateTime"] for each in result["dateAndTimes"]}
    assert times["SHIP"] < times["ACTUAL_PICKUP"] < times["ACTUAL_DELIVERY"]


def test_a_shipment_moves_as_a_test_says(http: httpx.Client, mock: RunningMock) -> None:
    number = ship(http)["masterTrackingNumber"]
    mock.control.action("set_tracking_status", tracking_number=number, status="picked_up")
    mock.control.advance(1800)
    mock.control.action("set_tracking_status", tracking_number=number, status="exception", reason="Dog", city="WACO")
    (result,) = track(http, number)
    assert result["latestStatusDetail"]["code"] == "DE"
    assert result["scanEvents"][0]["exceptionDescription"] == "Dog"
    assert result["scanEvents"][0]["scanLocation"]["city"] == "WACO"
    mock.control.advance(10 * DAY)
    http.headers["authorization"] = f"Bearer {token(http)}"
    assert track(http, number)[0]["latestStatusDetail"]["code"] == "DE"
    mock.control.action("set_tracking_status", tracking_number=number, status="delivered")
    assert track(http, number)[0]["deliveryDetails"]["signedByName"] == "GRACE HOPPER"
    for wrong in ({"status": "delivered"}, {"tracking_number": number, "status": "lost"}):
        with pytest.raises(ControlError):
            mock.control.action("set_tracking_status", **wrong)
    with pytest.raises(ControlError, match="delivered"):
        mock.control.action("set_tracking_status", tracking_number=number, status="in_transit")


def test_what_fedex_has_cannot_be_cancelled(http: httpx.Client, mock: RunningMock) -> None:
    number = ship(http)["masterTrackingNumber"]
    mock.control.action("set_tracking_status", tracking_number=number, status="picked_up")
    answer = cancel(http, number)
    assert (answer.status_code, code_of(answer)) == (400, "TRACKINGIDS.TRACKINGNUMBER.CLOSED")
    assert mock.control.ledger("void") == []


def test_a_cancelled_shipment_does_not_move(http: httpx.Client, mock: RunningMock) -> None:
    number = ship(http)["masterTrackingNumber"]
    assert cancel(http, number).json()["output"]["cancelledShipment"] is True
    mock.control.advance(3000)
    (result,) = track(http, number)
    assert [each["eventType"] for each in result["scanEvents"]] == ["CA", "OC"]


def test_cancelling_is_for_the_account_that_ships(http: httpx.Client) -> None:
    number = ship(http)["masterTrackingNumber"]
    assert code_of(cancel(http, number, account="740561073")) == "SHIPMENT.USER.UNAUTHORIZED"
    assert code_of(cancel(http, "123456789012")) == "TRACKING.TRACKINGNUMBER.NOTFOUND"


def test_a_snapshot_brings_a_shipment_back_to_its_label(http: httpx.Client, mock: RunningMock) -> None:
    number = ship(http)["masterTrackingNumber"]
    kept = mock.control.snapshot()
    assert cancel(http, number).status_code == 200
    mock.control.restore(kept)
    assert track(http, number)[0]["latestStatusDetail"]["code"] == "OC"
    mock.control.advance(10 * DAY)
    http.headers["authorization"] = f"Bearer {token(http)}"
    assert track(http, number)[0]["latestStatusDetail"]["code"] == "DL"


def test_a_scripted_refusal_leaves_no_shipment(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.script({"decline": "SHIPMENT.USER.UNAUTHORIZED"}, {"status": 429}, operation="createShipment")
    answers = [http.post("/ship/v1/shipments", json=ship_request()) for _ in range(2)]
    assert [each.status_code for each in answers] == [400, 429]
    assert [code_of(each) for each in answers] == ["SHIPMENT.USER.UNAUTHORIZED", "TOO.MANY.REQUESTS.ERROR"]
    assert mock.control.ledger() == []


def test_thirty_numbers_may_be_tracked_at_once(http: httpx.Client) -> None:
    assert len(track(http, *(str(number) for number in range(30)))) == 30
    body = {"trackingInfo": [{"trackingNumberInfo": {"trackingNumber": "1"}}] * 31}
    answer = http.post("/track/v1/trackingnumbers", json=body)
    assert (answer.status_code, code_of(answer)) == (400, "TRACKING.TRACKINGNUMBERS.LIMITEXCEEDED")


def test_pickups_are_offered_scheduled_and_collected(http: httpx.Client, mock: RunningMock) -> None:
    mock.control.freeze(1_785_751_200.0)
    http.headers["authorization"] = f"Bearer {token(http)}"
    asked = {
        "pickupAddress": address(),
        "pickupRequestType": ["SAME_DAY", "FUTURE_DAY"],
        "carriers": ["FDXE", "FDXG"],
        "countryRelationship": "DOMESTIC",
    }
    options = http.post("/pickup/v1/pickups/availabilities", json=asked).json()["output"]["options"]
    assert [(each["carrier"], each["scheduleDay"], each["available"]) for each in options] == [
        ("FDXE", "SAME_DAY", True),
        ("FDXE", "FUTURE_DAY", True),
        ("FDXG", "SAME_DAY", False),
        ("FDXG", "FUTURE_DAY", True),
    ]
    body = pickup_request("2026-08-03T11:00:00Z")
    answer = http.post("/pickup/v1/pickups", json=body, headers={"x-customer-transaction-id": "saga-2"}).json()
    code = answer["output"]["pickupConfirmationCode"]
    assert mock.control.ledger("pickup", "saga-2")[0]["data"]["confirmation"] == code
    mock.control.advance(DAY)
    http.headers["authorization"] = f"Bearer {token(http)}"
    late = {
        "associatedAccountNumber": {"value": ACCOUNT},
        "pickupConfirmationCode": code,
        "scheduledDate": "2026-08-03",
    }
    assert code_of(http.put("/pickup/v1/pickups/cancel", json=late)) == "PICKUP.ALREADY.COMPLETED"


def pickup_request(ready: str, close: str = "17:00:00") -> dict[str, object]:
    location = {"contact": {"personName": "Ada", "phoneNumber": "9015551234"}, "address": address()}
    origin = {"pickupLocation": location, "readyDateTimestamp": ready, "customerCloseTime": close}
    return {"associatedAccountNumber": {"value": ACCOUNT}, "originDetail": origin, "carrierCode": "FDXE"}


def test_addresses_are_resolved_in_their_order(http: httpx.Client) -> None:
    asked = [{"address": AUSTIN, "clientReferenceId": "a"}, {"address": {**AUSTIN, "streetLines": ["Unknown 1"]}}]
    answer = http.post("/address/v1/addresses/resolve", json={"addressesToValidate": asked}).json()
    good, bad = answer["output"]["resolvedAddresses"]
    assert (good["clientReferenceId"], good["classification"], good["attributes"]["DPV"]) == ("a", "BUSINESS", "true")
    assert good["streetLinesToken"] == ["5 OAK AVE"]
    assert (bad["classification"], bad["attributes"]["Resolved"]) == ("UNKNOWN", "false")
