"""The slice as a test author sees it: fixtures of the harness, real services, real engines."""

from __future__ import annotations

import pytest

from harness.environment.running import Environment
from harness.sagas.scenarios import CONFIRMED, PRODUCT
from harness.sagas.shopper import Shopper

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_an_order_is_placed_paid_and_reserved(shopper: Shopper, platform: Environment) -> None:
    card = shopper.add_card("pm_card_visa")
    checkout, total = shopper.check_out(shopper.fill_cart({PRODUCT: 2}))
    order = shopper.confirm(checkout, card, total)
    found = shopper.wait_for(order, CONFIRMED)
    charged = [entry for entry in platform.mocks.stripe.control.ledger("capture") if entry["reference"] == order]
    assert [entry["amount"] for entry in charged] == [int(found["total"]["minor_units"])]


def test_confirming_twice_is_one_order(shopper: Shopper, platform: Environment) -> None:
    card = shopper.add_card("pm_card_visa")
    checkout, total = shopper.check_out(shopper.fill_cart({PRODUCT: 1}))
    first = shopper.confirm(checkout, card, total)
    assert shopper.confirm(checkout, card, total, key="again") == first
    shopper.wait_for(first, CONFIRMED)
    charges = [entry for entry in platform.mocks.stripe.control.ledger("charge") if entry["reference"] == first]
    assert len(charges) == 1


def test_another_customer_does_not_see_the_order(shopper: Shopper, platform: Environment) -> None:
    card = shopper.add_card("pm_card_visa")
    checkout, total = shopper.check_out(shopper.fill_cart({PRODUCT: 1}))
    order = shopper.confirm(checkout, card, total)
    with Shopper(platform.gateway_url, f"{shopper.run_id}-other") as other:
        other.register()
        other.log_in()
        other.call("GET", f"/api/v1/orders/{order}")
        assert other.calls[-1].status in (403, 404)


def test_without_a_token_nothing_is_shown(platform: Environment) -> None:
    with Shopper(platform.gateway_url, "nobody") as nobody:
        nobody.call("GET", "/api/v1/orders/ord_1")
        assert nobody.calls[-1].status == 401
        assert nobody.calls[-1].body["status"] == 401


def test_a_webhook_without_a_valid_signature_is_refused(platform: Environment) -> None:
    with Shopper(platform.gateway_url, "stranger") as stranger:
        stranger.call("POST", "/api/v1/webhooks/stripe", {"id": "evt_1", "object": "event"})
        assert stranger.calls[-1].status in (400, 401)
