"""FedEx's mock, karrio and a plain HTTP client for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateways.inprocess import RunningMock, running
from tests.harness.gateways.karrio_sdk import Carrier

ACCOUNT = "510087000"


@pytest.fixture(scope="session")
def served() -> Iterator[RunningMock]:
    """One mock for all tests of this folder."""
    with running("fedex") as mocks:
        yield mocks.fedex


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    """The mock, as at the start."""
    served.control.reset()
    return served


def connect(mock: RunningMock, key: str = "key") -> Carrier:
    """karrio with a token of its own."""
    return Carrier(
        "fedex",
        mock.url,
        api_key=key,
        secret_key="secret",
        track_api_key=f"track {key}",
        track_secret_key="secret",
        account_number=ACCOUNT,
    )


@pytest.fixture
def carrier(mock: RunningMock) -> Carrier:
    """karrio, unmodified."""
    return connect(mock)


def token(client: httpx.Client) -> str:
    """A fresh access token."""
    form = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
    found: str = client.post("/oauth/token", data=form).raise_for_status().json()["access_token"]
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
        "streetLines": ["1 Main St"],
        "city": "Memphis",
        "stateOrProvinceCode": "TN",
        "postalCode": "38116",
        "countryCode": "US",
        **more,
    }


AUSTIN = address(streetLines=["5 Oak Ave"], city="Austin", stateOrProvinceCode="TX", postalCode="78701")
PARIS = {"streetLines": ["1 Rue de Rivoli"], "city": "Paris", "postalCode": "75001", "countryCode": "FR"}


def rate_request(to: dict[str, Any] = AUSTIN, weight: float = 5, **more: Any) -> dict[str, Any]:
    """One package from Memphis."""
    return {
        "accountNumber": {"value": ACCOUNT},
        "requestedShipment": {
            "shipper": {"address": address()},
            "recipient": {"address": to},
            "pickupType": "DROPOFF_AT_FEDEX_LOCATION",
            "rateRequestType": ["ACCOUNT", "LIST"],
            "requestedPackageLineItems": [{"weight": {"units": "LB", "value": weight}}],
            **more,
        },
    }


def ship_request(
    *references: str, to: dict[str, Any] = AUSTIN, weights: tuple[float, ...] = (5,), **more: Any
) -> dict[str, Any]:
    """Packages from Memphis with a PDF label."""
    contact = {"personName": "Grace Hopper", "phoneNumber": "5125551234"}
    packages = [
        {
            "weight": {"units": "LB", "value": weight},
            "customerReferences": [
                {"customerReferenceType": "CUSTOMER_REFERENCE", "value": value} for value in references
            ],
        }
        for weight in weights
    ]
    return {
        "labelResponseOptions": "LABEL",
        "accountNumber": {"value": ACCOUNT},
        "requestedShipment": {
            "shipper": {"address": address(), "contact": contact},
            "recipients": [{"address": to, "contact": contact}],
            "pickupType": "USE_SCHEDULED_PICKUP",
            "serviceType": "FEDEX_GROUND",
            "packagingType": "YOUR_PACKAGING",
            "shippingChargesPayment": {"paymentType": "SENDER"},
            "labelSpecification": {"imageType": "PDF", "labelStockType": "STOCK_4X6"},
            "requestedPackageLineItems": packages,
            **more,
        },
    }


def ship(client: httpx.Client, *references: str, transaction: str = "", **more: Any) -> dict[str, Any]:
    """A shipment that succeeds; its `transactionShipments[0]`."""
    headers = {"x-customer-transaction-id": transaction} if transaction else {}
    answer = client.post("/ship/v1/shipments", json=ship_request(*references, **more), headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["output"]["transactionShipments"][0]
    return found


def cancel(client: httpx.Client, number: str, account: str = ACCOUNT) -> httpx.Response:
    """Cancel a shipment."""
    body = {"accountNumber": {"value": account}, "trackingNumber": number}
    return client.put("/ship/v1/shipments/cancel", json=body)


def track(client: httpx.Client, *numbers: str) -> list[dict[str, Any]]:
    """The first result for each number."""
    body = {"trackingInfo": [{"trackingNumberInfo": {"trackingNumber": number}} for number in numbers]}
    answer = client.post("/track/v1/trackingnumbers", json=body).raise_for_status().json()
    return [each["trackResults"][0] for each in answer["output"]["completeTrackResults"]]


def by_reference(client: httpx.Client, value: str, **more: Any) -> list[dict[str, Any]]:
    """All results for a reference."""
    asked = {"value": value, "accountNumber": ACCOUNT, **more}
    answer = client.post("/track/v1/referencenumbers", json={"referencesInformation": asked}).raise_for_status()
    found: list[dict[str, Any]] = answer.json()["output"]["completeTrackResults"]
    return found


def code_of(answer: httpx.Response) -> str:
    """The code of the first error, in FedEx's body."""
    body = answer.json()
    assert set(body) <= {"transactionId", "customerTransactionId", "errors"}
    assert body["transactionId"]
    assert answer.headers["content-type"] == "application/json"
    found: str = body["errors"][0]["code"]
    assert body["errors"][0]["message"]
    return found
