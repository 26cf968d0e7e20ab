"""Checkouts: start, preview, confirm, look."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shop.checkout.v1 import checkout_pb2
from shop.runtime.errors import PermissionDenied
from shop.runtime.grpc_server import Call
from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.checkout.adapters import store
from services.checkout.adapters.catalog import Catalog, Stock
from services.checkout.domain.address import check_address
from services.checkout.domain.cart import Cart, check_id
from services.checkout.domain.checkout import Checkout, Preview, must_be_open, previewed, status_at
from services.checkout.domain.pricing import Tariff, totals
from services.checkout.domain.refusals import Invalid, Refused
from services.checkout.handlers.confirming import Confirming
from services.checkout.handlers.once import Once
from services.checkout.messages import (
    address_members,
    preview_message,
    status_message,
    status_name,
    status_number,
    timestamp,
)
from services.checkout.refusing import refusing, unknown
from services.platform.caller import must_own
from services.platform.database import Database
from services.platform.refusals import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long checkouts and previews live, and what shipping and tax cost."""

    checkout: timedelta = timedelta(hours=24)
    preview: timedelta = timedelta(minutes=30)
    tariff: Tariff = field(default_factory=Tariff)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutHandlers:
    """Serves checkout.v1.CheckoutService."""

    database: Database
    catalog: Catalog
    stock: Stock
    confirming: Confirming
    once: Once
    terms: Terms
    now: Callable[[], datetime] = utc_now

    async def start_checkout(
        self, request: checkout_pb2.StartCheckoutRequest, call: Call, /
    ) -> checkout_pb2.StartCheckoutResponse:
        """Opens a checkout for a cart. Starting the same cart again in the same session
        returns the checkout that is already open, so the call may be repeated.
        Errors: NOT_FOUND (no such cart), FAILED_PRECONDITION CART_EMPTY,
        PERMISSION_DENIED (the cart belongs to another customer).
        """
        with refusing():
            check_id(request.customer_id, "customer_id")
            check_id(request.session_id, "session_id")
        must_own(call, request.customer_id, "checkout")

        async def start() -> checkout_pb2.StartCheckoutResponse:
            checkout = await self.database.run(lambda connection: self._start(connection, request))
            return checkout_pb2.StartCheckoutResponse(
                checkout_id=checkout.checkout_id,
                status=status_name(checkout.status),
                created_at=timestamp(checkout.created_at),
            )

        with refusing():
            return await self.once.run(call, request, checkout_pb2.StartCheckoutResponse, start)

    async def preview_order(
        self, request: checkout_pb2.PreviewOrderRequest, call: Call, /
    ) -> checkout_pb2.PreviewOrderResponse:
        """Prices the cart for one address and one shipping choice, and keeps that choice in the
        checkout. Nothing is reserved or charged. Calling it again replaces the earlier preview.
        Missing stock is shown in CheckoutItem.in_stock and is no error.
        Errors: NOT_FOUND, FAILED_PRECONDITION CHECKOUT_CLOSED.
        """
        await self._own(request.checkout_id, call)
        with refusing():
            _check_choices(request)
            return await self.once.run(
                call, request, checkout_pb2.PreviewOrderResponse, lambda: self._preview(request, call)
            )

    async def confirm_checkout(
        self, request: checkout_pb2.ConfirmCheckoutRequest, call: Call, /
    ) -> checkout_pb2.ConfirmCheckoutResponse:
        """Turns the previewed checkout into an order. The order exists when the call returns;
        payment, stock and shipment follow and are seen through GetCheckoutStatus, the order and
        the events. A checkout becomes one order only: repeating the call returns that order.
        Errors: NOT_FOUND, FAILED_PRECONDITION PREVIEW_REQUIRED, PREVIEW_EXPIRED or
        PRICE_CHANGED.
        """
        await self._own(request.checkout_id, call)
        with refusing():
            method = check_id(request.payment_method_id, "payment_method_id")
            if not request.HasField("expected_total"):
                raise Invalid("expected_total", "must be given")
            expected = (request.expected_total.minor_units, request.expected_total.currency_code)

            async def confirm() -> checkout_pb2.ConfirmCheckoutResponse:
                checkout = await self.confirming.confirm(request.checkout_id, method, expected)
                return checkout_pb2.ConfirmCheckoutResponse(
                    checkout_id=checkout.checkout_id,
                    order_id=checkout.order_id or "",
                    status=status_number(checkout.status),
                )

            return await self.once.run(call, request, checkout_pb2.ConfirmCheckoutResponse, confirm)

    async def get_checkout_status(
        self, request: checkout_pb2.GetCheckoutStatusRequest, call: Call, /
    ) -> checkout_pb2.GetCheckoutStatusResponse:
        """Tells how far a checkout has come. Errors: NOT_FOUND."""
        checkout, _ = await self._own(request.checkout_id, call)
        return status_message(checkout, status_at(checkout, self.now(), self.terms.checkout))

    async def _own(self, checkout_id: str, call: Call) -> tuple[Checkout, Cart]:
        async with self.database.transaction() as connection:
            checkout = await store.find_checkout(connection, checkout_id)
            cart = None if checkout is None else await store.find_cart(connection, checkout.cart_id)
        if checkout is None or cart is None:
            raise unknown("checkout", checkout_id)
        must_own(call, checkout.customer_id, "checkout")
        return checkout, cart

    async def _preview(
        self, request: checkout_pb2.PreviewOrderRequest, call: Call
    ) -> checkout_pb2.PreviewOrderResponse:
        checkout, cart = await self._own(request.checkout_id, call)
        must_be_open(checkout, self.now(), self.terms.checkout)
        if not cart.lines:
            raise _empty(cart)
        lines, missing = await asyncio.gather(
            self.catalog.priced(cart.lines, cart.currency), self.stock.missing(cart.lines)
        )
        shipping = address_members(request.shipping_address)
        preview = Preview(
            lines=lines,
            currency=cart.currency,
            totals=totals(lines, shipping["country_code"], self.terms.tariff),
            shipping_address=shipping,
            billing_address=address_members(request.billing_address) or None,
            cart_version=cart.version,
        )
        kept = await self.database.run(lambda connection: self._keep(connection, request.checkout_id, preview))
        return preview_message(kept, preview, missing)

    async def _start(self, connection: AsyncConnection, request: checkout_pb2.StartCheckoutRequest) -> Checkout:
        cart = await store.find_cart(connection, request.cart_id, lock=True)
        if cart is None:
            raise unknown("cart", request.cart_id)
        if cart.customer_id != request.customer_id:
            raise refusal(PermissionDenied, "NOT_OWNER", "The cart belongs to another customer.")
        now = self.now()
        open_one = await store.find_session(connection, cart.cart_id, request.session_id)
        if open_one is not None and status_at(open_one, now, self.terms.checkout) is open_one.status:
            return open_one
        if cart.checkout_id is not None:
            raise Refused("CART_CHECKED_OUT", f"An order was made of cart {cart.cart_id}.")
        if not cart.lines:
            raise _empty(cart)
        checkout = Checkout(
            checkout_id=f"chk_{secrets.token_hex(8)}",
            cart_id=cart.cart_id,
            customer_id=cart.customer_id,
            session_id=request.session_id,
            created_at=now,
            updated_at=now,
        )
        await store.add_checkout(connection, checkout)
        return checkout

    async def _keep(self, connection: AsyncConnection, checkout_id: str, preview: Preview) -> Checkout:
        now = self.now()
        checkout = await store.find_checkout(connection, checkout_id, lock=True)
        if checkout is None:
            raise unknown("checkout", checkout_id)
        must_be_open(checkout, now, self.terms.checkout)
        kept = previewed(checkout, preview, now, self.terms.preview)
        await store.save_checkout(connection, kept)
        return kept


def _check_choices(request: checkout_pb2.PreviewOrderRequest) -> None:
    """No carrier is asked and no points are kept yet: there is one shipping rate, and nothing to spend."""
    if request.shipping_rate_id:
        raise Invalid("shipping_rate_id", "must be one of shipping_options of an earlier preview")
    if request.redeem_points < 0:
        raise Invalid("redeem_points", "must not be negative")
    if request.redeem_points > 0:
        raise Refused("INSUFFICIENT_POINTS", "There are no points to spend.", points="0")
    check_address(address_members(request.shipping_address), "shipping_address")
    if request.HasField("billing_address"):
        check_address(address_members(request.billing_address), "billing_address")


def _empty(cart: Cart) -> Refused:
    return Refused("CART_EMPTY", f"Cart {cart.cart_id} is empty.")
