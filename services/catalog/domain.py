"""The rules of the catalog: products, and prices that are never overwritten. Imports nothing else of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
CURRENCY = re.compile(r"[A-Z]{3}")
_SKU = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,63}")
_CATEGORY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_IMAGE = re.compile(r"https?://[^\s/]+(/\S*)?")
CLOCK_DIFFERENCE = timedelta(seconds=5)
"""A moment that is past by no more than this is taken for now: clocks of callers differ."""
LARGEST_AMOUNT = 10**12
HEAVIEST = 70_000
"""Grams; the schema Product of the gateway."""
MOST_PRICED = 100
"""Products of one GetPrices."""


class Refusal(Exception):
    """The request cannot be granted. `code` is for programs, the text for people."""

    code = "REFUSED"

    def __init__(self, message: str, *, code: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.metadata = dict(metadata or {})


class Invalid(Refusal):
    """The request breaks rules, whatever is stored. `fields` are (path in the request, rule)."""

    code = "INVALID_ARGUMENT"

    def __init__(self, *fields: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {rule}" for field, rule in fields))
        self.fields = fields


class Missing(Refusal):
    """There is no such product, or it has no price in that currency."""

    code = "NOT_FOUND"


class Taken(Refusal):
    """Another product has it."""

    code = "SKU_TAKEN"


class Stale(Refusal):
    """Somebody else was faster."""

    code = "VERSION_CONFLICT"


class Status(Enum):
    """States of a product."""

    DRAFT = "draft"
    ACTIVE = "active"
    DISCONTINUED = "discontinued"


@dataclass(frozen=True, slots=True)
class Money:
    """`minor_units` of an ISO 4217 `currency`."""

    minor_units: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What merchandising says about a product."""

    product_id: str
    sku: str
    name: str
    description: str = ""
    categories: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: Status = Status.ACTIVE
    image_urls: tuple[str, ...] = ()
    weight_grams: int | None = None
    handling_time: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as it is stored, with its price now in the default currency."""

    details: Details
    price: Money
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One version of what a product costs in one currency."""

    product_id: str
    amount: Money
    list_amount: Money | None = None
    effective_from: datetime
    version: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """A price that is asked for. `expected_version` is the newest one the caller has read, None if it does not care."""

    product_id: str
    amount: Money
    list_amount: Money | None = None
    effective_from: datetime | None = None
    expected_version: int | None = None
    reason: str = ""


def next_price(asked: NewPrice, newest: int, now: datetime) -> Price:
    """The next version of the price; `newest` is the highest version so far, 0 before the first.

    `Invalid` when the request is wrong, `Stale` when the caller has not read the newest version.
    """
    problems = [*_amount_problems("amount", asked.amount), *_reduction_problems(asked)]
    effective_from = asked.effective_from or now
    if effective_from < now - CLOCK_DIFFERENCE:
        problems.append(("effective_from", "must not be in the past"))
    if len(asked.reason) > 200:
        problems.append(("reason", "must have at most 200 characters"))
    if problems:
        raise Invalid(*problems)
    if asked.expected_version is not None and asked.expected_version != newest:
        text = f"the price of {asked.product_id} has version {newest}, not {asked.expected_version}"
        raise Stale(text, metadata={"current_version": str(newest)})
    return Price(
        product_id=asked.product_id,
        amount=asked.amount,
        list_amount=asked.list_amount,
        effective_from=max(effective_from, now),
        version=newest + 1,
        reason=asked.reason,
    )


def price_at(versions: Iterable[Price], moment: datetime) -> Price | None:
    """The price that holds at a moment: of those in force the one that came last, of equals the newer version."""
    in_force = (price for price in versions if price.effective_from <= moment)
    return max(in_force, key=lambda price: (price.effective_from, price.version), default=None)


def _amount_problems(path: str, amount: Money) -> list[tuple[str, str]]:
    problems = []
    if not 1 <= amount.minor_units <= LARGEST_AMOUNT:
        problems.append((f"{path}.minor_units", f"must be positive and at most {LARGEST_AMOUNT}"))
    if not CURRENCY.fullmatch(amount.currency):
        problems.append((f"{path}.currency_code", "must be three capital letters"))
    return problems


def _reduction_problems(asked: NewPrice) -> list[tuple[str, str]]:
    before = asked.list_amount
    if before is None:
        return []
    problems = _amount_problems("list_amount", before)
    if before.currency != asked.amount.currency:
        problems.append(("list_amount.currency_code", "must be the currency of the amount"))
    elif before.minor_units <= asked.amount.minor_units:
        problems.append(("list_amount.minor_units", "must be more than the amount"))
    return problems


def check_details(found: Details) -> list[tuple[str, str]]:
    """What is wrong with a product, as (path in UpsertProductRequest, rule)."""
    rules = {
        "product_id": (ID.fullmatch(found.product_id), "must be 1 to 64 letters, digits, '.', '_', ':' or '-'"),
        "sku": (_SKU.fullmatch(found.sku), "must be 1 to 64 capitals, digits, '.', '_' or '-'"),
        "name": (1 <= len(found.name) <= 200, "must have 1 to 200 characters"),
        "description": (len(found.description) <= 10_000, "must have at most 10000 characters"),
        "categories": (len(found.categories) <= 20, "must have at most 20 entries"),
        "attributes": (len(found.attributes) <= 50, "must have at most 50 entries"),
        "image_urls": (len(found.image_urls) <= 20, "must have at most 20 entries"),
        "weight_grams": (
            found.weight_grams is None or 1 <= found.weight_grams <= HEAVIEST,
            f"must be 1 to {HEAVIEST}",
        ),
        "handling_time": (
            found.handling_time is None or timedelta(0) <= found.handling_time <= timedelta(days=90),
            "must be 0 to 90 days",
        ),
    }
    problems = [(f"product.{name}", rule) for name, (good, rule) in rules.items() if not good]
    problems += [
        (f"product.categories[{position}]", "must be a slug such as 'green-tea'")
        for position, category in enumerate(found.categories)
        if len(category) > 64 or not _CATEGORY.fullmatch(category)
    ]
    problems += [
        (f"product.image_urls[{position}]", "must be an http or https address")
        for position, url in enumerate(found.image_urls)
        if len(url) > 2000 or not _IMAGE.fullmatch(url)
    ]
    return problems


def check_priced(product_ids: tuple[str, ...]) -> None:
    """`Invalid` unless these can be asked for in one GetPrices: 1 to 100 ids, each once."""
    if not 1 <= len(product_ids) <= MOST_PRICED:
        raise Invalid(("product_ids", f"must have 1 to {MOST_PRICED} entries"))
    seen: set[str] = set()
    problems = []
    for position, each in enumerate(product_ids):
        if not ID.fullmatch(each):
            problems.append((f"product_ids[{position}]", "is no product id"))
        elif each in seen:
            problems.append((f"product_ids[{position}]", "must not be repeated"))
        seen.add(each)
    if problems:
        raise Invalid(*problems)
