"""The gateway and customers: logging in, profiles, addresses, payment methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.common.v1.address_pb2 import Address
from shop.customer.v1.authentication_grpc import AuthenticationServiceClient
from shop.customer.v1.authentication_pb2 import (
    AuthenticateRequest,
    GetSigningKeysRequest,
    RefreshTokenRequest,
    RevokeTokenRequest,
)
from shop.customer.v1.customer_grpc import CustomerServiceClient
from shop.customer.v1.customer_pb2 import (
    PAYMENT_METHOD_TYPE_CARD,
    AddAddressRequest,
    AddPaymentMethodRequest,
    CardSource,
    CreateCustomerRequest,
    CustomerProfile,
    DeleteCustomerRequest,
    GetCustomerRequest,
    ListAddressesRequest,
    ListPaymentMethodsRequest,
    NewPaymentMethod,
    RemoveAddressRequest,
    RemovePaymentMethodRequest,
    UpdateCustomerRequest,
)

from harness.pacts.expectations.shapes import ADDRESS, CARD, CUSTOMER, KEY, refused
from harness.pacts.interactions import Call, RpcInteraction, given
from harness.pacts.matching import Exactly, identifier, int64, moment, one_of

AUTHENTICATION = "customer.v1.AuthenticationService"
SERVICE = "customer.v1.CustomerService"
EMAIL, PASSWORD, ENTRY = "ada@example.com", "correct horse battery", "adr_77a01c"
OF_CUSTOMER = {"$.customer_id": "${customer_id}"}
KEYED = {**OF_CUSTOMER, "$.idempotency_key": "${key}"}

TOKENS = {
    "access_token": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
    "refresh_token": "rt_8f0b6a1c",
    "token_type": Exactly("Bearer"),
    "expires_in": 900,
    "customer_id": identifier(CUSTOMER),
}
CUSTOMER_SHOWN = {
    "customer_id": identifier(CUSTOMER),
    "email": EMAIL,
    "profile": {"given_name": "Ada", "family_name": "Lovelace"},
    "status": Exactly("CUSTOMER_STATUS_ACTIVE"),
    "version": int64(1),
    "created_at": moment(),
    "updated_at": moment(),
}
ADDRESS_SHOWN = {
    "address_id": identifier(ENTRY),
    "customer_id": identifier(CUSTOMER),
    "address": ADDRESS,
    "is_default": True,
    "created_at": moment(),
}
CARD_SHOWN = {
    "payment_method_id": identifier(CARD),
    "customer_id": identifier(CUSTOMER),
    "type": Exactly("PAYMENT_METHOD_TYPE_CARD"),
    "card": {"brand": "visa", "last4": "4242", "expiry_month": 12, "expiry_year": 2034},
    "is_default": True,
    "created_at": moment(),
}


def _signing(method: str, case: str, call: Call, answer: Any, **more: Any) -> RpcInteraction:
    return RpcInteraction(
        rpc=f"{AUTHENTICATION}/{method}",
        case=case,
        client=AuthenticationServiceClient,
        call=call,
        answer=answer,
        **more,
    )


def _customer(
    method: str, case: str, call: Call, answer: Any, *states: str, from_state: Mapping[str, str], status: str = "OK"
) -> RpcInteraction:
    return RpcInteraction(
        rpc=f"{SERVICE}/{method}",
        case=case,
        client=CustomerServiceClient,
        call=call,
        answer=answer,
        status=status,
        states=tuple(given(state) for state in states),
        from_state=from_state,
    )


CUSTOMER_INTERACTIONS = (
    _signing(
        "Authenticate",
        "the right password",
        lambda client: client.authenticate(AuthenticateRequest(email=EMAIL, password=PASSWORD)),
        {"tokens": TOKENS},
        states=(given("a customer"),),
        from_state={"$.email": "${email}", "$.password": "${password}"},
    ),
    _signing(
        "Authenticate",
        "a wrong password",
        lambda client: client.authenticate(AuthenticateRequest(email=EMAIL, password="battery staple horse")),  # noqa: S106 wrong by intent
        {},
        status="UNAUTHENTICATED",
        states=(given("a customer"),),
        from_state={"$.email": "${email}"},
    ),
    _signing(
        "RefreshToken",
        "the newest token of a session",
        lambda client: client.refresh_token(RefreshTokenRequest(refresh_token="rt_8f0b6a1c")),  # noqa: S106 an example
        {"tokens": TOKENS},
        states=(given("a session"),),
        from_state={"$.refresh_token": "${refresh_token}"},
    ),
    _signing(
        "RefreshToken",
        "a token of nobody",
        lambda client: client.refresh_token(RefreshTokenRequest(refresh_token="rt_of_nobody")),  # noqa: S106 an example
        {},
        status="UNAUTHENTICATED",
    ),
    _signing(
        "RevokeToken",
        "a token of a session",
        lambda client: client.revoke_token(RevokeTokenRequest(refresh_token="rt_8f0b6a1c")),  # noqa: S106 an example
        {},
        states=(given("a session"),),
        from_state={"$.refresh_token": "${refresh_token}"},
    ),
    _signing(
        "GetSigningKeys",
        "the keys in use",
        lambda client: client.get_signing_keys(GetSigningKeysRequest()),
        {"keys": [{"kid": "k1", "kty": one_of("EC", "RSA"), "alg": one_of("ES256", "RS256"), "use": Exactly("sig")}]},
    ),
    _customer(
        "CreateCustomer",
        "a new address",
        lambda client: client.create_customer(
            CreateCustomerRequest(
                email=EMAIL,
                password=PASSWORD,
                profile=CustomerProfile(given_name="Ada", family_name="Lovelace"),
                idempotency_key=KEY,
            )
        ),
        {"customer": CUSTOMER_SHOWN},
        "an address that nobody uses",
        from_state={"$.email": "${email}", "$.idempotency_key": "${key}"},
    ),
    _customer(
        "CreateCustomer",
        "an address in use",
        lambda client: client.create_customer(
            CreateCustomerRequest(email=EMAIL, password=PASSWORD, idempotency_key=KEY)
        ),
        refused("EMAIL_TAKEN"),
        "a customer",
        status="ALREADY_EXISTS",
        from_state={"$.email": "${email}", "$.idempotency_key": "${key}"},
    ),
    _customer(
        "GetCustomer",
        "a customer",
        lambda client: client.get_customer(GetCustomerRequest(customer_id=CUSTOMER)),
        {"customer": CUSTOMER_SHOWN},
        "a customer",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "GetCustomer",
        "nobody",
        lambda client: client.get_customer(GetCustomerRequest(customer_id="cus_of_nobody")),
        {},
        status="NOT_FOUND",
        from_state={},
    ),
    _customer(
        "UpdateCustomer",
        "another language",
        lambda client: client.update_customer(
            UpdateCustomerRequest(customer_id=CUSTOMER, profile=CustomerProfile(locale="fr-FR"))
        ),
        {"customer": {**CUSTOMER_SHOWN, "profile": {"locale": Exactly("fr-FR")}}},
        "a customer",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "UpdateCustomer",
        "a version that is no longer the stored one",
        lambda client: client.update_customer(
            UpdateCustomerRequest(
                customer_id=CUSTOMER, profile=CustomerProfile(locale="es-ES"), expected_version=1_000_000
            )
        ),
        refused("VERSION_CONFLICT"),
        "a customer",
        status="ABORTED",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "DeleteCustomer",
        "a customer without orders",
        lambda client: client.delete_customer(DeleteCustomerRequest(customer_id=CUSTOMER)),
        {},
        "a customer who leaves",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "DeleteCustomer",
        "an order is under way",
        lambda client: client.delete_customer(DeleteCustomerRequest(customer_id=CUSTOMER)),
        refused("OPEN_ORDERS"),
        "a confirmed order",
        status="FAILED_PRECONDITION",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "AddAddress",
        "an address",
        lambda client: client.add_address(
            AddAddressRequest(customer_id=CUSTOMER, address=Address(**ADDRESS), idempotency_key=KEY)
        ),
        {"address": ADDRESS_SHOWN},
        "a customer",
        from_state=KEYED,
    ),
    _customer(
        "ListAddresses",
        "an address book",
        lambda client: client.list_addresses(ListAddressesRequest(customer_id=CUSTOMER)),
        {"addresses": [ADDRESS_SHOWN]},
        "a customer with an address",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "RemoveAddress",
        "an entry of the address book",
        lambda client: client.remove_address(RemoveAddressRequest(customer_id=CUSTOMER, address_id=ENTRY)),
        {},
        "a customer with an address",
        from_state={**OF_CUSTOMER, "$.address_id": "${address_id}"},
    ),
    _customer(
        "AddPaymentMethod",
        "a card",
        lambda client: client.add_payment_method(
            AddPaymentMethodRequest(
                customer_id=CUSTOMER,
                payment_method=NewPaymentMethod(
                    type=PAYMENT_METHOD_TYPE_CARD,
                    card=CardSource(provider_token="pm_card_visa"),  # noqa: S106 Stripe's example
                ),
                idempotency_key=KEY,
            )
        ),
        {"payment_method": CARD_SHOWN},
        "a customer",
        from_state=KEYED,
    ),
    _customer(
        "ListPaymentMethods",
        "a stored card",
        lambda client: client.list_payment_methods(ListPaymentMethodsRequest(customer_id=CUSTOMER)),
        {"payment_methods": [CARD_SHOWN]},
        "a customer with a card",
        from_state=OF_CUSTOMER,
    ),
    _customer(
        "RemovePaymentMethod",
        "a stored card",
        lambda client: client.remove_payment_method(
            RemovePaymentMethodRequest(customer_id=CUSTOMER, payment_method_id=CARD)
        ),
        {},
        "a customer with a card that is not used",
        from_state={**OF_CUSTOMER, "$.payment_method_id": "${payment_method_id}"},
    ),
)
