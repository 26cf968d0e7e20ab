"""What the operations of all kinds of objects share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.gateways.stripe.shown import expanded, page

if TYPE_CHECKING:
    from shop.runtime.http_requests import RequestContext

    from harness.gateways.stripe.account import Account
    from harness.gateways.stripe.state import Object


class Resource:
    """Operations on the objects of an account."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def shown(self, found: Object, expand: Sequence[str] | None) -> Object:
        """An object as an answer."""
        return expanded(self.account, found, expand)

    def page(self, found: list[Object], context: RequestContext, kind: str, arguments: Mapping[str, Any]) -> Object:
        """A page of a list as an answer; `arguments` are those of the operation."""
        listed = page(
            found, context.path, kind, arguments["limit"], arguments["starting_after"], arguments["ending_before"]
        )
        return expanded(self.account, listed, arguments.get("expand"))
