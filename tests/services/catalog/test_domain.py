"""Laws of prices, without any engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain import CLOCK_DIFFERENCE, Invalid, Money, NewPrice, Price, Stale, next_price, price_at

NOW = datetime(2026, 2, 1, tzinfo=UTC)
DAYS = st.integers(-30, 30).map(lambda days: NOW + timedelta(days=days))
AMOUNTS = st.integers(1, 10**6).map(lambda amount: Money(amount, "EUR"))


@given(st.lists(st.tuples(AMOUNTS, st.integers(0, 30)), max_size=12))
def test_versions_have_no_gaps_and_none_begins_in_the_past(asked: list[tuple[Money, int]]) -> None:
    versions: list[Price] = []
    for amount, later in asked:
        wanted = NewPrice(product_id="p", amount=amount, effective_from=NOW + timedelta(days=later))
        versions.append(next_price(wanted, len(versions), NOW))
    assert [each.version for each in versions] == list(range(1, len(versions) + 1))
    assert all(each.effective_from >= NOW for each in versions)


@given(st.lists(st.tuples(AMOUNTS, DAYS), max_size=12), DAYS)
def test_the_price_in_force_is_the_last_to_begin_and_the_order_of_reading_does_not_matter(
    made: list[tuple[Money, datetime]], moment: datetime
) -> None:
    versions = [
        Price(product_id="p", amount=amount, effective_from=begins, version=number)
        for number, (amount, begins) in enumerate(made, 1)
    ]
    found = price_at(versions, moment)
    assert found == price_at(reversed(versions), moment)
    begun = [each for each in versions if each.effective_from <= moment]
    assert (found is None) is (begun == [])
    for each in begun:
        assert found is not None
        assert (each.effective_from, each.version) <= (found.effective_from, found.version)


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_change_of_a_version_that_is_not_the_newest_is_stale(newest: int, read: int) -> None:
    wanted = NewPrice(product_id="p", amount=Money(5, "EUR"), expected_version=read)
    if read == newest:
        assert next_price(wanted, newest, NOW).version == newest + 1
    else:
        with pytest.raises(Stale):
            next_price(wanted, newest, NOW)


@given(st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_past_is_refused_but_for_what_clocks_may_differ(ago: timedelta) -> None:
    wanted = NewPrice(product_id="p", amount=Money(5, "EUR"), effective_from=NOW - ago)
    if ago <= CLOCK_DIFFERENCE:
        assert next_price(wanted, 0, NOW).effective_from == NOW
    else:
        with pytest.raises(Invalid) as refused:
            next_price(wanted, 0, NOW)
        assert [field for field, _ in refused.value.fields] == ["effective_from"]
