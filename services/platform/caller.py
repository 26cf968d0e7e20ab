"""For whom a call is made: the gateway names the customer whose token it has checked; services check who owns what.

Calls between services name nobody: who may make them is decided by the network (mutual TLS, access control).
"""

from __future__ import annotations

from shop.runtime.errors import PermissionDenied
from shop.runtime.grpc_server import Call

from services.platform.refusals import refusal

CUSTOMER = "x-customer-id"
"""The metadata that names the customer. The gateway sets it, and drops what a client sends under this name."""


def customer_of(call: Call) -> str | None:
    """The customer on whose behalf the call is made; None for a service's own call."""
    return call.header(CUSTOMER)


def must_own(call: Call, owner: str, what: str) -> None:
    """PERMISSION_DENIED NOT_OWNER when the call is made for a customer other than `owner`."""
    customer = customer_of(call)
    if customer is not None and customer != owner:
        raise refusal(PermissionDenied, "NOT_OWNER", f"The {what} belongs to another customer.")
