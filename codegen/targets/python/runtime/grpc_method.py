"""RPCs as data: what client and server both need to know of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


@dataclass(frozen=True, slots=True)
class Method(Generic[RequestT, ResponseT]):
    """One RPC. `repeatable`: a second call has no second effect (`idempotency_level`).

    `key_field` says that the request has a string field `idempotency_key`.
    """

    service: str
    name: str
    request: type[RequestT]
    response: type[ResponseT]
    repeatable: bool = False
    key_field: bool = False

    @property
    def path(self) -> str:
        """`/checkout.v1.CheckoutService/StartCheckout`."""
        return f"/{self.service}/{self.name}"
