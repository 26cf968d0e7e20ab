"""Text messages through Twilio as the notification service sees them."""

from __future__ import annotations

import asyncio
import base64
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from twilio.rest import Client

from harness.gateways.inprocess import RunningMock
from harness.gateways.twilio.gateway import ACCOUNT_SID, AUTH_TOKEN
from services.notification.adapters import twilio_search
from services.notification.adapters.twilio import TwilioSms
from services.notification.domain import DeliveryStatus, Earlier, Sms
from services.platform.gateways.calling import Policy
from services.platform.gateways.errors import (
    CredentialsRefused,
    GatewayError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownReference,
)
from services.platform.gateways.keys import idempotency_key
from services.platform.gateways.once import Search
from tests.services.logs import everything_logged
from tests.services.notification.conftest import has_entries

QUICK = Policy(first_wait=0.01, longest_wait=0.02, timeout=1.0, deadline=8.0)
SOON = Search(settle=0.05, every=0.02)
SENDER = "+15005550006"
CUSTOMER = "+14155552671"
TEXT = "Your teapot is on its way"
CALLBACK = "http://127.0.0.1:9/sms?tenant=shop"
BASIC = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
PRIVATE = (CUSTOMER, CUSTOMER[1:], quote(CUSTOMER, safe=""), "teapot", AUTH_TOKEN, BASIC)


def connected(mock: RunningMock, **more: Any) -> TwilioSms:
    given = {"sender": SENDER, "callback_url": CALLBACK, "base_url": mock.url, "policy": QUICK, "search": SOON, **more}
    return TwilioSms(given.pop("account_sid", ACCOUNT_SID), given.pop("secret", AUTH_TOKEN), **given)


@pytest.fixture
async def twilio(messages: RunningMock) -> AsyncIterator[TwilioSms]:
    async with connected(messages) as sender:
        yield sender


def sms(order: str = "o1", step: str = "shipped", **more: Any) -> Sms:
    return Sms(**{"key": idempotency_key(order, step), "to": CUSTOMER, "text": TEXT, **more})


def since(first: datetime) -> Earlier:
    return Earlier(first=first, last=max(first, datetime.now(UTC) - timedelta(seconds=10)))


def operations(mock: RunningMock) -> list[str]:
    return [each["operation"] for each in mock.control.requests()]


async def test_a_message_is_sent_with_its_key_and_its_way_is_known(twilio: TwilioSms, messages: RunningMock) -> None:
    receipt = await twilio.send(sms(order_id="order-7"))
    assert (receipt.status, receipt.recovered) == (DeliveryStatus.PENDING, False)
    (entry,) = messages.control.ledger("message")
    assert (entry["id"], entry["reference"]) == (receipt.id, "order-7")
    assert operations(messages) == ["createMessage"]
    messages.control.advance(5)
    assert (await twilio.status(receipt.id)).status == DeliveryStatus.DELIVERED


async def test_the_key_comes_back_in_the_query_of_status_callbacks(twilio: TwilioSms, messages: RunningMock) -> None:
    await twilio.send(sms())
    messages.control.advance(5)
    urls = {each["url"] for each in messages.control.deliveries()}
    assert urls == {f"{CALLBACK}&idempotency_key=o1%2Fshipped"}


async def test_two_keys_are_two_messages_even_with_the_same_text(twilio: TwilioSms, messages: RunningMock) -> None:
    first, second = await twilio.send(sms()), await twilio.send(sms("o2"))
    assert [each["id"] for each in messages.control.ledger("message")] == [first.id, second.id]


@pytest.mark.parametrize(
    "outcome", [{"lost": True}, {"hang": 2.0}, {"truncate": 60}, {"answer_status": 500}, {"answer_html": 502}]
)
async def test_a_message_whose_answer_was_lost_is_found_and_not_sent_again(
    twilio: TwilioSms, messages: RunningMock, outcome: dict[str, Any]
) -> None:
    messages.control.script(outcome, operation="createMessage")
    receipt = await twilio.send(sms())
    (entry,) = messages.control.ledger("message")
    assert (receipt.id, receipt.recovered) == (entry["id"], True)
    assert operations(messages).count("createMessage") == 1


@pytest.mark.parametrize("outcome", [{"status": 500}, {"status": 503}, {"html": 502}, {"reset": True}])
async def test_a_message_that_was_not_sent_is_sent_again_after_a_search(
    twilio: TwilioSms, messages: RunningMock, outcome: dict[str, Any]
) -> None:
    messages.control.script(outcome, operation="createMessage")
    assert not (await twilio.send(sms())).recovered
    assert len(messages.control.ledger("message")) == 1
    assert (operations(messages)[0], operations(messages)[-1]) == ("createMessage", "createMessage")
    assert set(operations(messages)[1:-1]) == {"listMessages"}


