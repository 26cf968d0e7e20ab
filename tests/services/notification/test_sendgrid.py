"""Mails through SendGrid as the notification service sees them."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.gateways.inprocess import RunningMock
from harness.gateways.sendgrid.gateway import API_KEY
from services.notification.adapters.sendgrid import SendGridMail
from services.notification.domain import Address, DeliveryStatus, Earlier, Mail
from services.platform.gateways.calling import Policy
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
from services.platform.gateways.keys import idempotency_key
from services.platform.gateways.once import Search
from tests.services.logs import everything_logged
from tests.services.notification.conftest import has_entries

QUICK = Policy(first_wait=0.01, longest_wait=0.02, timeout=1.0, deadline=8.0)
SOON = Search(settle=0.05, every=0.02)
SENDER = Address(email="orders@shop.example", name="The Shop")
CUSTOMER = Address(email="ada.lovelace@example.com", name="Ada L.")
TEXT = "Thank you for the teapot."
PRIVATE = ("ada.lovelace", "Ada L.", "teapot", "Your parcel", API_KEY, API_KEY.split(".")[2])


def connected(mock: RunningMock, **more: Any) -> SendGridMail:
    given = {"sender": SENDER, "base_url": mock.url, "policy": QUICK, "search": SOON, **more}
    return SendGridMail(given.pop("api_key", API_KEY), **given)


@pytest.fixture
async def sendgrid(mails: RunningMock) -> AsyncIterator[SendGridMail]:
    async with connected(mails) as sender:
        yield sender


def mail(order: str = "o1", step: str = "confirm", **more: Any) -> Mail:
    key = idempotency_key(order, step)
    return Mail(
        **{"key": key, "to": CUSTOMER, "subject": "Your parcel", "text": TEXT, "html": f"<p>{TEXT}</p>", **more}
    )


def since(first: datetime) -> Earlier:
    return Earlier(first=first, last=max(first, datetime.now(UTC) - timedelta(seconds=10)))


def operations(mock: RunningMock) -> list[str]:
    return [each["operation"] for each in mock.control.requests()]


async def test_a_mail_is_sent_with_its_key_and_its_way_is_known(sendgrid: SendGridMail, mails: RunningMock) -> None:
    receipt = await sendgrid.send(mail(order_id="order-7"))
    assert (receipt.status, receipt.recovered) == (DeliveryStatus.PENDING, False)
    (entry,) = mails.control.ledger("mail")
    assert (entry["key"], entry["reference"], entry["data"]["request_id"]) == ("o1/confirm", "order-7", receipt.id)
    assert operations(mails) == ["sendMail"]
    mails.control.advance(5)
    assert (await sendgrid.status(receipt.id)).status == DeliveryStatus.DELIVERED


async def test_two_keys_are_two_mails(sendgrid: SendGridMail, mails: RunningMock) -> None:
    first, second = await sendgrid.send(mail()), await sendgrid.send(mail(step="shipped"))
    assert first.id != second.id
    assert [each["key"] for each in mails.control.ledger("mail")] == ["o1/confirm", "o1/shipped"]


@pytest.mark.parametrize("outcome", [{"lost": True}, {"hang": 2.0}, {"answer_status": 500}, {"answer_html": 502}])
async def test_a_mail_whose_answer_was_lost_is_found_and_not_sent_again(
    sendgrid: SendGridMail, mails: RunningMock, outcome: dict[str, Any]
) -> None:
    mails.control.script(outcome, operation="sendMail")
    receipt = await sendgrid.send(mail())
    (entry,) = mails.control.ledger("mail")
    assert (receipt.id, receipt.recovered) == (entry["data"]["request_id"], True)
    assert operations(mails).count("sendMail") == 1


@pytest.mark.parametrize("outcome", [{"status": 500}, {"status": 503}, {"html": 502}, {"reset": True}])
async def test_a_mail_that_was_not_sent_is_sent_again_after_a_search(
    sendgrid: SendGridMail, mails: RunningMock, outcome: dict[str, Any]
) -> None:
    mails.control.script(outcome, operation="sendMail")
    assert not (await sendgrid.send(mail())).recovered
    assert len(mails.control.ledger("mail")) == 1
    assert operations(mails)[:: len(operations(mails)) - 1] == ["sendMail", "sendMail"]
    assert set(operations(mails)[1:-1]) == {"searchMessages"}


@pytest.mark.parametrize("trouble", [{"status": 500}, {"status": 403}, {"status": 400}, {"reset": True}])
async def test_nothing_is_sent_again_when_the_search_fails(
    sendgrid: SendGridMail, mails: RunningMock, trouble: dict[str, Any]
) -> None:
    mails.control.script({"lost": True}, operation="sendMail")
    mails.control.script(trouble, operation="searchMessages", times=4)
    with pytest.raises(OutcomeUnknown):
        await sendgrid.send(mail())
    assert operations(mails).count("sendMail") == 1
    mails.control.clear_scripts()
    async with connected(mails) as restarted:
        assert (await restarted.send(mail(), earlier=since(datetime.now(UTC)))).recovered
    assert len(mails.control.ledger("mail")) == 1


async def test_nothing_is_sent_again_before_a_search_could_have_found_it(mails: RunningMock) -> None:
    mails.control.script({"reset": True}, operation="sendMail")
    late = Policy(first_wait=0.01, timeout=0.3, deadline=0.2)
    async with connected(mails, policy=late, search=Search(settle=60.0, every=0.05)) as sendgrid:
        with pytest.raises(OutcomeUnknown, match="not found yet"):
            await sendgrid.send(mail())
    assert operations(mails).count("sendMail") == 1
    assert operations(mails).count("searchMessages") > 1


async def test_every_repetition_follows_a_search_and_the_last_one_too(
    sendgrid: SendGridMail, mails: RunningMock
) -> None:
    mails.control.script({"status": 500}, operation="sendMail", times=9)
    with pytest.raises(OutcomeUnknown) as caught:
        await sendgrid.send(mail())
    assert caught.value.status == 500
    seen = operations(mails)
    assert [seen.count("sendMail"), seen[-1]] == [4, "searchMessages"]
    assert "sendMail sendMail" not in " ".join(seen)


async def test_a_process_that_died_between_sending_and_answer_finds_its_mail_again(mails: RunningMock) -> None:
    mails.control.script({"hang": 10.0}, operation="sendMail")
    began = datetime.now(UTC)
    async with connected(mails, policy=Policy()) as dying:
        sending = asyncio.create_task(dying.send(mail()))
        await has_entries(mails)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    async with connected(mails) as restarted:
        assert (await restarted.send(mail(), earlier=since(began))).recovered
    assert operations(mails) == ["sendMail", "searchMessages"]
    assert len(mails.control.ledger("mail")) == 1


async def test_a_process_that_died_before_sending_searches_and_sends(
    sendgrid: SendGridMail, mails: RunningMock
) -> None:
    assert not (await sendgrid.send(mail(), earlier=since(datetime.now(UTC) - timedelta(minutes=5)))).recovered
    assert operations(mails) == ["searchMessages", "sendMail"]


async def test_an_attempt_that_is_older_than_the_activity_is_left_to_a_person(
    sendgrid: SendGridMail, mails: RunningMock
) -> None:
    with pytest.raises(OutcomeUnknown):
        await sendgrid.send(mail(), earlier=since(datetime.now(UTC) - timedelta(days=4)))
    assert mails.control.ledger("mail") == []


async def test_a_key_that_was_used_for_somebody_else_is_refused(sendgrid: SendGridMail, mails: RunningMock) -> None:
    began = datetime.now(UTC)
    await sendgrid.send(mail(to=Address(email="bob@example.com")))
    with pytest.raises(KeyReused):
        await sendgrid.send(mail(), earlier=since(began))
    assert len(mails.control.ledger("mail")) == 1


async def test_too_many_requests_wait_for_the_end_of_the_window_and_need_no_search(mails: RunningMock) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    reset = str(int(time.time()) + 20)
    mails.control.script({"status": 429, "headers": {"X-RateLimit-Reset": reset}}, operation="sendMail")
    async with connected(mails, policy=Policy(timeout=1.0), sleep=sleep) as sendgrid:
        await sendgrid.send(mail())
    assert len(waits) == 1
    assert 17 < waits[0] <= 20
    assert operations(mails) == ["sendMail", "sendMail"]
    assert len(mails.control.ledger("mail")) == 1


async def test_a_window_that_ends_too_late_is_told_to_the_caller(sendgrid: SendGridMail, mails: RunningMock) -> None:
    mails.control.script({"status": 429, "headers": {"X-RateLimit-Reset": str(int(time.time()) + 500)}})
    with pytest.raises(RateLimited) as caught:
        await sendgrid.send(mail())
    assert 400 < (caught.value.retry_after or 0) <= 500
    assert operations(mails) == ["sendMail"]


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ({"api_key": "SG.invalid.key"}, CredentialsRefused),
        ({"api_key": "SG.restricted.key"}, CredentialsRefused),
        ({"sender": Address(email="unverified@shop.example")}, CredentialsRefused),
        ({"base_url": "http://127.0.0.1:9"}, Unavailable),
    ],
)
async def test_what_is_refused_at_once_is_neither_searched_nor_repeated(
    mails: RunningMock, setting: dict[str, Any], error: type[GatewayError]
) -> None:
    async with connected(mails, **setting) as sendgrid:
        with pytest.raises(error):
            await sendgrid.send(mail())
    assert operations(mails) in ([], ["sendMail"])
    assert mails.control.ledger("mail") == []


async def test_what_never_left_is_tried_again_without_a_search() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with SendGridMail(API_KEY, sender=SENDER, base_url="http://127.0.0.1:9", sleep=sleep) as sendgrid:
        with pytest.raises(Unavailable):
            await sendgrid.send(mail())
    assert len(waits) == 3


async def test_a_request_that_is_wrong_names_the_field(sendgrid: SendGridMail, mails: RunningMock) -> None:
    with pytest.raises(Rejected) as caught:
        await sendgrid.send(mail(to=Address(email="ada.lovelace@localhost")))
    assert caught.value.field == "personalizations.0.to.0.email"
    assert operations(mails) == ["sendMail"]


async def test_an_account_without_credits_is_no_matter_of_credentials(
    sendgrid: SendGridMail, mails: RunningMock
) -> None:
    mails.control.script({"decline": "credits_exceeded"})
    with pytest.raises(Rejected) as caught:
        await sendgrid.send(mail())
    assert caught.value.code == "credits_exceeded"


async def test_a_mail_that_bounced_has_failed_and_is_not_sent_again(sendgrid: SendGridMail, mails: RunningMock) -> None:
    mails.control.script({"lost": True}, operation="sendMail")
    bouncing = mail(to=Address(email="bounce@example.com"))
    receipt = await sendgrid.send(bouncing)
    mails.control.advance(5)
    assert (await sendgrid.status(receipt.id)).status == DeliveryStatus.FAILED
    again = await sendgrid.send(bouncing, earlier=since(datetime.now(UTC)))
    assert (again.id, again.status) == (receipt.id, DeliveryStatus.FAILED)
    assert len(mails.control.ledger("mail")) == 1


@pytest.mark.parametrize("name", ["nothing", 'x" OR to_email LIKE "%'])
async def test_an_unknown_mail_has_no_status(sendgrid: SendGridMail, name: str) -> None:
    await sendgrid.send(mail())
    with pytest.raises(UnknownReference):
        await sendgrid.status(name)


@pytest.mark.parametrize(
    "outcome",
    [
        {},
        {"status": 400, "code": "to", "message": f"{CUSTOMER.email} is no address"},
        {"status": 403, "code": f"{CUSTOMER.email}", "message": f"{CUSTOMER.email} has no rights"},
        {"status": 429, "message": f"{CUSTOMER.email} gets too much"},
        {"status": 500, "message": CUSTOMER.email},
        {"lost": True},
        {"answer_html": 502},
    ],
)
async def test_neither_logs_nor_errors_show_a_secret_an_address_or_a_text(
    sendgrid: SendGridMail, mails: RunningMock, outcome: dict[str, Any]
) -> None:
    mails.control.script(outcome, operation="sendMail", times=9)
    mails.control.script({"status": 400, "message": CUSTOMER.email}, operation="searchMessages", times=9)
    asked = mail()
    texts = [repr(asked), repr(sendgrid)]
    with everything_logged() as written:
        try:
            texts.append(repr(await sendgrid.send(asked)))
        except GatewayError as problem:
            texts += [str(problem), repr(problem), "".join(traceback.format_exception(problem))]
    assert any(text.startswith("httpx ") for text in written)
    assert [word for word in PRIVATE for text in (*texts, *written) if word in text] == []
