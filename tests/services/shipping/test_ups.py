"""Shipments through UPS as the shipping service sees them."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from shop.runtime.errors import HttpError, http_error_class

from harness.gateways.inprocess import RunningMock, running
from services.platform.gateways.errors import (
    CredentialsRefused,
    GatewayError,
    KeyReused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownReference,
)
from services.shipping.adapters.references import reference_of
from services.shipping.adapters.ups import UpsCarrier
from services.shipping.adapters.ups_errors import judge
from services.shipping.domain import (
    AddressVerdict,
    Carrier,
    LabelFormat,
    ServiceLevel,
    ShipmentRequest,
    ShipmentStatus,
)
from tests.services.logs import everything_logged
from tests.services.shipping.goods import (
    HAMBURG,
    HOME,
    LARGE,
    MUNICH,
    NOT_DONE,
    PARIS,
    PRIVATE,
    QUICK,
    SMALL,
    SOON,
    SPOILED,
    Time,
    has_entries,
    just_now,
    long_ago,
    operations,
    pickup_request,
    rate_request,
    shipment_request,
    tokens,
)

ACCOUNT = "A1B2C3"
pytestmark = pytest.mark.asyncio(loop_scope="module")
MAGIC = {LabelFormat.PDF: b"%PDF-", LabelFormat.PNG: b"\x89PNG", LabelFormat.ZPL: b"^XA"}


@pytest.fixture(scope="module")
def served() -> Iterator[RunningMock]:
    with running("ups", seed=1) as mocks:
        yield mocks.ups


@pytest.fixture(autouse=True)
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


def connected(mock: RunningMock, **more: Any) -> UpsCarrier:
    given = {"account": ACCOUNT, "base_url": mock.url, "policy": QUICK, "search": SOON, **more}
    return UpsCarrier(given.pop("api_key", "key-1"), given.pop("secret_key", "the-secret-1"), **given)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ups(served: RunningMock) -> AsyncIterator[UpsCarrier]:
    async with connected(served) as carrier:
        yield carrier


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(mock: RunningMock) -> AsyncIterator[UpsCarrier]:
    """One that has no access token yet, and whose circuit breaker has seen nothing."""
    async with connected(mock) as carrier:
        yield carrier


def request(order: str = "o1", **more: Any) -> ShipmentRequest:
    return shipment_request(more.pop("service", "02"), order, **more)


# ---- the life of a shipment


async def test_offers_come_with_their_speed_and_the_cheapest_first(ups: UpsCarrier) -> None:
    rates = await ups.rates(rate_request(parcels=(SMALL, LARGE)))
    assert [rate.price.amount for rate in rates] == sorted(rate.price.amount for rate in rates)
    found = {rate.service: rate for rate in rates}
    assert found["02"].level is ServiceLevel.TWO_DAY and found["02"].transit_days == 2
    assert found["13"].level is ServiceLevel.OVERNIGHT
    assert found["03"].level is ServiceLevel.GROUND
    assert {(rate.carrier, rate.price.currency) for rate in rates} == {(Carrier.UPS, "USD")}


async def test_what_was_offered_is_what_is_charged(ups: UpsCarrier, mock: RunningMock) -> None:
    offer = next(rate for rate in await ups.rates(rate_request()) if rate.service == "02")
    shipment = await ups.ship(request())
    assert shipment.cost == offer.price
    (entry,) = mock.control.ledger("shipment")
    assert (entry["amount"], entry["currency"]) == (offer.price.amount, offer.price.currency)


async def test_prices_are_in_the_currency_of_the_account(ups: UpsCarrier) -> None:
    assert {rate.price.currency for rate in await ups.rates(rate_request(currency="EUR"))} == {"USD"}
    german = rate_request(origin=HAMBURG, destination=MUNICH)
    assert {rate.price.currency for rate in await ups.rates(german)} == {"EUR"}


async def test_nothing_is_offered_to_where_ups_does_not_go_or_for_what_it_does_not_take(ups: UpsCarrier) -> None:
    assert await ups.rates(rate_request(destination=replace(HOME, country="CU"))) == ()
    assert await ups.rates(rate_request(parcels=(replace(SMALL, weight_grams=90_000),))) == ()
    with pytest.raises(Rejected) as caught:
        await ups.rates(rate_request(destination=replace(HOME, postal_code="0")))
    assert caught.value.code == "110207"


@pytest.mark.parametrize("label_format", LabelFormat)
async def test_a_shipment_has_a_label_for_each_parcel(
    ups: UpsCarrier, mock: RunningMock, label_format: LabelFormat
) -> None:
    shipment = await ups.ship(request(parcels=(SMALL, LARGE), label_format=label_format))
    assert (shipment.id, len(shipment.tracking_numbers)) == (shipment.tracking_numbers[0], 2)
    assert [label.tracking_number for label in shipment.labels] == list(shipment.tracking_numbers)
    assert all(label.content.startswith(MAGIC[label_format]) for label in shipment.labels)
    assert (shipment.labels_missing, shipment.recovered) == (False, False)
    (entry,) = mock.control.ledger("shipment")
    assert (entry["reference"], entry["key"]) == (reference_of("o1/ship"), "o1/ship")
    assert entry["data"]["tracking_numbers"] == list(shipment.tracking_numbers)


async def test_shippers_elsewhere_use_kilograms_and_their_currency(ups: UpsCarrier, mock: RunningMock) -> None:
    abroad = request(origin=HAMBURG, destination=MUNICH, service="07")
    shipment = await ups.ship(abroad)
    assert shipment.cost is not None and shipment.cost.currency == "EUR"
    assert (await ups.ship(request("o2", destination=PARIS, service="08"))).tracking_numbers
    assert mock.control.totals()["shipment"].keys() == {"EUR", "USD"}


async def test_a_parcel_is_followed_until_it_is_delivered(ups: UpsCarrier, mock: RunningMock) -> None:
    shipment = await ups.ship(request())
    tracking = await ups.track(shipment.id)
    assert tracking.status is ShipmentStatus.LABEL_CREATED and tracking.expected_on is not None
    for status in ("in_transit", "out_for_delivery", "exception", "delivered"):
        mock.control.action("set_tracking_status", tracking_number=shipment.id, status=status)
        tracking = await ups.track(shipment.id)
        assert tracking.status == ShipmentStatus(status)
    assert [event.status.value for event in tracking.events][::-1] == [
        "label_created", "in_transit", "out_for_delivery", "exception", "delivered",
    ]  # fmt: skip
    assert all(event.at.tzinfo is not None for event in tracking.events)
    assert tracking.events[0].location == "AUSTIN, TX, US"


async def test_a_shipment_is_cancelled_once_and_again_without_complaint(ups: UpsCarrier, mock: RunningMock) -> None:
    shipment = await ups.ship(request(parcels=(SMALL, LARGE)))
    for key in ("o1/cancel", "o1/cancel", "o1/cancel-again"):
        await ups.cancel(shipment.id, key=key)
    assert len(mock.control.ledger("void")) == 1
    assert (await ups.track(shipment.tracking_numbers[1])).status is ShipmentStatus.CANCELLED


async def test_a_shipment_that_was_handed_over_is_not_cancelled(ups: UpsCarrier, mock: RunningMock) -> None:
    shipment = await ups.ship(request())
    mock.control.action("set_tracking_status", tracking_number=shipment.id, status="picked_up")
    with pytest.raises(Rejected) as caught:
        await ups.cancel(shipment.id, key="o1/cancel")
    assert caught.value.code == "190101"


async def test_addresses_are_checked(ups: UpsCarrier) -> None:
    check = await ups.validate_address(HOME)
    assert (check.verdict, check.residential) == (AddressVerdict.VALID, True)
    assert check.suggestion is not None
    assert (check.suggestion.line1, check.suggestion.line2, check.suggestion.name) == (
        "5 OAK AVE", "APT 7", "Grace Hopper",
    )  # fmt: skip
    assert (await ups.validate_address(replace(HOME, line1="Unknown street 1"))).verdict is AddressVerdict.INVALID
    assert (await ups.validate_address(replace(HOME, country="CU"))).verdict is AddressVerdict.UNCHECKED
    ambiguous = await ups.validate_address(replace(HOME, postal_code="10001"))
    assert ambiguous.verdict is AddressVerdict.AMBIGUOUS and ambiguous.suggestion is not None


@pytest.mark.parametrize("level", [ServiceLevel.GROUND, ServiceLevel.OVERNIGHT])
async def test_a_courier_is_asked_for_and_sent_away(ups: UpsCarrier, mock: RunningMock, level: ServiceLevel) -> None:
    asked = pickup_request(level=level)
    pickup = await ups.schedule_pickup(asked)
    assert (pickup.carrier, pickup.day, pickup.level) == (Carrier.UPS, asked.day, level)
    for _ in range(2):
        await ups.cancel_pickup(pickup, key="o1/cancel-pickup")
    (entry,) = mock.control.ledger("pickup")
    assert (entry["key"], entry["reference"]) == ("o1/pickup", reference_of("o1/pickup"))
    assert entry["status"] == "cancelled"
    with pytest.raises(UnknownReference):
        await ups.cancel_pickup(replace(pickup, id="29ABCDEFGHI"), key="o1/other")


# ---- answers that get lost


@pytest.mark.parametrize("outcome", SPOILED)
async def test_a_shipment_whose_answer_was_lost_is_found_and_not_booked_again(
    ups: UpsCarrier, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation="ship")
    shipment = await ups.ship(request(parcels=(SMALL, LARGE)))
    (entry,) = mock.control.ledger("shipment")
    assert list(shipment.tracking_numbers) == entry["data"]["tracking_numbers"]
    assert (shipment.id, shipment.recovered) == (entry["id"], True)
    assert [label.tracking_number for label in shipment.labels] == list(shipment.tracking_numbers)
    assert all(label.content.startswith(b"%PDF-") for label in shipment.labels)
    assert (shipment.labels_missing, shipment.cost) == (False, None)
    assert operations(mock).count("ship") == 1


@pytest.mark.parametrize("label_format", LabelFormat)
async def test_labels_that_cannot_be_recovered_are_missing_and_come_later(
    ups: UpsCarrier, mock: RunningMock, label_format: LabelFormat
) -> None:
    asked = request(parcels=(SMALL, LARGE), label_format=label_format)
    mock.control.script({"lost": True}, operation="ship")
    mock.control.script({"status": 400, "code": "300007"}, operation="recoverLabel")
    shipment = await ups.ship(asked)
    assert shipment.labels_missing and shipment.recovered
    again = await ups.ship(asked, earlier=just_now())
    assert replace(again, labels=()) == shipment
    assert [label.content.startswith(MAGIC[label_format]) for label in again.labels] == [True, True]
    assert len(mock.control.ledger("shipment")) == 1


async def test_a_shipment_abroad_has_its_reference_as_a_whole(ups: UpsCarrier, mock: RunningMock) -> None:
    mock.control.script({"lost": True}, operation="ship")
    abroad = request(destination=PARIS, service="08", parcels=(SMALL, LARGE))
    shipment = await ups.ship(abroad)
    assert shipment.recovered and not shipment.labels_missing
    (entry,) = mock.control.ledger("shipment")
    assert entry["reference"] == reference_of("o1/ship")


async def test_an_answer_that_does_not_come_in_time_is_no_second_shipment(mock: RunningMock) -> None:
    async with connected(mock, policy=replace(QUICK, timeout=0.3)) as ups:
        mock.control.script({"hang": 1.0}, operation="ship")
        shipment = await ups.ship(request())
    (entry,) = mock.control.ledger("shipment")
    assert (shipment.id, shipment.recovered) == (entry["id"], True)


@pytest.mark.parametrize("outcome", NOT_DONE)
async def test_a_shipment_that_was_not_booked_is_booked_after_a_search(
    ups: UpsCarrier, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation="ship")
    shipment = await ups.ship(request())
    assert not shipment.recovered and shipment.labels
    assert len(mock.control.ledger("shipment")) == 1
    done = operations(mock)
    assert (done[0], done[-1]) == ("ship", "ship")
    assert set(done[1:-1]) == {"trackByReference"}


async def test_nothing_is_booked_again_before_a_search_can_be_believed(mock: RunningMock) -> None:
    async with connected(mock, search=replace(SOON, settle=60.0), policy=replace(QUICK, deadline=0.1)) as ups:
        mock.control.script({"status": 500}, operation="ship")
        with pytest.raises(OutcomeUnknown):
            await ups.ship(request())
        assert operations(mock).count("ship") == 1


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 403},
        {"status": 400},
        {"status": 404, "code": "151018"},
        {"html": 404},
        {"reset": True},
        {"status": 429},
    ],
)
async def test_nothing_is_booked_again_when_the_search_fails(
    fresh: UpsCarrier, mock: RunningMock, trouble: dict[str, Any]
) -> None:
    mock.control.script({"lost": True}, operation="ship")
    mock.control.script(trouble, operation="trackByReference", times=4)
    with pytest.raises(OutcomeUnknown):
        await fresh.ship(request())
    mock.control.clear_scripts()
    async with connected(mock) as restarted:
        assert (await restarted.ship(request(), earlier=just_now())).recovered
    assert len(mock.control.ledger("shipment")) == 1


async def test_a_crash_between_booking_and_answer_books_once(mock: RunningMock) -> None:
    async with connected(mock, policy=replace(QUICK, timeout=5.0)) as crashing:
        mock.control.script({"hang": 5.0}, operation="ship")
        attempt = asyncio.create_task(crashing.ship(request()))
        await has_entries(mock)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
    async with connected(mock) as restarted:
        found = await restarted.ship(request(), earlier=just_now())
    (entry,) = mock.control.ledger("shipment")
    assert (found.id, found.recovered) == (entry["id"], True)


async def test_an_earlier_attempt_that_did_nothing_is_made_up_for(ups: UpsCarrier, mock: RunningMock) -> None:
    shipment = await ups.ship(request(), earlier=just_now())
    assert not shipment.recovered
    assert len(mock.control.ledger("shipment")) == 1
    assert operations(mock)[0] == "trackByReference"


async def test_an_attempt_that_is_older_than_the_search_reaches_is_not_repeated(
    ups: UpsCarrier, mock: RunningMock
) -> None:
    with pytest.raises(OutcomeUnknown, match="older"):
        await ups.ship(request(), earlier=long_ago(days=121))
    assert mock.control.ledger() == []


async def test_two_keys_are_two_shipments(ups: UpsCarrier, mock: RunningMock) -> None:
    mock.control.script({"lost": True}, operation="ship", times=2)
    first, second = await asyncio.gather(ups.ship(request()), ups.ship(request("o2")))
    assert first.id != second.id
    assert {entry["id"] for entry in mock.control.ledger("shipment")} == {first.id, second.id}


async def test_a_key_is_good_for_one_shipment(ups: UpsCarrier, mock: RunningMock) -> None:
    shipment = await ups.ship(request())
    for other in (PARIS, replace(HOME, postal_code="78702")):
        with pytest.raises(KeyReused, match="somewhere else"):
            await ups.ship(request(destination=other), earlier=just_now())
    with pytest.raises(OutcomeUnknown, match="1 parcels"):
        await ups.ship(request(parcels=(SMALL, LARGE)), earlier=just_now())
    await ups.cancel(shipment.id, key="o1/cancel")
    with pytest.raises(KeyReused, match="cancelled"):
        await ups.ship(request(), earlier=just_now())
    assert len(mock.control.ledger("shipment")) == 1


@pytest.mark.parametrize("outcome", [*SPOILED, *NOT_DONE])
async def test_whatever_happens_to_its_answer_a_cancellation_is_done_once(
    ups: UpsCarrier, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    shipment = await ups.ship(request())
    mock.control.script(outcome, operation="voidShipment")
    await ups.cancel(shipment.id, key="o1/cancel")
    assert len(mock.control.ledger("void")) == 1


@pytest.mark.parametrize("outcome", [*SPOILED, *NOT_DONE])
async def test_a_pickup_whose_outcome_is_unknown_is_not_asked_for_again(
    fresh: UpsCarrier, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation="createPickup")
    with pytest.raises(OutcomeUnknown):
        await fresh.schedule_pickup(pickup_request())
    with pytest.raises(OutcomeUnknown):
        await fresh.schedule_pickup(pickup_request(), earlier=just_now())
    assert operations(mock).count("createPickup") == 1


async def test_a_lost_answer_does_not_keep_a_courier_from_being_sent_away(ups: UpsCarrier, mock: RunningMock) -> None:
    pickup = await ups.schedule_pickup(pickup_request())
    mock.control.script({"lost": True}, operation="cancelPickup")
    await ups.cancel_pickup(pickup, key="o1/cancel-pickup")
    assert [entry["status"] for entry in mock.control.ledger("pickup")] == ["cancelled"]


@pytest.mark.parametrize("outcome", [{"lost": True}, {"status": 500}, {"html": 502}])
async def test_what_changes_nothing_is_repeated(ups: UpsCarrier, mock: RunningMock, outcome: dict[str, Any]) -> None:
    shipment = await ups.ship(request())
    for operation in ("rate", "track", "validateAddress"):
        mock.control.script(outcome, operation=operation)
    assert await ups.rates(rate_request())
    assert (await ups.track(shipment.id)).events
    assert (await ups.validate_address(HOME)).verdict is AddressVerdict.VALID


# ---- errors


@pytest.mark.parametrize(
    ("outcome", "error", "code", "requests"),
    [
        ({"decline": "120100"}, Rejected, "120100", 1),
        ({"status": 400}, Rejected, "10002", 1),
        ({"status": 403}, CredentialsRefused, "10002", 1),
        ({"status": 400, "code": "10429"}, RateLimited, "10429", 4),
        ({"html": 404}, Rejected, "", 1),
        ({"status": 429, "retry_after": 0.0}, RateLimited, "10429", 4),
        ({"status": 500}, OutcomeUnknown, "10500", 4),
        ({"html": 502}, OutcomeUnknown, "", 4),
    ],
)
async def test_each_cause_has_its_error(
    fresh: UpsCarrier, mock: RunningMock, outcome: dict[str, Any], error: type[GatewayError], code: str, requests: int
) -> None:
    mock.control.script(outcome, operation="ship", times=4)
    with pytest.raises(GatewayError) as caught:
        await fresh.ship(request())
    assert (type(caught.value), caught.value.code, caught.value.status) == (
        error, code, outcome.get("status") or outcome.get("html") or 400,
    )  # fmt: skip
    assert operations(mock).count("ship") == requests
    assert mock.control.ledger() == []


async def test_too_many_requests_are_waited_out(mock: RunningMock) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async with connected(mock, sleep=wait) as ups:
        mock.control.script({"status": 429, "retry_after": 2.0}, {"status": 429}, operation="ship")
        assert not (await ups.ship(request())).recovered
    assert len(waits) == 2 and waits[0] >= 2.0
    assert len(mock.control.ledger("shipment")) == 1


async def test_a_request_that_is_wrong_says_where(ups: UpsCarrier, mock: RunningMock) -> None:
    for wrong, field in ((replace(HOME, city="x" * 36), "City"), (replace(HOME, line1="word " * 30), "line1")):
        with pytest.raises(Rejected) as caught:
            await ups.ship(request(destination=wrong))
        assert caught.value.field.endswith(field)
        assert "xx" not in str(caught.value) and "word" not in str(caught.value)
    assert mock.control.requests() == []
    with pytest.raises(Rejected) as caught:
        await ups.ship(request(destination=replace(HOME, postal_code="0")))
    assert (caught.value.code, caught.value.field) == ("120207", "destination")


async def test_unknown_parcels_have_their_error(ups: UpsCarrier) -> None:
    for call in (ups.track("794600000000"), ups.cancel("794600000000", key="k"), ups.track("../x")):
        with pytest.raises(UnknownReference):
            await call


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Rejected), (404, Rejected), (401, CredentialsRefused), (503, OutcomeUnknown)]
)
async def test_an_answer_without_a_body_is_told_by_its_status(status: int, kind: type[GatewayError]) -> None:
    problem: HttpError = http_error_class(status)(status)
    assert (type(judge("ship", problem).error), str(judge("ship", problem).error)) == (
        kind, f"ups ship: HTTP {status}",
    )  # fmt: skip


async def test_a_carrier_that_is_not_there_has_booked_nothing() -> None:
    async with UpsCarrier("k", "s", account=ACCOUNT, base_url="http://127.0.0.1:9", policy=QUICK) as nowhere:
        with pytest.raises(Unavailable):
            await nowhere.ship(request())


# ---- access tokens and certificates


async def test_a_token_is_renewed_before_it_ends_and_when_it_has_ended(mock: RunningMock) -> None:
    clock = Time()
    async with connected(mock, clock=clock) as ups:
        shipment = await ups.ship(request())
        for seconds, fetched in ((14_399 - 61, 1), (2, 2)):
            mock.control.advance(seconds)
            clock.now += seconds
            await ups.track(shipment.id)
            assert tokens(mock) == fetched
        assert {each["status"] for each in mock.control.requests()} == {200}
        mock.control.advance(14_400)
        await asyncio.gather(*[ups.ship(request(f"p{number}")) for number in range(4)])
        assert tokens(mock) == 3
    assert len(mock.control.ledger("shipment")) == 5


async def test_a_token_that_is_refused_is_renewed_once(fresh: UpsCarrier, mock: RunningMock) -> None:
    mock.control.script({"status": 401}, operation="ship")
    assert (await fresh.ship(request())).labels
    assert tokens(mock) == 2
    mock.control.script({"status": 401}, {"status": 401}, operation="ship")
    with pytest.raises(CredentialsRefused):
        await fresh.ship(request("o2"))
    assert tokens(mock) == 3
    assert len(mock.control.ledger("shipment")) == 1


@pytest.mark.parametrize("outcome", [{"lost": True}, {"status": 500}, {"truncate": 20}, {"html": 502}])
async def test_a_token_that_does_not_arrive_is_asked_for_again_and_nothing_is_in_doubt(
    fresh: UpsCarrier, mock: RunningMock, outcome: dict[str, Any]
) -> None:
    mock.control.script(outcome, operation="createToken")
    assert not (await fresh.ship(request())).recovered
    assert (tokens(mock), operations(mock)) == (2, ["ship"])
    async with connected(mock) as other:
        mock.control.script(outcome, operation="createToken", times=4)
        with pytest.raises(Unavailable):
            await other.schedule_pickup(pickup_request())


async def test_neither_logs_nor_errors_show_customers_accounts_tokens_or_labels(mock: RunningMock) -> None:
    said = []
    with everything_logged() as logged:
        async with connected(mock, secret_key="invalid-the-secret") as wrong:
            with pytest.raises(CredentialsRefused) as refused:
                await wrong.ship(request())
            said.append("".join(traceback.format_exception(refused.value)))
            assert "the-secret" not in repr(vars(wrong))
        async with connected(mock) as ups:
            shipment = await ups.ship(request())
            said += [repr(shipment), repr(request()), repr(await ups.validate_address(HOME))]
            for outcome in ({"truncate": 3000}, {"status": 400}, {"answer_html": 502}):
                mock.control.script(outcome, operation="ship")
                try:
                    said.append(repr(await ups.ship(request(f"o{len(said)}"))))
                except GatewayError as problem:
                    said.append("".join(traceback.format_exception(problem)))
            await ups.schedule_pickup(pickup_request())
    assert logged
    # A tracking number has the account in it.
    for text in (re.sub(r"1Z\w{16}", "", each) for each in (*said, *logged)):
        for secret in (*PRIVATE, ACCOUNT, "Bearer ", "JVBERi0", "%PDF"):
            assert secret not in text
