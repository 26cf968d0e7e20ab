"""One customer, three orders, each call and event as it happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import httpx

from harness.environment.state import Up
from harness.gateways.client import GatewayControl
from harness.sagas.recording import Call, Event
from harness.sagas.shopper import CallFailed, Shopper
from harness.sagas.watching import Watcher

PRODUCT = "prd_tea_green"
LAST_ONE = "prd_kettle_copper"
"""There is one."""
SETTLED = 2.0


def play(running: Up) -> int:
    """Walk through it; 1 when an order does not end as it should."""
    run_id = f"demo-{int(time.time())}"
    stripe = GatewayControl(running.mocks["stripe"])
    before = stripe.totals()
    try:
        with Watcher(running.redis_url, tell=_event), Shopper(running.gateway_url, run_id, tell=_call) as shopper:
            _title("A customer registers and logs in")
            shopper.register()
            shopper.log_in()
            _order(shopper, "An order that succeeds", "pm_card_visa", {PRODUCT: 2}, "ORDER_STATUS_CONFIRMED")
            _order(shopper, "A card that is declined", "pm_card_chargeDeclined", {PRODUCT: 1}, "ORDER_STATUS_FAILED")
            title = "More than there is: charged, then paid back"
            _order(shopper, title, "pm_card_mastercard", {LAST_ONE: 2}, "ORDER_STATUS_REFUNDED")
            time.sleep(SETTLED)
    except (CallFailed, httpx.HTTPError) as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 1
    _title("What Stripe says of it")
    for kind, sums in stripe.totals().items():
        earlier = before.get(kind, {})
        print(f"  {kind:<10} " + ", ".join(f"{(sums[c] - earlier.get(c, 0)) / 100:.2f} {c}" for c in sums))
    return 0


def _order(shopper: Shopper, title: str, token: str, items: Mapping[str, int], ending: str) -> None:
    _title(title)
    name = "-".join([token, *items])
    card = shopper.add_card(token)
    cart = shopper.fill_cart(items, key=f"cart-{name}")
    checkout, total = shopper.check_out(cart, key=f"checkout-{name}")
    order = shopper.confirm(checkout, card, total, key=f"confirm-{name}")
    found = shopper.wait_for(order, ending)
    reason = f" ({found['status_reason']})" if found.get("status_reason") else ""
    print(f"  => {order} is {found['status']}{reason}", flush=True)


def _title(text: str) -> None:
    print(f"\n{text}", flush=True)


def _call(call: Call) -> None:
    print(f"  {call.method:<5} {call.path}  ->  {call.status}", flush=True)


def _event(event: Event) -> None:
    shown = ", ".join(
        f"{name}={event.data[name]}"
        for name in ("status", "reason", "code", "template_id", "cause")
        if name in event.data
    )
    print(f"        * {event.stream:<26} {event.subject}  {shown}", flush=True)
