"""What the customer service does when it is called, and when it is told."""

from __future__ import annotations

from shop.customer.v1 import authentication_pb2, customer_pb2
from shop.payment.v1.events.models import PaymentFailedEvent
from shop.runtime.consuming import Delivery, RawHeaders
from shop.runtime.errors import Unimplemented
from shop.runtime.grpc_server import Call
from shop.runtime.transport import Outcome


class AuthenticationHandlers:
    """Serves customer.v1.AuthenticationService."""

    async def authenticate(
        self, request: authentication_pb2.AuthenticateRequest, call: Call, /
    ) -> authentication_pb2.AuthenticateResponse:
        """Checks a password and returns a first pair of tokens. A wrong password and an unknown
        address give the same answer, so that nobody can find out who is a customer.
        Errors: UNAUTHENTICATED, RESOURCE_EXHAUSTED (too many attempts).
        """
        raise Unimplemented("Authenticate is not implemented yet")

    async def refresh_token(
        self, request: authentication_pb2.RefreshTokenRequest, call: Call, /
    ) -> authentication_pb2.RefreshTokenResponse:
        """Exchanges a refresh token for a new pair; the old refresh token dies. Presenting a
        dead token again revokes the whole family of tokens, since one of the two holders
        stole it. Not to be retried for the same reason. Errors: UNAUTHENTICATED.
        """
        raise Unimplemented("RefreshToken is not implemented yet")

    async def revoke_token(
        self, request: authentication_pb2.RevokeTokenRequest, call: Call, /
    ) -> authentication_pb2.RevokeTokenResponse:
        """Ends a session: the refresh token and all tokens descended from it die. Revoking an
        unknown token succeeds.
        """
        raise Unimplemented("RevokeToken is not implemented yet")

    async def get_signing_keys(
        self, request: authentication_pb2.GetSigningKeysRequest, call: Call, /
    ) -> authentication_pb2.GetSigningKeysResponse:
        """Returns the public keys that verify access tokens, as an RFC 7517 key set."""
        raise Unimplemented("GetSigningKeys is not implemented yet")


class CustomerHandlers:
    """Serves customer.v1.CustomerService."""

    async def create_customer(
        self, request: customer_pb2.CreateCustomerRequest, call: Call, /
    ) -> customer_pb2.CreateCustomerResponse:
        """Registers a customer and publishes customer-created.
        Errors: INVALID_ARGUMENT (malformed address, weak password), ALREADY_EXISTS EMAIL_TAKEN.
        """
        raise Unimplemented("CreateCustomer is not implemented yet")

    async def get_customer(
        self, request: customer_pb2.GetCustomerRequest, call: Call, /
    ) -> customer_pb2.GetCustomerResponse:
        """Returns a customer. Errors: NOT_FOUND."""
        raise Unimplemented("GetCustomer is not implemented yet")

    async def update_customer(
        self, request: customer_pb2.UpdateCustomerRequest, call: Call, /
    ) -> customer_pb2.UpdateCustomerResponse:
        """Changes the named profile fields and publishes customer-updated. A change that changes
        nothing publishes nothing. Errors: NOT_FOUND, INVALID_ARGUMENT (unknown field in the
        mask), ABORTED VERSION_CONFLICT.
        """
        raise Unimplemented("UpdateCustomer is not implemented yet")

    async def delete_customer(
        self, request: customer_pb2.DeleteCustomerRequest, call: Call, /
    ) -> customer_pb2.DeleteCustomerResponse:
        """Erases the personal data of a customer and publishes customer-deleted, upon which every
        other service erases its copy. Orders stay, without name and address, as the law on
        bookkeeping demands. Deleting a deleted customer succeeds.
        Errors: NOT_FOUND, FAILED_PRECONDITION OPEN_ORDERS.
        """
        raise Unimplemented("DeleteCustomer is not implemented yet")

    async def add_address(
        self, request: customer_pb2.AddAddressRequest, call: Call, /
    ) -> customer_pb2.AddAddressResponse:
        """Adds an address to the customer's address book and publishes address-added.
        Errors: NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION TOO_MANY_ADDRESSES.
        """
        raise Unimplemented("AddAddress is not implemented yet")

    async def list_addresses(
        self, request: customer_pb2.ListAddressesRequest, call: Call, /
    ) -> customer_pb2.ListAddressesResponse:
        """Lists the address book, default address first. Errors: NOT_FOUND."""
        raise Unimplemented("ListAddresses is not implemented yet")

    async def remove_address(
        self, request: customer_pb2.RemoveAddressRequest, call: Call, /
    ) -> customer_pb2.RemoveAddressResponse:
        """Removes an address. Orders keep the copy they were made with. Removing an unknown
        address succeeds. Errors: NOT_FOUND (customer).
        """
        raise Unimplemented("RemoveAddress is not implemented yet")

    async def add_payment_method(
        self, request: customer_pb2.AddPaymentMethodRequest, call: Call, /
    ) -> customer_pb2.AddPaymentMethodResponse:
        """Stores a payment method under a provider's token and publishes payment-method-added.
        Card numbers never reach this platform: the browser trades them for a token at the
        provider. Errors: NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION TOKEN_REFUSED.
        """
        raise Unimplemented("AddPaymentMethod is not implemented yet")

    async def list_payment_methods(
        self, request: customer_pb2.ListPaymentMethodsRequest, call: Call, /
    ) -> customer_pb2.ListPaymentMethodsResponse:
        """Lists the stored payment methods, default first. Errors: NOT_FOUND."""
        raise Unimplemented("ListPaymentMethods is not implemented yet")

    async def resolve_payment_method(
        self, request: customer_pb2.ResolvePaymentMethodRequest, call: Call, /
    ) -> customer_pb2.ResolvePaymentMethodResponse:
        """Returns the provider's token behind a stored payment method. For the payment service
        only: access control keeps all other callers out, and the gateway does not front it.
        Errors: NOT_FOUND, PERMISSION_DENIED.
        """
        raise Unimplemented("ResolvePaymentMethod is not implemented yet")

    async def remove_payment_method(
        self, request: customer_pb2.RemovePaymentMethodRequest, call: Call, /
    ) -> customer_pb2.RemovePaymentMethodResponse:
        """Forgets a payment method. Removing an unknown one succeeds. Errors: NOT_FOUND
        (customer).
        """
        raise Unimplemented("RemovePaymentMethod is not implemented yet")


class CustomerEventsHandlers:
    """Receives what customer/v1/asyncapi.yaml says that this service receives."""

    async def flag_payment_method_on_payment_failed(
        self, event: PaymentFailedEvent, delivery: Delivery[RawHeaders]
    ) -> Outcome | None:
        """Marks a stored payment method that the provider no longer accepts."""
        raise Unimplemented("flagPaymentMethodOnPaymentFailed is not implemented yet")
