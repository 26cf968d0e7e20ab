"""Answers: generated models with the header that every answer of PayPal has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from shop.runtime.http_server import Reply
from shop.runtime.models import Model

from harness.gateways.paypal.errors import DEBUG_ID
from harness.gateways.paypal.state import Json

ModelT = TypeVar("ModelT", bound=Model)


@dataclass(frozen=True, slots=True)
class Replies:
    """`debug_id` draws a new id for each answer."""

    debug_id: Callable[[], str]

    def of(self, model: type[ModelT], value: Json, status: int = 200) -> Reply[ModelT]:
        """A value, held to the contract."""
        return Reply(model.from_dict(value), status, {DEBUG_ID: self.debug_id()})

    def empty(self, status: int = 204) -> Reply[Any]:
        """No body."""
        return Reply(None, status, {DEBUG_ID: self.debug_id()})

    def text(self, text: str, status: int = 200) -> Reply[Any]:
        """A page, or a certificate."""
        return Reply(text, status, {DEBUG_ID: self.debug_id()})

    def redirect(self, url: str) -> Reply[Any]:
        """Another place to go to."""
        return Reply(None, 302, {DEBUG_ID: self.debug_id(), "location": url})


def is_minimal(prefer: str | None) -> bool:
    """Whether the caller wants `return=minimal`, which is the default (RFC 7240 section 4.2)."""
    return "return=representation" not in (prefer or "").replace(" ", "").lower()
