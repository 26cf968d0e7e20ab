"""What the customer service does when it is called, and when it is told."""

from __future__ import annotations

import logging
from typing import Protocol

from shop.customer.v1 import customer_pb2
from shop.payment.v1.events.models import PaymentFailedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.errors import FailedPrecondition
from shop.runtime.grpc_server import Call
from shop.runtime.transport import Outcome
from sqlalchemy.ext.asyncio import AsyncConnection

from services.customer import translation
from services.customer.adapters.passwords import Passwords
from services.customer.customers import ADDRESS, METHOD, REGISTRATION, Customers, new_id
from services.customer.domain import Card, MethodType, NotAllowed, check_registration, check_token
from services.platform.caller import must_own
from services.platform.commands import fingerprint_of, first_answer
from services.platform.database import Database
from services.platform.inbox import first_time
from services.platform.refusals import refusal

LOG = logging.getLogger(__name__)
CONSUMER = "customer"
RESOLVER = "payment"
"""The one service that may see providers' tokens."""
DAPR_CALLER = "dapr-caller-app-id"
_PASSING = "PROVIDER_ERROR"
"""A failure that says nothing about the payment method."""


class Cards(Protocol):
    """Who knows what is behind a card's token."""

    async def card(self, token: str) -> Card:
        """What may be shown of it; `NotPossible` TOKEN_REFUSED when nobody knows it."""


class CustomerHandlers:
    """Serves customer.v1.CustomerService."""

    def __init__(self, customers: Customers, database: Database, passwords: Passwords, cards: Cards) -> None:
        self._customers = customers
        self._database = database
        self._passwords = passwords
        self._cards = cards

    async def create_customer(
        self, request: customer_pb2.CreateCustomerRequest, call: Call, /
    ) -> customer_pb2.CreateCustomerResponse:
        """Registers a customer and publishes customer-created.
        Errors: INVALID_ARGUMENT (malformed address, weak password), ALREADY_EXISTS EMAIL_TAKEN.
        """
        profile = translation.profile_of(request.profile)
        check_registration(request.email, request.password, profile)
        password_hash = await self._passwords.hash(request.password)
        customer_id, key = new_id("cus"), request.idempotency_key

        async def work(connection: AsyncConnection) -> customer_pb2.CreateCustomerResponse:
            made = await self._customers.register(
                connection, customer_id, request.email, profile, password_hash=password_hash, key=key
            )
            return customer_pb2.CreateCustomerResponse(customer=translation.customer_message(made))

        answer = await first_answer(
            self._database,
            work,
            scope=REGISTRATION,
            key=key,
            fingerprint=fingerprint_of(request, "idempotency_key", "password"),
            response=customer_pb2.CreateCustomerResponse,
        )
        if answer.customer.customer_id != customer_id:
            await self._check_repetition(answer.customer.customer_id, request.password)
        return answer

    async def _check_repetition(self, customer_id: str, password: str) -> None:
        """Fingerprints leave passwords out, for an unsalted hash of one must not be stored."""
        if not await self._passwords.fits(password, await self._customers.password_hash(customer_id)):
            message = "the idempotency key was used before with another request"
            raise refusal(FailedPrecondition, "IDEMPOTENCY_KEY_REUSED", message)

    async def get_customer(
        self, request: customer_pb2.GetCustomerRequest, call: Call, /
    ) -> customer_pb2.GetCustomerResponse:
        """Returns a customer. Errors: NOT_FOUND."""
        must_own(call, request.customer_id, "customer")
        found = await self._customers.customer(request.customer_id)
        return customer_pb2.GetCustomerResponse(customer=translation.customer_message(found))

    async def update_customer(
        self, request: customer_pb2.UpdateCustomerRequest, call: Call, /
    ) -> customer_pb2.UpdateCustomerResponse:
        """Changes the named profile fields and publishes customer-updated. A change that changes
        nothing publishes nothing. Errors: NOT_FOUND, INVALID_ARGUMENT (unknown field in the
        mask), ABORTED VERSION_CONFLICT.
        """
        must_own(call, request.customer_id, "customer")
        changed = await self._customers.update(
            request.customer_id,
            translation.profile_of(request.profile),
            tuple(request.update_mask.paths),
            request.expected_version if request.HasField("expected_version") else None,
        )
        return customer_pb2.UpdateCustomerResponse(customer=translation.customer_message(changed))

    async def delete_customer(
        self, request: customer_pb2.DeleteCustomerRequest, call: Call, /
    ) -> customer_pb2.DeleteCustomerResponse:
        """Erases the personal data of a customer and publishes customer-deleted, upon which every
        other service erases its copy. Deleting a deleted customer succeeds.
        Errors: NOT_FOUND, FAILED_PRECONDITION OPEN_ORDERS.
        """
        must_own(call, request.customer_id, "customer")
        await self._customers.delete(request.customer_id)
        return customer_pb2.DeleteCustomerResponse()

    async def add_address(
        self, request: customer_pb2.AddAddressRequest, call: Call, /
    ) -> customer_pb2.AddAddressResponse:
        """Adds an address to the customer's address book and publishes address-added.
        Errors: NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION TOO_MANY_ADDRESSES.
        """
        must_own(call, request.customer_id, "address book")
        address = translation.address_of(request.address)

        async def work(connection: AsyncConnection) -> customer_pb2.AddAddressResponse:
            entry = await self._customers.add_address(
                connection, request.customer_id, address, make_default=request.make_default
            )
            return customer_pb2.AddAddressResponse(address=translation.entry_message(entry))

        return await first_answer(
            self._database,
            work,
            scope=f"{ADDRESS} {request.customer_id}",
            key=request.idempotency_key,
            fingerprint=fingerprint_of(request, "idempotency_key"),
            response=customer_pb2.AddAddressResponse,
        )

    async def list_addresses(
        self, request: customer_pb2.ListAddressesRequest, call: Call, /
    ) -> customer_pb2.ListAddressesResponse:
        """Lists the address book, default address first. Errors: NOT_FOUND."""
        must_own(call, request.customer_id, "address book")
        found = await self._customers.addresses(request.customer_id)
        return customer_pb2.ListAddressesResponse(addresses=[translation.entry_message(each) for each in found])

    async def remove_address(
        self, request: customer_pb2.RemoveAddressRequest, call: Call, /
    ) -> customer_pb2.RemoveAddressResponse:
        """Removes an address. Removing an unknown address succeeds. Errors: NOT_FOUND (customer)."""
        must_own(call, request.customer_id, "address book")
        await self._customers.remove_address(request.customer_id, request.address_id)
        return customer_pb2.RemoveAddressResponse()

    async def add_payment_method(
        self, request: customer_pb2.AddPaymentMethodRequest, call: Call, /
    ) -> customer_pb2.AddPaymentMethodResponse:
        """Stores a payment method under a provider's token and publishes payment-method-added.
        Errors: NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION TOKEN_REFUSED.
        """
        must_own(call, request.customer_id, "payment method")
        type_, token = translation.source_of(request.payment_method)
        check_token(type_, token)
        await self._customers.customer(request.customer_id)
        # PayPal's contract has no lookup of agreements: what can be shown of one is its end.
        shown = await self._cards.card(token) if type_ is MethodType.CARD else f"agreement ending in {token[-4:]}"

        async def work(connection: AsyncConnection) -> customer_pb2.AddPaymentMethodResponse:
            made = await self._customers.add_payment_method(
                connection,
                request.customer_id,
                type_,
                token,
                shown=shown,
                make_default=request.payment_method.make_default,
            )
            return customer_pb2.AddPaymentMethodResponse(payment_method=translation.method_message(made))

        return await first_answer(
            self._database,
            work,
            scope=f"{METHOD} {request.customer_id}",
            key=request.idempotency_key,
            fingerprint=fingerprint_of(request, "idempotency_key"),
            response=customer_pb2.AddPaymentMethodResponse,
        )

    async def list_payment_methods(
        self, request: customer_pb2.ListPaymentMethodsRequest, call: Call, /
    ) -> customer_pb2.ListPaymentMethodsResponse:
        """Lists the stored payment methods, default first. Errors: NOT_FOUND."""
        must_own(call, request.customer_id, "payment method")
        found = await self._customers.payment_methods(request.customer_id)
        shown = [translation.method_message(each) for each in found]
        return customer_pb2.ListPaymentMethodsResponse(payment_methods=shown)

    async def resolve_payment_method(
        self, request: customer_pb2.ResolvePaymentMethodRequest, call: Call, /
    ) -> customer_pb2.ResolvePaymentMethodResponse:
        """Returns the provider's token behind a stored payment method. For the payment service only.
        Errors: NOT_FOUND, PERMISSION_DENIED.
        """
        check_caller(call)
        found = await self._customers.payment_method(request.customer_id, request.payment_method_id)
        return customer_pb2.ResolvePaymentMethodResponse(
            type=translation.TYPES[found.type], provider_token=found.provider_token
        )

    async def remove_payment_method(
        self, request: customer_pb2.RemovePaymentMethodRequest, call: Call, /
    ) -> customer_pb2.RemovePaymentMethodResponse:
        """Forgets a payment method. Removing an unknown one succeeds. Errors: NOT_FOUND (customer)."""
        must_own(call, request.customer_id, "payment method")
        await self._customers.remove_payment_method(request.customer_id, request.payment_method_id)
        return customer_pb2.RemovePaymentMethodResponse()


