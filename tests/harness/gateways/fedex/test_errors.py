"""Bad input gets FedEx's own words, never a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.harness.gateways.fedex.conftest import ACCOUNT, AUSTIN, address, code_of, rate_request, ship_request
from tests.harness.gateways.fedex.test_http import pickup_request

SHIP, RATE, TRACK = "/ship/v1/shipments", "/rate/v1/rates/quotes", "/track/v1/trackingnumbers"
INVALID = "INVALID.INPUT.EXCEPTION"


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


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("accountNumber.value", "not an account", "ACCOUNT.NUMBER.INVALID"),
        ("accountNumber", ..., INVALID),
        ("requestedShipment", ..., INVALID),
        ("labelResponseOptions", "FAX", INVALID),
        ("oneLabelAtATime", "yes", INVALID),
        ("requestedShipment.serviceType", "FEDEX_BY_DRONE", "SERVICETYPE.NOT.ALLOWED"),
        ("requestedShipment.serviceType", "INTERNATIONAL_ECONOMY", "SERVICETYPE.NOT.ALLOWED"),
        ("requestedShipment.packagingType", "PAPER_BAG", "SERVICE.PACKAGECOMBINATION.INVALID"),
        ("requestedShipment.packagingType", "FEDEX_ENVELOPE", "SERVICE.PACKAGECOMBINATION.INVALID"),
        ("requestedShipment.labelSpecification.imageType", "BMP", "LABELIMAGETYPE.INVALID"),
        ("requestedShipment.shipper.address.countryCode", "XX", "SHIPPER.COUNTRY.UNSERVICED"),
        ("requestedShipment.shipper.address.postalCode", "1", "COUNTRY.POSTALCODE.INVALID"),
        ("requestedShipment.shipper.contact.phoneNumber", "", "SHIPPER.CONTACT.PHONENUMBER.INVALID"),
        ("requestedShipment.recipients.0.address.countryCode", "KP", "RECIPIENT.COUNTRY.UNSERVICED"),
        ("requestedShipment.recipients.0.address.postalCode", ..., "DESTINATION.POSTALCODE.MISSING.ORINVALID"),
        ("requestedShipment.recipients.0.address.stateOrProvinceCode", "NY", "RECIPIENT.POSTALSTATE.MISMATCH"),
        ("requestedShipment.recipients.0.contact.phoneNumber", ..., "RECIPIENT.CONTACT.PHONENUMBER.INVALID"),
        ("requestedShipment.recipients", [], INVALID),
        ("requestedShipment.requestedPackageLineItems", [], INVALID),
        ("requestedShipment.requestedPackageLineItems.0.weight.value", 0, "PACKAGE.WEIGHT.INVALID"),
        ("requestedShipment.requestedPackageLineItems.0.weight.value", -3, "PACKAGE.WEIGHT.INVALID"),
        ("requestedShipment.requestedPackageLineItems.0.weight.value", 1e9, "MAXIMUM.WEIGHT.EXCEEDED"),
        ("requestedShipment.requestedPackageLineItems.0.weight.value", 1e300, ""),
        ("requestedShipment.requestedPackageLineItems.0.weight.value", "5", INVALID),
        ("requestedShipment.requestedPackageLineItems.0.weight.units", "STONE", INVALID),
        ("requestedShipment.requestedPackageLineItems.0.groupPackageCount", 0, INVALID),
        (
            "requestedShipment.requestedPackageLineItems.0.declaredValue",
            {"amount": 5, "currency": "QQQ"},
            "CURRENCY.TYPE.INVALID",
        ),
        (
            "requestedShipment.requestedPackageLineItems.0.declaredValue",
            {"amount": -5, "currency": "USD"},
            "DECLAREDVALUE.AMOUNT.INVALID",
        ),
        (
            "requestedShipment.requestedPackageLineItems.0.dimensions",
            {"length": 0, "width": 1, "height": 1, "units": "IN"},
            "PACKAGEDIMENSION.TYPE.ERROR",
        ),
        (
            "requestedShipment.requestedPackageLineItems.0.dimensions",
            {"length": 500, "width": 1, "height": 1, "units": "CM"},
            "DIMENSIONS.EXCEEDS.LIMITS",
        ),
        ("requestedShipment.preferredCurrency", "DOGE", "CURRENCY.TYPE.INVALID"),
        (
            "requestedShipment.shippingChargesPayment.payor",
            {"responsibleParty": {"accountNumber": {"value": "740561073"}}},
            "ACCOUNT.NUMBER.MISMATCH",
        ),
        ("requestedShipment.shipDatestamp", "tomorrow", INVALID),
    ],
)
def test_a_bad_ship_request_is_refused(http: httpx.Client, path: str, value: Any, code: str) -> None:
    answer = http.post(SHIP, json=changed(ship_request(), path, value))
    assert answer.status_code == 400, answer.text
    assert code_of(answer) == code or not code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (rate_request(weight=0), "PACKAGE.WEIGHT.INVALID"),
        (rate_request(weight=5000), "MAXIMUM.WEIGHT.EXCEEDED"),
        (rate_request(to={**AUSTIN, "postalCode": ""}), "DESTINATION.POSTALCODE.MISSING.ORINVALID"),
        (rate_request(to={**AUSTIN, "countryCode": "us"}), "RECIPIENT.COUNTRY.UNSERVICED"),
        (rate_request(serviceType="NONE"), "SERVICETYPE.NOT.ALLOWED"),
        (rate_request(rateRequestType=["PREFERRED"], preferredCurrency="QQQ"), "CURRENCY.TYPE.INVALID"),
        (rate_request(rateRequestType=[]), INVALID),
        ({}, INVALID),
        ([], INVALID),
    ],
)
def test_a_bad_rate_request_is_refused(http: httpx.Client, body: Any, code: str) -> None:
    answer = http.post(RATE, json=body)
    assert (answer.status_code, code_of(answer)) == (400, code)


def test_what_is_wrong_with_a_request_is_named(http: httpx.Client) -> None:
    error = http.post(RATE, json={"accountNumber": {}}).json()["errors"][0]
    assert error["message"].endswith("Error count: 2")
    assert {each["key"] for each in error["parameterList"]} == {
        "NotNull.accountNumber.value",
        "NotNull.requestedShipment",
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer nonsense"}, 401),
        ({"authorization": "Basic aWQ6c2VjcmV0"}, 401),
        ({"content-type": "text/plain"}, 415),
        ({"accept": "text/html"}, 406),
        ({"x-customer-transaction-id": "x" * 41}, 400),
    ],
)
def test_bad_headers_are_refused(http: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = http.post(TRACK, content=b'{"trackingInfo":[]}', headers={"content-type": "application/json", **headers})
    assert answer.status_code == status
    assert code_of(answer)


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"trackingInfo": 1}'])
def test_what_is_no_json_is_refused(http: httpx.Client, content: bytes) -> None:
    answer = http.post(TRACK, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, code_of(answer)) == (400, INVALID)


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, "BAD.REQUEST.ERROR"),
        ({"grant_type": "password", "client_id": "a", "client_secret": "b"}, 400, "BAD.REQUEST.ERROR"),
        ({"grant_type": "client_credentials", "client_id": "a"}, 400, "BAD.REQUEST.ERROR"),
        ({"grant_type": "client_credentials", "client_id": "", "client_secret": "b"}, 400, "BAD.REQUEST.ERROR"),
        (
            {"grant_type": "client_credentials", "client_id": "invalid", "client_secret": "b"},
            401,
            "NOT.AUTHORIZED.ERROR",
        ),
    ],
)
def test_bad_credentials_get_no_token(http: httpx.Client, form: dict[str, str], status: int, code: str) -> None:
    answer = http.post("/oauth/token", data=form)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_credentials_in_json_are_not_understood(http: httpx.Client) -> None:
    answer = http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert (answer.status_code, code_of(answer)) == (400, "BAD.REQUEST.ERROR")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", SHIP, 405), ("POST", "/track/v1/", 404)]
)
def test_unknown_places_are_refused(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert code_of(answer)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"value": "", "accountNumber": ACCOUNT}, "TRACKING.REFERENCEVALUE.EMPTY"),
        ({"value": "x"}, "TRACKING.REFERENCEDATA.INCOMPLETE"),
        ({"value": "x", "destinationCountryCode": "US"}, "TRACKING.REFERENCEDATA.INCOMPLETE"),
        ({"value": "x", "type": "PHASE_OF_THE_MOON", "accountNumber": ACCOUNT}, "TRACKING.REFERENCETYPE.INVALID"),
        ({}, INVALID),
    ],
)
def test_a_bad_question_about_a_reference_is_refused(http: httpx.Client, asked: dict[str, str], code: str) -> None:
    answer = http.post("/track/v1/referencenumbers", json={"referencesInformation": asked})
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (pickup_request("yesterday"), "PICKUP.READYDATE.INVALID"),
        (pickup_request("2020-01-01T09:00:00Z"), "PICKUP.READYDATE.INVALID"),
        (pickup_request("2090-01-02T09:00:00Z", close="09:30:00"), "PICKUP.CLOSETIME.INVALID"),
        (pickup_request("2090-01-02T09:00:00Z", close="25:00"), "PICKUP.CLOSETIME.INVALID"),
        ({**pickup_request("2090-01-02T09:00:00Z"), "carrierCode": "UPS"}, INVALID),
        (
            {**pickup_request("2090-01-02T09:00:00Z"), "totalWeight": {"units": "LB", "value": 0}},
            "PACKAGE.WEIGHT.INVALID",
        ),
        (
            changed(
                pickup_request("2090-01-02T09:00:00Z"),
                "originDetail.pickupLocation.address",
                address(postalCode="x"),
            ),
            "COUNTRY.POSTALCODE.INVALID",
        ),
    ],
)
def test_a_bad_pickup_is_refused(http: httpx.Client, body: dict[str, object], code: str) -> None:
    answer = http.post("/pickup/v1/pickups", json=body)
    assert (answer.status_code, code_of(answer)) == (400, code)


def test_a_pickup_that_is_not_known_cannot_be_cancelled(http: httpx.Client) -> None:
    body = {
        "associatedAccountNumber": {"value": ACCOUNT},
        "pickupConfirmationCode": "1",
        "scheduledDate": "2026-08-03",
    }
    assert code_of(http.put("/pickup/v1/pickups/cancel", json=body)) == "PICKUP.CONFIRMATIONCODE.INVALID"
