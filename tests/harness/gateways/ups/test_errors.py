"""Bad input gets UPS's own words, never a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.harness.gateways.ups.conftest import AUSTIN, TRACK_HEADERS, code_of, rate_request, recover, ship_request
from tests.harness.gateways.ups.test_http import pickup_request

SHIP, RATE = "/api/shipments/v2409/ship", "/api/rating/v2409/Rate"
WEIGHT = "Package.0.PackageWeight"


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one member replaced, or removed for Ellipsis."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = found
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return found


def sizes(*values: str, unit: str = "IN") -> dict[str, Any]:
    length, width, height = values
    return {"UnitOfMeasurement": {"Code": unit}, "Length": length, "Width": width, "Height": height}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("Shipper.ShipperNumber", "", "120100"),
        ("Shipper.ShipperNumber", "12345", "120100"),
        ("Shipper.ShipperNumber", ..., "120100"),
        ("Shipper.Name", ..., "120101"),
        ("Shipper.Address.AddressLine", [], "120102"),
        ("Shipper.Address.City", "", "120105"),
        ("Shipper.Address.StateProvinceCode", ..., "120106"),
        ("Shipper.Address.PostalCode", "1", "120107"),
        ("Shipper.Address.CountryCode", "XX", "120108"),
        ("ShipTo", ..., "120208"),
        ("ShipTo.Name", "", "120200"),
        ("ShipTo.Address", ..., "120208"),
        ("ShipTo.Address.AddressLine", ["x" * 36], "120202"),
        ("ShipTo.Address.City", ..., "120205"),
        ("ShipTo.Address.StateProvinceCode", "NY", "120206"),
        ("ShipTo.Address.PostalCode", ..., "120207"),
        ("ShipTo.Address.CountryCode", "KP", "120208"),
        ("ShipFrom", {"Name": "x", "Address": {**AUSTIN, "CountryCode": "MX"}}, "120317"),
        ("Service", ..., "120500"),
        ("Service.Code", "99", "120500"),
        ("Service.Code", "65", "121210"),
        ("PaymentInformation", ..., "120400"),
        ("PaymentInformation.ShipmentCharge", [], "120400"),
        ("PaymentInformation.ShipmentCharge.0.Type", "02", "120410"),
        ("Package", [], "110002"),
        (WEIGHT, ..., "120608"),
        (f"{WEIGHT}.Weight", "", "120601"),
        (f"{WEIGHT}.Weight", 5, "120601"),
        (f"{WEIGHT}.Weight", "heavy", "120601"),
        (f"{WEIGHT}.Weight", "NaN", "120601"),
        (f"{WEIGHT}.Weight", "1e400", "120601"),
        (f"{WEIGHT}.Weight", "0", "121030"),
        (f"{WEIGHT}.Weight", "-1", "121030"),
        (f"{WEIGHT}.Weight", "151", "121035"),
        (WEIGHT, {"UnitOfMeasurement": {"Code": "KGS"}, "Weight": "0"}, "121031"),
        (WEIGHT, {"UnitOfMeasurement": {"Code": "KGS"}, "Weight": "70"}, "121035"),
        (f"{WEIGHT}.UnitOfMeasurement.Code", "STN", "120546"),
        ("Package.0.Dimensions", sizes("10", "", "4"), "120602"),
        ("Package.0.Dimensions", sizes("10", "0", "4"), "120609"),
        ("Package.0.Dimensions", sizes("109", "1", "4"), "121055"),
        ("Package.0.Dimensions", sizes("100", "30", "30"), "121050"),
        ("Package.0.Dimensions", sizes("1", "1", "1", unit="ELL"), "120547"),
        ("InvoiceLineTotal", {"CurrencyCode": "QQQ", "MonetaryValue": "5"}, "121266"),
        ("InvoiceLineTotal", {"CurrencyCode": "USD", "MonetaryValue": "-5"}, "120502"),
        ("InvoiceLineTotal", {"CurrencyCode": "USD", "MonetaryValue": "100000000"}, "120526"),
        ("ReferenceNumber", [{"Value": ""}], "120501"),
    ],
)
def test_a_bad_ship_request_is_refused(http: httpx.Client, path: str, value: Any, code: str) -> None:
    answer = http.post(SHIP, json=changed(ship_request(), f"ShipmentRequest.Shipment.{path}", value))
    assert (answer.status_code, code_of(answer)) == (400, code), answer.text


@pytest.mark.parametrize("value", [..., {}, {"LabelImageFormat": {"Code": "BMP"}}])
def test_a_label_needs_a_format(http: httpx.Client, value: Any) -> None:
    answer = http.post(SHIP, json=changed(ship_request(), "ShipmentRequest.LabelSpecification", value))
    assert (answer.status_code, code_of(answer)) == (400, "120702")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (rate_request(pounds="0"), "111030"),
        (rate_request(pounds="200"), "111035"),
        (rate_request(to={"CountryCode": "XX"}), "110208"),
        (rate_request(to={"CountryCode": "US", "PostalCode": "ABCDE"}), "110207"),
        (rate_request(Service={"Code": "07"}), "111210"),
        (rate_request(Package=[]), "110002"),
        (rate_request(InvoiceLineTotal={"CurrencyCode": "ZZZ", "MonetaryValue": "1"}), "111266"),
        ({"RateRequest": {}}, "10002"),
        ({}, "10002"),
        ([], "10002"),
    ],
)
def test_a_bad_rate_request_is_refused(http: httpx.Client, body: Any, code: str) -> None:
    answer = http.post(RATE, json=body)
    assert (answer.status_code, code_of(answer)) == (400, code), answer.text


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"authorization": ""}, 401, "250003"),
        ({"authorization": "Bearer nonsense"}, 401, "250002"),
        ({"authorization": "Basic aWQ6c2VjcmV0"}, 401, "250003"),
        ({"content-type": "text/plain"}, 415, "10415"),
        ({"accept": "text/html"}, 406, "10406"),
    ],
)
def test_bad_headers_are_refused(http: httpx.Client, headers: dict[str, str], status: int, code: str) -> None:
    answer = http.post(RATE, content=b"{}", headers={"content-type": "application/json", **headers})
    assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "10001"),
        (b"{", "10001"),
        (b"null", "10002"),
        (b"\xff\xfe", "10001"),
        (b"[" * 100_000, "10001"),
        (b'{"ShipmentRequest": 1}', "10002"),
    ],
)
def test_what_is_no_json_is_refused(http: httpx.Client, content: bytes, code: str) -> None:
    answer = http.post(SHIP, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.parametrize(
    ("auth", "form", "status", "code"),
    [
        (("invalid id", "secret"), {"grant_type": "client_credentials"}, 401, "10401"),
        (("id", "expired"), {"grant_type": "client_credentials"}, 401, "10401"),
        (("", ""), {"grant_type": "client_credentials"}, 401, "10401"),
        (("id", "secret"), {"grant_type": "password"}, 400, "10002"),
        (("id", "secret"), {}, 400, "10002"),
    ],
)
def test_bad_credentials_get_no_token(
    http: httpx.Client, auth: tuple[str, str], form: dict[str, str], status: int, code: str
) -> None:
    content = {"content-type": "application/x-www-form-urlencoded"}
    answer = http.post("/security/v1/oauth/token", data=form, auth=auth, headers=content)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_token_needs_credentials_in_the_header(http: httpx.Client) -> None:
    answer = http.post("/security/v1/oauth/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, code_of(answer)) == (401, "10400")


@pytest.mark.parametrize(
    ("number", "missing", "status", "code"),
    [
        ("1Z999AA10123456784", "transId", 400, "VSS002"),
        ("1Z999AA10123456784", "transactionSrc", 400, "VSS003"),
        ("1Z999AA10123456784", "", 404, "151018"),
        ("1Z999AA10123456785", "", 400, "151018"),
        ("%20", "", 400, "151018"),
    ],
)
def test_a_bad_inquiry_is_refused(http: httpx.Client, number: str, missing: str, status: int, code: str) -> None:
    headers = {name: value for name, value in TRACK_HEADERS.items() if name != missing}
    answer = http.get(f"/api/track/v1/details/{number}", headers=headers)
    assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", SHIP, 405),
        ("POST", "/api/shipments/latest/ship", 404),
        ("POST", "/api/rating/v2409/Guess", 400),
    ],
)
def test_unknown_places_are_refused(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert code_of(answer)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "300005"),
        ({"TrackingNumber": "nonsense"}, "300014"),
        ({"TrackingNumber": "1Z999AA10123456784"}, "300007"),
        ({"ReferenceValues": {"ReferenceNumber": {"Value": "x"}, "ShipperNumber": "A1B2C3"}}, "300007"),
        ({"ReferenceValues": {}}, "300005"),
    ],
)
def test_a_label_that_is_not_known_is_not_recovered(http: httpx.Client, asked: dict[str, Any], code: str) -> None:
    answer = recover(http, **asked)
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("PickupDateInfo.PickupDate", "20200101", "9510101"),
        ("PickupDateInfo.PickupDate", "soon", "9510101"),
        ("PickupDateInfo.ReadyTime", "1800", "9510101"),
        ("PickupDateInfo.CloseTime", "2500", "9510101"),
        ("PickupDateInfo", ..., "9510101"),
        ("PickupAddress.PostalCode", "x", "9510102"),
        ("PickupAddress.AddressLine", 5, "9510102"),
        ("PickupAddress.CountryCode", ..., "9510102"),
        ("Shipper", ..., "9510103"),
        ("PickupPiece.0.Quantity", "0", "9510104"),
        ("PickupPiece.0.Quantity", "\u00b3", "9510104"),
        ("PickupPiece.0.Quantity", "9" * 5000, "9510104"),
        ("TotalWeight", {"Weight": "-1", "UnitOfMeasurement": "LBS"}, "9510104"),
        ("RatePickupIndicator", "maybe", "10002"),
    ],
)
def test_a_bad_pickup_is_refused(http: httpx.Client, path: str, value: Any, code: str) -> None:
    body = changed(pickup_request(), f"PickupCreationRequest.{path}", value)
    answer = http.post("/api/pickupcreation/v2409/pickup", json=body)
    assert (answer.status_code, code_of(answer)) == (400, code), answer.text


@pytest.mark.parametrize(("by", "headers"), [("02", {}), ("02", {"Prn": "x"}), ("01", {})])
def test_a_pickup_that_is_not_known_cannot_be_cancelled(http: httpx.Client, by: str, headers: dict[str, str]) -> None:
    answer = http.delete(f"/api/shipments/v2409/pickup/{by}", headers=headers)
    assert (answer.status_code, code_of(answer)) == (400, "9510115")


@pytest.mark.parametrize(
    ("key", "code"),
    [({"CountryCode": "XX"}, "264002"), ({}, "264002"), ({"CountryCode": "US", "AddressLine": 1}, "264003")],
)
def test_a_bad_address_is_refused(http: httpx.Client, key: dict[str, Any], code: str) -> None:
    answer = http.post("/api/addressvalidation/v2/1", json={"XAVRequest": {"AddressKeyFormat": key}})
    assert (answer.status_code, code_of(answer)) == (400, code)
