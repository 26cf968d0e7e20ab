"""Values of the shipping service, and how they are turned into what both carriers count in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.shipping.adapters.measures import level_of, money_of, sides_of, weight_of
from services.shipping.adapters.references import reference_of
from services.shipping.domain import Earlier, Label, LabelFormat, Money, Parcel, ServiceLevel
from tests.services.shipping.goods import HOME, SMALL, pickup_request, shipment_request


def test_times_of_earlier_attempts_need_a_zone_and_their_order() -> None:
    now = datetime.now(UTC)
    for first, last in ((now, now.replace(tzinfo=None)), (now, now.replace(year=2000))):
        with pytest.raises(ValueError, match="last"):
            Earlier(first=first, last=last)


@pytest.mark.parametrize("members", [{"country": "Germany"}, {"name": " "}, {"line1": ""}, {"city": ""}])
def test_an_address_that_is_none_is_refused_and_not_quoted(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        replace(HOME, **members)
    assert "Germany" not in str(caught.value)


@pytest.mark.parametrize(
    "members", [{"parcels": ()}, {"parcels": (SMALL,) * 21}, {"key": ""}, {"key": "a b"}, {"key": "k" * 109}]
)
def test_a_request_without_parcels_or_key_is_refused(members: dict[str, Any]) -> None:
    for make in (pickup_request, lambda **more: shipment_request("03", **more)):
        with pytest.raises(ValueError):
            make(**members)


def test_a_parcel_has_weight_and_sides_and_a_courier_has_time() -> None:
    for side in ("weight_grams", "length_mm", "width_mm", "height_mm"):
        with pytest.raises(ValueError):
            replace(SMALL, **{side: 0})
    asked = pickup_request()
    with pytest.raises(ValueError, match="later"):
        replace(asked, closes=asked.ready)


def test_what_is_private_is_not_in_a_repr() -> None:
    assert repr(HOME) == "Address(country='US', residential=True)"
    assert "content" not in repr(Label(tracking_number="1", format=LabelFormat.PDF, content=b"x"))


def test_nothing_is_declared_smaller_than_it_is() -> None:
    parcel = Parcel(weight_grams=454, length_mm=255, width_mm=254, height_mm=1)
    assert weight_of([parcel], imperial=True) == Decimal("1.1")
    assert weight_of([parcel, parcel], imperial=False) == Decimal("1.0")
    assert sides_of(parcel, imperial=True) == (11, 10, 1)
    assert sides_of(parcel, imperial=False) == (26, 26, 1)


@pytest.mark.parametrize(
    ("currency", "text", "minor"), [("USD", "12.3", 1230), ("JPY", "1050", 1050), ("KWD", "1.5", 1500)]
)
def test_amounts_are_counted_in_the_smallest_unit(currency: str, text: str, minor: int) -> None:
    assert money_of(currency, text) == money_of(currency, Decimal(text)) == Money(minor, currency)


@pytest.mark.parametrize(("currency", "text"), [("USD", "x"), ("USD", "NaN"), ("USD", "-1"), ("dollar", "1")])
def test_what_is_no_amount_is_refused(currency: str, text: str) -> None:
    with pytest.raises(ValueError):
        money_of(currency, text)


def test_a_level_promises_no_more_than_the_carrier() -> None:
    found = [level_of(days, ground=False) for days in (0, 1, 2, 3)]
    assert found == [ServiceLevel.GROUND, ServiceLevel.OVERNIGHT, ServiceLevel.TWO_DAY, ServiceLevel.GROUND]
    assert level_of(1, ground=True) is ServiceLevel.GROUND


def test_references_differ_like_keys_and_fit_every_field() -> None:
    found = {reference_of(key) for key in ("o1/ship", "o1/ship/2", "o2/ship", "k" * 108)}
    assert len(found) == 4
    assert all(each.isalnum() and len(each) <= 30 for each in found)
    assert reference_of("o1/ship") == reference_of("o1/ship")
