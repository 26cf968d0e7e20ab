"""Events on their way to webhook endpoints, signed as Stripe signs them (docs.stripe.com/webhooks/signature)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from harness.gateways.webhooks import Stamp

if TYPE_CHECKING:
    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object


def send(account: Account, endpoint: Object, event: Object) -> None:
    """Queue an event for an endpoint, in the API version that the endpoint asked for."""
    shown = event if endpoint["api_version"] is None else {**event, "api_version": endpoint["api_version"]}
    account.world.webhooks.emit(
        url=endpoint["url"],
        event=event["type"],
        event_id=event["id"],
        body=json.dumps(shown, indent=2, ensure_ascii=False).encode(),
        content_type="application/json; charset=utf-8",
        sign=partial(signed, account, endpoint["id"]),
    )


def signed(account: Account, endpoint_id: str, stamp: Stamp) -> Mapping[str, str]:
    """`Stripe-Signature: t=<unix time>,v1=<hex HMAC-SHA256 of "time.body">`, once for each secret that is valid."""
    secrets = list(account.state.secrets.get(endpoint_id, ()))
    if stamp.bad:
        secrets = [f"whsec_not_{secret}" for secret in secrets]
    elif stamp.rotated and len(secrets) == 1:
        secrets = [rotate(account, endpoint_id), *secrets]
    moment = int(stamp.at)
    signatures = "".join(f",v1={signature(secret, moment, stamp.body)}" for secret in secrets)
    return {
        "stripe-signature": f"t={moment}{signatures}",
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }


def signature(secret: str, moment: int, body: bytes) -> str:
    """HMAC-SHA256 in hexadecimal digits."""
    return hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()


def rotate(account: Account, endpoint_id: str) -> str:
    """Roll an endpoint's secret: the new one signs beside the old one, as in Stripe's 24 hours of grace."""
    new = f"whsec_{account.world.ids.token(32)}"
    account.state.secrets[endpoint_id] = [new, *account.state.secrets[endpoint_id][:1]]
    return new
