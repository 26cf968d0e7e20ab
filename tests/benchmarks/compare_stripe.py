"""`make compare-mocks`: the same checks through stripe-python against our mock and localstripe, side by side.

localstripe (GPL-3.0) is run as a process of its own, from the environment of the peers, and never imported.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import stripe

from harness.gateways.inprocess import running
from tests.harness.gateways.receiver import receiver

Check = Callable[[Any], bool]
"""Takes a client; True when the mock behaves as Stripe documents. An exception counts as no."""


def pay(client: Any, method: str = "pm_card_visa", key: str | None = None, **more: Any) -> Any:
    """A payment intent that is created and confirmed in one step."""
    params = {"amount": 2000, "currency": "usd", "payment_method": method, "confirm": True, **more}
    return client.v1.payment_intents.create(params, {"idempotency_key": key} if key else {})


def refused(call: Callable[[], Any]) -> Any:
    """The Stripe error of a call."""
    try:
        call()
    except stripe.StripeError as problem:
        return problem
    raise AssertionError("no error")


def declines(method: str, code: str, decline_code: str = "") -> Check:
    """Whether a test card is declined at confirmation, for its reason."""

    def check(client: Any) -> bool:
        problem = refused(lambda: pay(client, method))
        found = getattr(problem.error, "decline_code", None) or ""
        return isinstance(problem, stripe.CardError) and (problem.code, found) == (code, decline_code)

    return check


def keys_of(kind: type, make: Callable[[Any], Any]) -> Check:
    """Whether every key that the SDK documents is there."""
    wanted = set(kind.__annotations__) - {"OBJECT_NAME", "deleted", "secret"}
    return lambda client: bool(wanted <= set(make(client).to_dict()))


def one_charge_for_forty(client: Any) -> bool:
    """Forty at once with one key."""

    def create(_: int) -> str | None:
        try:
            return str(pay(client, key="race").id)
        except stripe.StripeError:
            return None

    with ThreadPoolExecutor(40) as pool:
        found = set(pool.map(create, range(40))) - {None}
    return len(found) == 1


def replay(client: Any) -> bool:
    """The same key gives the same payment, and says so."""
    first, second = pay(client, key="k1"), pay(client, key="k1")
    replayed: str | None = second.last_response.headers.get("idempotent-replayed")
    return bool(first.id == second.id and replayed == "true")


def webhook(client: Any) -> bool:
    """A signed webhook reaches an endpoint that was registered through the API."""
    with receiver() as hook:
        made = client.v1.webhook_endpoints.create({"url": hook.url, "enabled_events": ["payment_intent.succeeded"]})
        pay(client)
        message = hook.wait(1, timeout=3)[0]
        signed = dict(part.split("=", 1) for part in message.headers["stripe-signature"].split(","))
        payload = f"{signed['t']}.".encode() + message.body
        return hmac.compare_digest(hmac.new(made.secret.encode(), payload, hashlib.sha256).hexdigest(), signed["v1"])


CHECKS: dict[str, Check] = {
    "create and confirm succeeds": lambda c: bool(pay(c).status == "succeeded"),
    "create, update, confirm, capture": lambda c: bool(
        c.v1.payment_intents.capture(pay(c, capture_method="manual").id).status == "succeeded"
    ),
    "cancel releases an authorization": lambda c: bool(
        c.v1.payment_intents.cancel(pay(c, capture_method="manual").id).status == "canceled"
    ),
    "capture of what is captured: unexpected state": lambda c: bool(
        refused(lambda: c.v1.payment_intents.capture(pay(c).id)).code == "payment_intent_unexpected_state"
    ),
    "automatic_payment_methods": lambda c: bool(
        c.v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "automatic_payment_methods": {"enabled": True}}
        ).automatic_payment_methods.enabled
    ),
    "expand latest_charge.balance_transaction": lambda c: bool(
        pay(c, expand=["latest_charge.balance_transaction"]).latest_charge.balance_transaction.fee > 0
    ),
    "metadata with umlauts and delimiters": lambda c: bool(
        pay(c, metadata={"ü": "a&b=c"}).metadata.to_dict() == {"ü": "a&b=c"}
    ),
    "auto-paging": lambda c: (
        len(list(c.v1.customers.list({"limit": 1}).auto_paging_iter())) >= 0
        and [c.v1.customers.create({}) for _ in range(3)] != []
        and len(list(c.v1.customers.list({"limit": 1}).auto_paging_iter())) >= 3
    ),
    "declined: generic": declines("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    "declined: insufficient funds": declines(
        "pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"
    ),
    "declined: lost card": declines("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    "declined: stolen card": declines("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    "declined: expired card": declines("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    "declined: incorrect CVC": declines("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
    "declined: processing error": declines("pm_card_chargeDeclinedProcessingError", "processing_error"),
    "the error shows the payment intent": lambda c: bool(
        refused(lambda: pay(c, "pm_card_visa_chargeDeclined")).error.payment_intent.status == "requires_payment_method"
    ),
    "3-D Secure asks for action": lambda c: bool(pay(c, "pm_card_authenticationRequired").status == "requires_action"),
    "a declined card cannot be attached": lambda c: bool(
        refused(
            lambda: c.v1.payment_methods.attach(
                "pm_card_visa_chargeDeclined", {"customer": c.v1.customers.create({}).id}
            )
        ).code
        == "card_declined"
    ),
    "refund, whole": lambda c: bool(c.v1.refunds.create({"payment_intent": pay(c).id}).status == "succeeded"),
    "refund twice: charge_already_refunded": lambda c: bool(
        (p := pay(c))
        and c.v1.refunds.create({"payment_intent": p.id})
        and refused(lambda: c.v1.refunds.create({"payment_intent": p.id})).code == "charge_already_refunded"
    ),
    "pending refund": lambda c: bool(
        c.v1.refunds.create({"payment_intent": pay(c, "pm_card_pendingRefund").id}).status == "pending"
    ),
    "a disputed charge": lambda c: bool(
        c.v1.disputes.list({"payment_intent": pay(c, "pm_card_createDispute").id}).data[0].reason == "fraudulent"
    ),
    "idempotency: replay": replay,
    "idempotency: other parameters": lambda c: (
        pay(c, key="k2") is not None
        and isinstance(refused(lambda: pay(c, key="k2", amount=3000)), stripe.IdempotencyError)
    ),
    "idempotency: a decline is remembered": lambda c: bool(
        refused(lambda: pay(c, "pm_card_visa_chargeDeclined", key="k3"))
        and refused(lambda: pay(c, "pm_card_visa_chargeDeclined", key="k3")).headers.get("idempotent-replayed")
    ),
    "idempotency: forty at once, one charge": one_charge_for_forty,
    "keys of PaymentIntent": keys_of(stripe.PaymentIntent, pay),
    "keys of Charge": keys_of(stripe.Charge, lambda c: c.v1.charges.retrieve(pay(c).latest_charge)),
    "keys of Refund": keys_of(stripe.Refund, lambda c: c.v1.refunds.create({"payment_intent": pay(c).id})),
    "keys of Customer": keys_of(stripe.Customer, lambda c: c.v1.customers.create({})),
    "request id": lambda c: bool(pay(c).last_response.request_id),
    "missing parameter: code and param": lambda c: (
        (p := refused(lambda: c.v1.payment_intents.create({"currency": "usd"}))).code == "parameter_missing"
        and p.param == "amount"
    ),
    "unknown object: resource_missing": lambda c: bool(
        refused(lambda: c.v1.payment_intents.retrieve("pi_nothing")).code == "resource_missing"
    ),
    "amount too small": lambda c: bool(
        refused(lambda: c.v1.payment_intents.create({"amount": 1, "currency": "usd"})).code == "amount_too_small"
    ),
    "events are listed": lambda c: bool(
        pay(c) and c.v1.events.list({"type": "payment_intent.succeeded"}).data[0].data.object["object"]
    ),
    "webhook endpoint through the API, signed": webhook,
}


def client_of(url: str) -> Any:
    """The official SDK, pointed at a mock."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        "sk_test_12345",
        base_addresses={"api": url},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=5),
    )


