"""Zones, tariffs, plans of journeys and access tokens."""

from __future__ import annotations

import datetime
import itertools
from decimal import Decimal

import pytest

from harness.gateways.fedex.catalog import SERVICES as FEDEX
from harness.gateways.gateway import World
from harness.gateways.parcels.access import Standing, Tokens, acceptable
from harness.gateways.parcels.addresses import BUSINESS, RESIDENTIAL, check
from harness.gateways.parcels.journey import STAGES, plan
from harness.gateways.parcels.places import COUNTRIES, Place, currency_of, postal_code_fits, state_fits, zone
from harness.gateways.parcels.tariff import Package, Service, after_business_days, business_day, due, listed, price
from harness.gateways.ups.catalog import SERVICES as UPS

MEMPHIS = Place(country="US", postal_code="38116", state="TN", city="Memphis")
AUSTIN = Place(country="US", postal_code="78701", state="TX", city="Austin")
BERLIN = Place(country="DE", postal_code="10115", city="Berlin")


def test_zones_grow_with_the_distance_of_postal_codes() -> None:
    near, far = Place(country="US", postal_code="38201"), Place(country="US", postal_code="99501")
    assert [zone(MEMPHIS, place) for place in (MEMPHIS, near, AUSTIN, far)] == [2, 2, 6, 8]
    assert zone(MEMPHIS, AUSTIN) == zone(AUSTIN, MEMPHIS)
    assert zone(MEMPHIS, BERLIN) > 10
    assert zone(MEMPHIS, Place(country="CA", postal_code="M5V 3L9")) == 10


@pytest.mark.parametrize(
    ("country", "code", "fits"),
    [
        ("US", "38116", True),
        ("US", "38116-1234", True),
        ("US", "3811", False),
        ("US", "", False),
        ("CA", "M5V 3L9", True),
        ("CA", "M5V", False),
        ("DE", "10115", True),
        ("HK", "", True),
        ("US", "\uff13\uff18\uff11\uff11\uff16", False),
    ],
)
def test_postal_codes_have_the_form_of_their_country(country: str, code: str, fits: bool) -> None:
    assert postal_code_fits(Place(country=country, postal_code=code)) is fits


def test_a_state_and_its_zip_code_belong_together() -> None:
    assert state_fits(AUSTIN)
    assert not state_fits(Place(country="US", postal_code="78701", state="NY"))
    assert not state_fits(Place(country="US", postal_code="78701", state="XX"))


def test_there_are_all_countries_and_their_currencies() -> None:
    assert len(COUNTRIES) == 249
    assert [currency_of(country) for country in ("US", "CA", "DE", "JP")] == ["USD", "CAD", "EUR", "USD"]


@pytest.mark.parametrize("service", [*FEDEX.values(), *UPS], ids=lambda service: f"{service.code} {service.name}")
def test_more_weight_and_more_distance_never_cost_less(service: Service) -> None:
    places = [Place(country="US", postal_code=f"{digit}0001") for digit in range(3, 10)]
    for origin, package in itertools.product(places[:1], (1, 5, 50)):
        prices = [
            price(service, origin, place, Package(pounds=Decimal(package)), currency="USD").total for place in places
        ]
        assert prices == sorted(prices)
        assert min(prices) > 0


def test_light_but_large_packages_pay_for_their_volume() -> None:
    large = Package(pounds=Decimal(1), sizes=(Decimal(20), Decimal(20), Decimal(20)))
    assert large.billable_pounds == 58
    assert (large.longest, large.girth) == (Decimal(20), Decimal(100))
    assert Package(pounds=Decimal("0.1")).billable_pounds == 1


def test_list_prices_are_higher_and_residences_cost_more() -> None:
    ground, package = FEDEX["FEDEX_GROUND"], Package(pounds=Decimal(5))
    account = price(ground, MEMPHIS, AUSTIN, package, currency="USD")
    home = price(ground, MEMPHIS, Place(country="US", postal_code="78701", residential=True), package, currency="USD")
    assert listed(account).total > account.total
    assert home.total - account.total == 565
    assert price(ground, MEMPHIS, AUSTIN, package, currency="CAD").total == pytest.approx(account.total * 1.37, abs=4)


def test_transit_days_are_business_days() -> None:
    friday = datetime.date(2026, 7, 31)
    assert after_business_days(friday, 1) == datetime.date(2026, 8, 3)
    assert business_day(datetime.date(2026, 8, 1)) == datetime.date(2026, 8, 3)
    arrival = due(FEDEX["FEDEX_2_DAY"], MEMPHIS, AUSTIN, friday)
    assert arrival == datetime.datetime(2026, 8, 4, 17, tzinfo=datetime.UTC)


@pytest.mark.parametrize("hours", [-5, 0, 1, 8, 30, 200])
def test_a_journey_passes_all_stages_in_order(hours: float) -> None:
    found = plan(1000.0, 1000.0 + hours * 3600)
    times = [1000.0, *(at for at, _ in found)]
    assert times == sorted(times)
    assert len(set(times)) == 5
    assert tuple(stage for _, stage in found) == STAGES[1:]


def test_tokens_expire_by_the_clock_and_when_they_are_revoked() -> None:
    world = World()
    world.clock.freeze(1_000_000.0)
    tokens = Tokens(world, "a carrier", 3600)
    first, second = tokens.issue("me", 1), tokens.issue("me", 2)
    assert first != second
    assert tokens.check(first) is Standing.VALID
    assert [tokens.check(each, revoked=1) for each in (first, second)] == [Standing.EXPIRED, Standing.VALID]
    world.clock.advance(3600)
    assert tokens.check(second) is Standing.EXPIRED
    for wrong in ("", "x", first[:-2], f"A{first[1:]}" if first[0] != "A" else f"B{first[1:]}", "ä" * 40):
        assert tokens.check(wrong) is Standing.UNKNOWN
    assert Tokens(world, "another", 3600).check(second) is Standing.UNKNOWN


def test_only_credentials_that_say_so_are_not_accepted() -> None:
    assert acceptable("id", "secret")
    assert not any((acceptable("", "x"), acceptable("my-invalid-id", "x"), acceptable("id", "EXPIRED")))


def test_addresses_are_valid_ambiguous_or_neither() -> None:
    found = check(AUSTIN, [" 5  oak ave", "apt 4"])
    assert (found.valid, found.lines, found.place.city) == (True, ["5 OAK AVE", "APT 4"], "AUSTIN")
    assert found.classification == RESIDENTIAL
    assert check(AUSTIN, ["100 Congress Ave"]).classification == BUSINESS
    wrong_state = check(Place(country="US", postal_code="78701", state="NY", city="Austin"), ["5 Oak Ave"])
    assert (wrong_state.valid, wrong_state.ambiguous) == (False, True)
    for lines in ([], ["Oak Ave"], ["Unknown 5"]):
        nothing = check(AUSTIN, lines)
        assert (nothing.valid, nothing.ambiguous) == (False, False)
