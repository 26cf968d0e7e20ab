"""Carts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shop.checkout.v1 import cart_pb2
from shop.runtime.errors import FailedPrecondition, NotFound
from shop.runtime.grpc_server import Call
from shop.runtime.transport import utc_now
from sqlalchemy.ext.asyncio import AsyncConnection

from services.checkout.adapters import store
from services.checkout.adapters.catalog import Catalog
from services.checkout.domain.cart import Cart, check_currency, check_id, with_item, without_item
from services.checkout.messages import cart_message
from services.checkout.refusing import refusing, unknown
from services.platform.caller import must_own
from services.platform.database import Database
from services.platform.refusals import refusal


@dataclass(frozen=True, slots=True)
class CartHandlers:
    """Serves checkout.v1.CartService."""

    database: Database
    catalog: Catalog
    now: Callable[[], datetime] = utc_now

    async def create_cart(self, request: cart_pb2.CreateCartRequest, call: Call, /) -> cart_pb2.CreateCartResponse:
        """Makes an empty cart. Errors: INVALID_ARGUMENT."""
        with refusing():
            customer = check_id(request.customer_id, "customer_id")
            currency = check_currency(request.currency_code, "currency_code")
        must_own(call, customer, "cart")
        now = self.now()
        new = Cart(
            cart_id=f"crt_{secrets.token_hex(8)}",
            customer_id=customer,
            currency=currency,
            created_at=now,
            updated_at=now,
        )
        key = request.idempotency_key or call.idempotency_key
        cart = await self.database.run(lambda connection: store.add_cart(connection, new, key))
        if cart.currency != currency:
            raise refusal(FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", "The key was used for another cart.")
        return cart_pb2.CreateCartResponse(cart=cart_message(cart))

    async def get_cart(self, request: cart_pb2.GetCartRequest, call: Call, /) -> cart_pb2.GetCartResponse:
        """Returns a cart. Errors: NOT_FOUND."""
        cart = await self._own(request.cart_id, call)
        return cart_pb2.GetCartResponse(cart=cart_message(cart))

    async def set_cart_item(self, request: cart_pb2.SetCartItemRequest, call: Call, /) -> cart_pb2.SetCartItemResponse:
        """Puts a product into the cart with this quantity, or changes its quantity to it.
        Errors: NOT_FOUND (cart or product), FAILED_PRECONDITION CART_CHECKED_OUT or
        PRODUCT_NOT_FOR_SALE.
        """
        with refusing():
            check_id(request.product_id, "product_id")
            # What the rules refuse is refused before the catalog is asked.
            with_item(await self._own(request.cart_id, call), request.product_id, request.quantity, self.now())
            await self._for_sale(request.product_id)
            cart = await self._change(
                request.cart_id, lambda cart, now: with_item(cart, request.product_id, request.quantity, now)
            )
        return cart_pb2.SetCartItemResponse(cart=cart_message(cart))

    async def remove_cart_item(
        self, request: cart_pb2.RemoveCartItemRequest, call: Call, /
    ) -> cart_pb2.RemoveCartItemResponse:
        """Takes a product out of the cart. Removing a product that is not there succeeds.
        Errors: NOT_FOUND (cart), FAILED_PRECONDITION CART_CHECKED_OUT.
        """
        await self._own(request.cart_id, call)
        with refusing():
            await self._change(request.cart_id, lambda cart, now: without_item(cart, request.product_id, now))
        return cart_pb2.RemoveCartItemResponse()

    async def _own(self, cart_id: str, call: Call) -> Cart:
        async with self.database.transaction() as connection:
            cart = await store.find_cart(connection, cart_id)
        if cart is None:
            raise unknown("cart", cart_id)
        must_own(call, cart.customer_id, "cart")
        return cart

    async def _for_sale(self, product_id: str) -> None:
        try:
            await self.catalog.for_sale(product_id)
        except NotFound:
            raise unknown("product", product_id) from None

    async def _change(self, cart_id: str, change: Callable[[Cart, datetime], Cart]) -> Cart:
        async def work(connection: AsyncConnection) -> Cart:
            before = await store.find_cart(connection, cart_id, lock=True)
            if before is None:
                raise unknown("cart", cart_id)
            after = change(before, self.now())
            if after is not before:
                await store.save_cart(connection, after)
            return after

        return await self.database.run(work)