@pytest.mark.parametrize("trouble", [{"status": 500}, {"status": 403}, {"truncate": 20}, {"reset": True}])
async def test_nothing_is_sent_again_when_the_search_fails(
    twilio: TwilioSms, messages: RunningMock, trouble: dict[str, Any]
) -> None:
    messages.control.script({"lost": True}, operation="createMessage")
    messages.control.script(trouble, operation="listMessages", times=4)
    with pytest.raises(OutcomeUnknown):
        await twilio.send(sms())
    messages.control.clear_scripts()
    async with connected(messages) as restarted:
        assert (await restarted.send(sms(), earlier=since(datetime.now(UTC)))).recovered
    assert len(messages.control.ledger("message")) == 1


async def test_a_lost_answer_is_not_mixed_up_with_an_equal_text_of_another_key(
    twilio: TwilioSms, messages: RunningMock
) -> None:
    first = await twilio.send(sms())
    messages.control.script({"reset": True}, {"lost": True}, operation="createMessage")
    second, third = await asyncio.gather(twilio.send(sms("o2")), twilio.send(sms("o3")))
    ids = [each["id"] for each in messages.control.ledger("message")]
    assert sorted(ids) == sorted((first.id, second.id, third.id))


async def test_a_search_does_not_take_an_equal_text_that_is_just_being_sent(
    twilio: TwilioSms, messages: RunningMock
) -> None:
    messages.control.script({"reset": True}, {"answer_delay": 0.15}, operation="createMessage")
    first, second = await asyncio.gather(twilio.send(sms()), twilio.send(sms("o2")))
    assert first.id != second.id
    assert len(messages.control.ledger("message")) == 2


async def test_a_message_of_another_text_number_or_time_is_not_it(twilio: TwilioSms, messages: RunningMock) -> None:
    await twilio.send(sms("o2", text="Something else"))
    await twilio.send(sms("o3", to="+14155552672"))
    async with connected(messages, sender="+14155550000") as other:
        await other.send(sms("o4"))
    async with connected(messages) as restarted:
        assert not (await restarted.send(sms(), earlier=since(datetime.now(UTC) - timedelta(minutes=5)))).recovered
    messages.control.advance(600)
    async with connected(messages) as restarted:
        assert not (await restarted.send(sms("o5"), earlier=since(datetime.now(UTC) + timedelta(minutes=9)))).recovered
    assert len(messages.control.ledger("message")) == 5


class Told:
    """Status callbacks have told these keys."""

    def __init__(self, **keys: str) -> None:
        self.keys = keys

    async def key_of(self, sms_id: str) -> str | None:
        return self.keys.get(sms_id)


async def test_two_equal_messages_of_other_processes_cannot_be_told_apart_without_callbacks(
    messages: RunningMock,
) -> None:
    began = datetime.now(UTC)
    async with connected(messages) as first, connected(messages) as second:
        one, two = await first.send(sms()), await second.send(sms("o2"))
    async with connected(messages) as restarted:
        with pytest.raises(OutcomeUnknown):
            await restarted.send(sms(), earlier=since(began))
    async with connected(messages, keys=Told(**{one.id: "o1/shipped"})) as restarted:
        assert (await restarted.send(sms(), earlier=since(began))).id == one.id
    async with connected(messages, keys=Told(**{one.id: "x/1", two.id: "x/2"})) as restarted:
        assert not (await restarted.send(sms(), earlier=since(began - timedelta(minutes=1)))).recovered
    assert len(messages.control.ledger("message")) == 3


async def test_a_message_whose_text_was_removed_may_be_any(twilio: TwilioSms, messages: RunningMock) -> None:
    receipt = await twilio.send(sms("o2", text="Something else"))
    operator = Client(ACCOUNT_SID, AUTH_TOKEN)
    operator.api.base_url = messages.url
    await asyncio.to_thread(operator.messages(receipt.id).update, body="")
    async with connected(messages) as restarted:
        with pytest.raises(OutcomeUnknown):
            await restarted.send(sms(), earlier=since(datetime.now(UTC)))
    assert len(messages.control.ledger("message")) == 1


async def test_the_search_looks_at_every_page_since_the_attempt(
    twilio: TwilioSms, messages: RunningMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_search, "PAGE_SIZE", 2)
    began = datetime.now(UTC)
    receipt = await twilio.send(sms())
    for number in range(5):
        await twilio.send(sms(f"p{number}", text=f"Number {number}"))
    async with connected(messages) as restarted:
        assert (await restarted.send(sms(), earlier=since(began))).id == receipt.id
        assert operations(messages).count("listMessages") == 3
        monkeypatch.setattr(twilio_search, "MAX_PAGES", 2)
        with pytest.raises(OutcomeUnknown):
            await restarted.send(sms(), earlier=since(began))


async def test_a_process_that_died_between_sending_and_answer_finds_its_message_again(messages: RunningMock) -> None:
    messages.control.script({"hang": 10.0}, operation="createMessage")
    began = datetime.now(UTC)
    async with connected(messages, policy=Policy()) as dying:
        sending = asyncio.create_task(dying.send(sms()))
        await has_entries(messages)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    async with connected(messages) as restarted:
        assert (await restarted.send(sms(), earlier=since(began))).recovered
    assert operations(messages) == ["createMessage", "listMessages"]