def check_caller(call: Call) -> None:
    """`NotAllowed` unless the caller is the payment service, by its certificate or as its Dapr sidecar says.

    Where neither mutual TLS nor a sidecar names callers, on a developer's machine, nothing is known and nobody refused.
    """
    names = {identity.decode(errors="replace").split("/")[-1].split(".")[0] for identity in call.peer_identities}
    sidecar = call.header(DAPR_CALLER)
    if (names and RESOLVER not in names) or (sidecar is not None and sidecar != RESOLVER):
        raise NotAllowed("only the payment service may resolve payment methods")


class CustomerEventsHandlers:
    """Receives what customer/v1/asyncapi.yaml says that this service receives."""

    def __init__(self, customers: Customers, database: Database) -> None:
        self._customers = customers
        self._database = database

    async def flag_payment_method_on_payment_failed(
        self, event: PaymentFailedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Marks a stored payment method that the provider no longer accepts.

        The event names it in `metadata.payment_method_id`, if at all; without that nothing can be marked.
        """
        failure = event.data.failure
        method_id = (event.data.metadata or {}).get("payment_method_id")
        if failure.retryable or failure.code == _PASSING or not isinstance(method_id, str):
            return None
        async with self._database.transaction() as connection:
            if await first_time(connection, consumer=CONSUMER, source=event.source, id=event.id):
                marked = await self._customers.mark_refused(
                    connection, event.data.customer_id, method_id, reason=failure.code
                )
                LOG.info("payment method %s: %s", method_id, "marked as refused" if marked else "nothing to mark")
        return None