@contextmanager
def localstripe(program: Path) -> Iterator[str]:
    """localstripe on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(program.resolve()), "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise RuntimeError("localstripe did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def judged(url: str) -> dict[str, str]:
    """What came of each check."""
    client = client_of(url)
    found = {}
    for name, check in CHECKS.items():
        try:
            found[name] = "passed" if check(client) else "failed"
        except Exception as problem:  # noqa: BLE001 a check that cannot be made is one that is not passed
            found[name] = type(problem).__name__
    return found


def main() -> int:
    """Run the checks on both and print a table."""
    parser = argparse.ArgumentParser(prog="make compare-mocks", description=__doc__)
    parser.add_argument("--localstripe", type=Path, required=True, help="the program")
    arguments = parser.parse_args()
    columns = {}
    with running("stripe") as mocks:
        columns["treaty"] = judged(mocks.stripe.url)
    if arguments.localstripe.exists():
        with localstripe(arguments.localstripe) as url:
            columns["localstripe"] = judged(url)
    else:
        print(f"localstripe is not compared: no {arguments.localstripe}", file=sys.stderr)
    print(f"{'check':<48}" + "".join(f"{name:>24}" for name in columns))
    for name in CHECKS:
        print(f"{name:<48}" + "".join(f"{found[name]:>24}" for found in columns.values()))
    totals = {name: sum(each == "passed" for each in found.values()) for name, found in columns.items()}
    print(f"{'passed of ' + str(len(CHECKS)):<48}" + "".join(f"{total:>24}" for total in totals.values()))
    print(json.dumps(totals))
    return 0 if totals["treaty"] == len(CHECKS) else 1


if __name__ == "__main__":
    sys.exit(main())
