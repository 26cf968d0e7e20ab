"""Between the messages of catalog.v1 and the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from shop.catalog.v1 import catalog_pb2
from shop.common.v1.money_pb2 import Money as MoneyMessage

from services.catalog.domain import Details, Invalid, Money, NewPrice, Price, Product, Status

STATUSES: Mapping[int, Status] = {
    catalog_pb2.PRODUCT_STATUS_DRAFT: Status.DRAFT,
    catalog_pb2.PRODUCT_STATUS_ACTIVE: Status.ACTIVE,
    catalog_pb2.PRODUCT_STATUS_DISCONTINUED: Status.DISCONTINUED,
}
_SENT = {
    Status.DRAFT: catalog_pb2.PRODUCT_STATUS_DRAFT,
    Status.ACTIVE: catalog_pb2.PRODUCT_STATUS_ACTIVE,
    Status.DISCONTINUED: catalog_pb2.PRODUCT_STATUS_DISCONTINUED,
}


def status_of(number: int, field: str) -> Status:
    """`Invalid` for a number that is no state."""
    if number not in STATUSES:
        raise Invalid((field, "must be a state of a product"))
    return STATUSES[number]


def moment_of(stamp: Timestamp, field: str) -> datetime:
    """`Invalid` for a moment outside the years 1 to 9999."""
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid((field, "must be a moment of the years 1 to 9999")) from error


def money_message(amount: Money) -> MoneyMessage:
    """The message."""
    return MoneyMessage(minor_units=amount.minor_units, currency_code=amount.currency)


def _money(message: MoneyMessage) -> Money:
    return Money(message.minor_units, message.currency_code)


def price_message(price: Price) -> catalog_pb2.Price:
    """The message."""
    message = catalog_pb2.Price(product_id=price.product_id, amount=money_message(price.amount), version=price.version)
    if price.list_amount is not None:
        message.list_amount.CopyFrom(money_message(price.list_amount))
    message.effective_from.FromDatetime(price.effective_from)
    return message


def product_message(product: Product) -> catalog_pb2.Product:
    """The message."""
    details = product.details
    message = catalog_pb2.Product(
        product_id=details.product_id,
        sku=details.sku,
        name=details.name,
        description=details.description,
        categories=details.categories,
        attributes=details.attributes,
        price=money_message(product.price),
        status=_SENT[details.status],
        image_urls=details.image_urls,
        weight_grams=details.weight_grams,
        version=product.version,
    )
    if details.handling_time is not None:
        message.handling_time.FromTimedelta(details.handling_time)
    message.created_at.FromDatetime(product.created_at)
    message.updated_at.FromDatetime(product.updated_at)
    return message


def details_of(message: catalog_pb2.Product) -> tuple[Details, Money]:
    """What UpsertProduct is asked to store; version, created_at and updated_at are ignored."""
    details = Details(
        product_id=message.product_id,
        sku=message.sku,
        name=message.name,
        description=message.description,
        categories=tuple(message.categories),
        attributes=dict(message.attributes),
        status=status_of(message.status, "product.status"),
        image_urls=tuple(message.image_urls),
        weight_grams=message.weight_grams if message.HasField("weight_grams") else None,
        handling_time=message.handling_time.ToTimedelta() if message.HasField("handling_time") else None,
    )
    return details, _money(message.price)


def new_price_of(request: catalog_pb2.UpdatePriceRequest) -> NewPrice:
    """What UpdatePrice is asked to store."""
    effective_from = None
    if request.HasField("effective_from"):
        effective_from = moment_of(request.effective_from, "effective_from")
    return NewPrice(
        product_id=request.product_id,
        amount=_money(request.amount),
        list_amount=_money(request.list_amount) if request.HasField("list_amount") else None,
        effective_from=effective_from,
        expected_version=request.expected_version if request.HasField("expected_version") else None,
        reason=request.reason,
    )
