"""A customer's way to an order, as tests walk it."""

from __future__ import annotations

from dataclasses import dataclass

from shop.checkout.v1.cart_grpc import CartServiceClient
from shop.checkout.v1.cart_pb2 import CreateCartRequest, SetCartItemRequest
from shop.checkout.v1.checkout_grpc import CheckoutServiceClient
from shop.checkout.v1.checkout_pb2 import (
    CheckoutStatus,
    ConfirmCheckoutRequest,
    GetCheckoutStatusRequest,
    PreviewOrderRequest,
    PreviewOrderResponse,
    StartCheckoutRequest,
)
from shop.common.v1.address_pb2 import Address
from shop.common.v1.money_pb2 import Money

from tests.services.checkout.shop import TEA

ADA = "cus_ada"
BERLIN = Address(
    recipient_name="Ada Lovelace", line1="Unter den Linden 6", city="Berlin", postal_code="10117", country_code="DE"
)


@dataclass
class Buyer:
    """One customer at the service's interface."""

    carts: CartServiceClient
    checkouts: CheckoutServiceClient
    customer: str = ADA

    async def cart(self, quantity: int = 2, product: str = TEA, currency: str = "EUR") -> str:
        """A cart with pieces of one product; an empty one for none."""
        made = await self.carts.create_cart(CreateCartRequest(customer_id=self.customer, currency_code=currency))
        if quantity:
            await self.put(made.cart.cart_id, quantity, product)
        return made.cart.cart_id

    async def put(self, cart_id: str, quantity: int, product: str = TEA) -> None:
        """Put a product into the cart."""
        await self.carts.set_cart_item(SetCartItemRequest(cart_id=cart_id, product_id=product, quantity=quantity))

    async def start(self, cart_id: str, session: str = "ses_1") -> str:
        """An open checkout."""
        request = StartCheckoutRequest(cart_id=cart_id, customer_id=self.customer, session_id=session)
        return (await self.checkouts.start_checkout(request)).checkout_id

    async def preview(self, checkout_id: str) -> PreviewOrderResponse:
        """The checkout priced for Berlin."""
        return await self.checkouts.preview_order(PreviewOrderRequest(checkout_id=checkout_id, shipping_address=BERLIN))

    async def confirm(self, checkout_id: str, total: Money, method: str = "pm_1", key: str | None = None) -> str:
        """The order."""
        reply = await self.checkouts.confirm_checkout(
            ConfirmCheckoutRequest(checkout_id=checkout_id, payment_method_id=method, expected_total=total),
            idempotency_key=key,
        )
        return reply.order_id

    async def buy(self, quantity: int = 2, product: str = TEA) -> tuple[str, str]:
        """(checkout, order) of a whole purchase."""
        checkout_id = await self.start(await self.cart(quantity, product))
        preview = await self.preview(checkout_id)
        return checkout_id, await self.confirm(checkout_id, preview.total)

    async def status(self, checkout_id: str) -> tuple[str, str]:
        """(status without its prefix, failure code)."""
        found = await self.checkouts.get_checkout_status(GetCheckoutStatusRequest(checkout_id=checkout_id))
        return CheckoutStatus.Name(found.status).removeprefix("CHECKOUT_STATUS_"), found.failure_code
