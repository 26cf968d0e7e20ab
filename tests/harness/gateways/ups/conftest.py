"""UPS's mock, karrio and a plain HTTP client for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateways.inprocess import RunningMock, running
from tests.harness.gateways.karrio_sdk import Carrier

ACCOUNT = "A1B2C3"
TRACK_HEADERS = {"transId": "t-1", "transactionSrc": "tests"}


@pytest.fixture(scope="session")
def served() -> Iterator[RunningMock]:
    """One mock for all tests of this folder."""
    with running("ups") as mocks:
        yield mocks.ups


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    """The mock, as at the start."""
    served.control.reset()
    return served


def connect(mock: RunningMock, client_id: str = "id") -> Carrier:
    """karrio with a token of its own."""
    return Carrier("ups", mock.url, client_id=client_id, client_secret="secret", account_number=ACCOUNT)


@pytest.fixture
def carrier(mock: RunningMock) -> Carrier:
    """karrio, unmodified."""
    return connect(mock)


def token(client: httpx.Client) -> str:
    """A fresh access token."""
    answer = client.post("/security/v1/oauth/token", data={"grant_type": "client_credentials"}, auth=("id", "secret"))
    found: str = answer.raise_for_status().json()["access_token"]
    return found


@pytest.fixture
def http(mock: RunningMock) -> Iterator[httpx.Client]:
    """A plain client with a token."""
    with httpx.Client(base_url=mock.url, timeout=5) as client:
        client.headers["authorization"] = f"Bearer {token(client)}"
        yield client


def address(**more: Any) -> dict[str, Any]:
    """In Memphis."""
    return {
        "AddressLine": ["1 Main St"],
        "City": "Memphis",
        "StateProvinceCode": "TN",
        "PostalCode": "38116",
        "CountryCode": "US",
        **more,
    }


AUSTIN = address(AddressLine=["5 Oak Ave"], City="Austin", StateProvinceCode="TX", PostalCode="78701")
LYON = {"AddressLine": ["1 Rue Royale"], "City": "Lyon", "PostalCode": "69001", "CountryCode": "FR"}


def weight(pounds: str = "5") -> dict[str, Any]:
    """A weight."""
    return {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": pounds}


def rate_request(to: dict[str, Any] = AUSTIN, pounds: str = "5", **more: Any) -> dict[str, Any]:
    """One package from Memphis."""
    return {
        "RateRequest": {
            "Request": {"TransactionReference": {"CustomerContext": "quote"}},
            "Shipment": {
                "Shipper": {"ShipperNumber": ACCOUNT, "Address": address()},
                "ShipTo": {"Address": to},
                "Service": {"Code": "03"},
                "Package": [{"PackagingType": {"Code": "02"}, "PackageWeight": weight(pounds)}],
                **more,
            },
        }
    }


def ship_request(
    reference: str = "",
    *,
    context: str = "",
    to: dict[str, Any] = AUSTIN,
    weights: tuple[str, ...] = ("5",),
    image: str = "GIF",
    **more: Any,
) -> dict[str, Any]:
    """Packages from Memphis."""
    packages: list[dict[str, Any]] = [
        {"Packaging": {"Code": "02"}, "PackageWeight": weight(pounds)} for pounds in weights
    ]
    if reference:
        packages[0]["ReferenceNumber"] = [{"Code": "PO", "Value": reference}]
    return {
        "ShipmentRequest": {
            "Request": {"TransactionReference": {"CustomerContext": context}},
            "Shipment": {
                "Shipper": {"Name": "Shop", "ShipperNumber": ACCOUNT, "Address": address()},
                "ShipTo": {"Name": "Grace Hopper", "Address": to},
                "Service": {"Code": "03"},
                "PaymentInformation": {
                    "ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": ACCOUNT}}],
                },
                "Package": packages,
                **more,
            },
            "LabelSpecification": {"LabelImageFormat": {"Code": image}},
        }
    }


def ship(client: httpx.Client, reference: str = "", **more: Any) -> dict[str, Any]:
    """A shipment that succeeds; its `ShipmentResults`."""
    answer = client.post("/api/shipments/v2409/ship", json=ship_request(reference, **more))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["ShipmentResponse"]["ShipmentResults"]
    return found


def number_of(client: httpx.Client, **more: Any) -> str:
    """The number of a new shipment."""
    found: str = ship(client, **more)["ShipmentIdentificationNumber"]
    return found


def void(client: httpx.Client, number: str, *packages: str) -> httpx.Response:
    """Void a shipment."""
    return client.delete(
        f"/api/shipments/v2409/void/cancel/{number}", params=[("trackingnumber", package) for package in packages]
    )


def track(client: httpx.Client, number: str, **query: str) -> dict[str, Any]:
    """The package of a number."""
    answer = client.get(f"/api/track/v1/details/{number}", params=query, headers=TRACK_HEADERS).raise_for_status()
    found: dict[str, Any] = answer.json()["trackResponse"]["shipment"][0]["package"][0]
    return found


def by_reference(client: httpx.Client, value: str) -> httpx.Response:
    """Track by a reference."""
    return client.get(f"/api/track/v1/reference/details/{value}", headers=TRACK_HEADERS)


def recover(client: httpx.Client, **members: Any) -> httpx.Response:
    """Recover labels."""
    return client.post("/api/labels/v1/recovery", json={"LabelRecoveryRequest": members})


def code_of(answer: httpx.Response) -> str:
    """The code of the first error, in UPS's body and header."""
    body = answer.json()
    assert set(body) == {"response"}
    assert answer.headers["content-type"] == "application/json"
    (error,) = body["response"]["errors"]
    assert error["message"]
    assert answer.headers["errorcode"] == error["code"]
    found: str = error["code"]
    return found
