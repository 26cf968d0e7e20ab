from __future__ import annotations

import httpx
import pytest
from apimatic_core.exceptions.auth_validation_exception import AuthValidationException
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

from harness.gateways.gateway import World
from harness.gateways.paypal.gateway import PaypalGateway
from tests.harness.gateways.paypal.raw import Raw
from tests.harness.gateways.paypal.sdk import Shop, client_of, order_body

TOKEN = "/v1/oauth2/token"


def test_a_token_lives_for_nine_hours_of_the_mocks_clock(shop: Shop, raw: Raw) -> None:
    token = raw.request_token()
    assert token.status_code == 200 and token.headers["paypal-debug-id"]
    said = token.json()
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 32400)
    assert {"scope", "access_token", "app_id", "nonce"} < said.keys()
    shop.control.advance(32300)
    assert raw.call("GET", "/v1/notifications/webhooks").status_code == 200
    shop.control.advance(200)
    late = raw.call("GET", "/v1/notifications/webhooks")
    assert (late.status_code, late.json()["error"]) == (401, "invalid_token")
    assert late.headers["www-authenticate"].startswith("Bearer")


def test_a_token_outlives_a_reset(shop: Shop, raw: Raw) -> None:
    shop.control.reset()
    assert raw.call("GET", "/v1/notifications/webhooks").status_code == 200


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("", ""), ("client-1", ""), ("", "secret"), ("invalid-client", "secret"), ("client-1", "expired-secret")],
)
def test_a_client_without_good_credentials_gets_no_token(raw: Raw, client_id: str, secret: str) -> None:
    answer = raw.http.post(TOKEN, data={"grant_type": "client_credentials"}, auth=(client_id, secret))
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": "Client Authentication failed"}


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer x", "Basic bm9jb2xvbg=="])
def test_credentials_that_cannot_be_read_are_no_credentials(raw: Raw, header: str) -> None:
    headers = {"authorization": header} if header else {}
    answer = raw.http.post(TOKEN, data={"grant_type": "client_credentials"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("form", [{}, {"grant_type": "password"}, {"scope": "x"}])
def test_there_is_one_grant_type(raw: Raw, form: dict[str, str]) -> None:
    answer = raw.http.post(TOKEN, data=form or None, auth=("client-1", "secret-1"))
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_call_without_a_token_fails_to_authenticate(raw: Raw) -> None:
    answer = raw.http.get("/v2/checkout/orders/X")
    assert (answer.status_code, answer.json()["name"]) == (401, "AUTHENTICATION_FAILURE")


@pytest.mark.parametrize("token", ["x", "A21AA", "A21AA.", "A21AAe30.e30", "A21AA!.!", "A21AA" + "A" * 5000])
def test_a_token_of_another_maker_is_unknown(raw: Raw, token: str) -> None:
    answer = raw.http.get("/v2/checkout/orders/X", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_a_token_with_another_seal_is_unknown(raw: Raw) -> None:
    other = raw.request_token("another-client").json()["access_token"]
    forged = other.partition(".")[0] + "." + raw.token.partition(".")[2]
    answer = httpx.get(raw.http.base_url.join("/v2/checkout/orders/X"), headers={"authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


def test_the_sdk_says_that_a_bad_client_has_no_token(shop: Shop) -> None:
    with pytest.raises(AuthValidationException):
        client_of(shop.url, "invalid-client").orders.create_order({"body": order_body()})


def test_the_instructions_point_the_sdk_at_the_mock(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Configuration.environments[Environment.SANDBOX], Server.DEFAULT, "")
    exec(PaypalGateway(World()).instructions(shop.url), {})  # noqa: S102 they are what a user would type
    credentials = ClientCredentialsAuthCredentials("client-1", "of no account")
    client = PaypalServersdkClient(client_credentials_auth_credentials=credentials)
    assert client.orders.create_order({"body": order_body()}).status_code == 201
