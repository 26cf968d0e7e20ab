"""Between the messages of customer.v1 and the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop.common.v1.address_pb2 import Address as AddressMessage
from shop.customer.v1 import authentication_pb2, customer_pb2

from services.customer.authentication import Tokens
from services.customer.domain import (
    PROFILE_RULES,
    Address,
    Customer,
    Entry,
    Invalid,
    MethodType,
    PaymentMethod,
    Profile,
    Status,
)

_STATUSES = {
    Status.ACTIVE: customer_pb2.CUSTOMER_STATUS_ACTIVE,
    Status.SUSPENDED: customer_pb2.CUSTOMER_STATUS_SUSPENDED,
    Status.DELETED: customer_pb2.CUSTOMER_STATUS_DELETED,
}
TYPES = {
    MethodType.CARD: customer_pb2.PAYMENT_METHOD_TYPE_CARD,
    MethodType.PAYPAL: customer_pb2.PAYMENT_METHOD_TYPE_PAYPAL,
}


def profile_of(message: customer_pb2.CustomerProfile) -> Profile:
    """Members that are absent are None."""
    present: dict[str, Any] = {name: getattr(message, name) for name in PROFILE_RULES if message.HasField(name)}  # type: ignore[arg-type] # the names of the message's fields
    return Profile(**present)


def profile_message(profile: Profile) -> customer_pb2.CustomerProfile:
    """The message."""
    return customer_pb2.CustomerProfile(
        given_name=profile.given_name,
        family_name=profile.family_name,
        phone_number=profile.phone_number,
        locale=profile.locale,
        marketing_consent=profile.marketing_consent,
    )


def customer_message(customer: Customer) -> customer_pb2.Customer:
    """The message."""
    message = customer_pb2.Customer(
        customer_id=customer.customer_id,
        email=customer.email,
        profile=profile_message(customer.profile),
        status=_STATUSES[customer.status],
        version=customer.version,
    )
    message.created_at.FromDatetime(customer.created_at)
    message.updated_at.FromDatetime(customer.updated_at)
    return message


def address_of(message: AddressMessage) -> Address:
    """Members that are absent are None."""
    return Address(
        recipient_name=message.recipient_name,
        line1=message.line1,
        line2=message.line2 if message.HasField("line2") else None,
        city=message.city,
        region=message.region if message.HasField("region") else None,
        postal_code=message.postal_code,
        country_code=message.country_code,
        phone_number=message.phone_number if message.HasField("phone_number") else None,
    )


def entry_message(entry: Entry) -> customer_pb2.CustomerAddress:
    """The message."""
    address = entry.address
    message = customer_pb2.CustomerAddress(
        address_id=entry.address_id,
        customer_id=entry.customer_id,
        address=AddressMessage(
            recipient_name=address.recipient_name,
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country_code=address.country_code,
            phone_number=address.phone_number,
        ),
        is_default=entry.is_default,
    )
    message.created_at.FromDatetime(entry.created_at)
    return message


def source_of(message: customer_pb2.NewPaymentMethod) -> tuple[MethodType, str]:
    """Kind and token of a payment method that is to be stored; `Invalid` when its type and its source do not fit."""
    match message.type, message.WhichOneof("source"):
        case customer_pb2.PAYMENT_METHOD_TYPE_CARD, "card":
            return MethodType.CARD, message.card.provider_token
        case customer_pb2.PAYMENT_METHOD_TYPE_PAYPAL, "paypal":
            return MethodType.PAYPAL, message.paypal.billing_agreement_id
        case customer_pb2.PAYMENT_METHOD_TYPE_CARD, _:
            raise Invalid(("payment_method.card", "must be set when the type is PAYMENT_METHOD_TYPE_CARD"))
        case customer_pb2.PAYMENT_METHOD_TYPE_PAYPAL, _:
            raise Invalid(("payment_method.paypal", "must be set when the type is PAYMENT_METHOD_TYPE_PAYPAL"))
    raise Invalid(("payment_method.type", "must be a kind of payment method"))


def method_message(method: PaymentMethod) -> customer_pb2.PaymentMethod:
    """The message, without the token."""
    message = customer_pb2.PaymentMethod(
        payment_method_id=method.payment_method_id,
        customer_id=method.customer_id,
        type=TYPES[method.type],
        is_default=method.is_default,
    )
    if method.card is not None:
        card = method.card
        message.card.CopyFrom(
            customer_pb2.CardDetails(
                brand=card.brand, last4=card.last4, expiry_month=card.expiry_month, expiry_year=card.expiry_year
            )
        )
    else:
        message.paypal.account_hint = method.account_hint
    message.created_at.FromDatetime(method.created_at)
    return message


def tokens_message(tokens: Tokens) -> authentication_pb2.TokenSet:
    """The message."""
    return authentication_pb2.TokenSet(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        token_type="Bearer",  # noqa: S106 the kind of token, RFC 6750
        expires_in=tokens.expires_in,
        customer_id=tokens.customer_id,
    )


def key_message(key: Mapping[str, str]) -> authentication_pb2.JsonWebKey:
    """The message."""
    return authentication_pb2.JsonWebKey(**key)