async def test_a_messaging_service_picks_the_sender_and_its_message_is_found(messages: RunningMock) -> None:
    messages.control.script({"lost": True}, operation="createMessage")
    async with connected(messages, sender=f"MG{'0' * 32}") as twilio:
        assert (
            await twilio.send(sms(text="Your teapot \N{EN DASH} it\N{RIGHT SINGLE QUOTATION MARK}s on its way"))
        ).recovered
    assert len(messages.control.ledger("message")) == 1


async def test_too_many_requests_wait_as_told_and_need_no_search(messages: RunningMock) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    messages.control.script({"status": 429, "retry_after": 7}, {"status": 429}, operation="createMessage")
    async with connected(messages, policy=Policy(timeout=1.0), sleep=sleep) as twilio:
        await twilio.send(sms())
    assert waits[0] == 7
    assert operations(messages) == ["createMessage"] * 3
    assert len(messages.control.ledger("message")) == 1


@pytest.mark.parametrize(
    ("change", "error", "code", "field"),
    [
        ({"to": "+15005550001"}, Rejected, "21211", "To"),
        ({"to": "+15005550002"}, Rejected, "21612", ""),
        ({"to": "+15005550003"}, Rejected, "21408", ""),
        ({"to": "+15005550004"}, Rejected, "21610", "To"),
        ({"to": "+15005550009"}, Rejected, "21614", "To"),
        ({"sender": "+15005550001"}, Rejected, "21212", "From"),
        ({"sender": "+15005550007"}, Rejected, "21606", "From"),
        ({"sender": "+15005550008"}, RateLimited, "21611", ""),
        ({"callback_url": "nowhere"}, Rejected, "21609", "StatusCallback"),
        ({"secret": "invalid"}, CredentialsRefused, "20003", ""),
        ({"account_sid": "AC1"}, CredentialsRefused, "20003", ""),
        ({"base_url": "http://127.0.0.1:9"}, Unavailable, "", ""),
    ],
)
async def test_each_refusal_has_its_error_and_is_neither_searched_nor_repeated(
    messages: RunningMock, change: dict[str, str], error: type[GatewayError], code: str, field: str
) -> None:
    asked = sms(to=change.pop("to", CUSTOMER))
    async with connected(messages, **change) as twilio:
        with pytest.raises(error) as caught:
            await twilio.send(asked)
    assert caught.value.code == code
    assert getattr(caught.value, "field", "") == field
    assert operations(messages) in ([], ["createMessage"])
    assert messages.control.ledger("message") == []


async def test_an_api_key_sends_for_its_account(messages: RunningMock) -> None:
    async with connected(messages, api_key=f"SK{'a' * 32}", secret="s" * 32) as twilio:
        receipt = await twilio.send(sms())
    assert [each["id"] for each in messages.control.ledger("message")] == [receipt.id]


async def test_a_message_that_was_not_delivered_says_why(twilio: TwilioSms, messages: RunningMock) -> None:
    receipt = await twilio.send(sms(to="+15005530003"))
    messages.control.advance(5)
    found = await twilio.status(receipt.id)
    assert (found.status, found.failure) == (DeliveryStatus.FAILED, "30003")
    with pytest.raises(UnknownReference):
        await twilio.status(f"SM{'0' * 32}")


@pytest.mark.parametrize(
    ("outcome", "search"),
    [
        ({}, {}),
        ({"status": 400, "code": "21211", "message": f"The 'To' number {CUSTOMER} is not valid"}, {}),
        ({"status": 400, "message": f"no {CUSTOMER}"}, {}),
        ({"status": 401, "message": f"no {CUSTOMER}"}, {}),
        ({"status": 429, "message": f"no {CUSTOMER}"}, {}),
        ({"lost": True}, {}),
        ({"truncate": 250}, {"status": 400, "message": CUSTOMER}),
        ({"answer_status": 500, "message": f"no {CUSTOMER}"}, {"truncate": 300}),
    ],
)
async def test_neither_logs_nor_errors_show_a_secret_a_number_or_a_text(
    twilio: TwilioSms, messages: RunningMock, outcome: dict[str, Any], search: dict[str, Any]
) -> None:
    messages.control.script(outcome, operation="createMessage", times=9)
    messages.control.script(search, operation="listMessages", times=9)
    asked = sms()
    texts = [repr(asked), repr(twilio)]
    with everything_logged() as written:
        try:
            texts.append(repr(await twilio.send(asked)))
        except GatewayError as problem:
            texts += [str(problem), repr(problem), "".join(traceback.format_exception(problem))]
    assert any(text.startswith("httpx ") for text in written)
    assert [word for word in PRIVATE for text in (*texts, *written) if word in text] == []
