"""Events become mails, once each; on PostgreSQL and the mock of SendGrid."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from shop.runtime.transport import Drop, Retry

from harness.gateways.inprocess import RunningMock
from services.notification.adapters.sendgrid import SendGridMail
from services.notification.domain import Earlier, Mail, Receipt
from tests.services.logs import everything_logged
from tests.services.notification.conftest import LIMIT, Service, delivery
from tests.services.notification.events import (
    EMAIL,
    declined,
    deleted,
    moved,
    ordered,
    refunded,
    registered,
    updated,
)


@pytest.fixture
async def known(service: Service) -> Service:
    """The service, which knows a customer; the welcome is sent."""
    await service.telling.welcome_customer(registered(), delivery())
    await service.deliver()
    return service


def keys(mails: RunningMock) -> list[str]:
    return [each["key"] for each in mails.control.ledger("mail")]


async def test_each_event_is_one_mail_with_the_events_id_as_its_key(known: Service, mails: RunningMock) -> None:
    created, confirmed, failed, paid_back = ordered(), moved("CONFIRMED"), declined(), refunded()
    await known.telling.acknowledge_order(created, delivery())
    await known.telling.tell_order_status(confirmed, delivery())
    await known.telling.tell_payment_failed(failed, delivery())
    await known.telling.tell_payment_refunded(paid_back, delivery())
    await known.deliver()
    assert keys(mails)[1:] == [created.id, confirmed.id, failed.id, paid_back.id]
    told = await known.published("notification-sent")
    assert [each["data"]["template_id"] for each in told] == [
        "customer-welcome",
        "order-received",
        "order-confirmation",
        "payment-failed",
        "payment-refunded",
    ]
    last = told[2]
    assert (last["correlationid"], last["data"]["order_id"], last["aggregateversion"]) == ("ord_1", "ord_1", 2)
    (entry,) = (each for each in mails.control.ledger("mail") if each["key"] == confirmed.id)
    assert (entry["reference"], entry["data"]["request_id"]) == ("ord_1", last["data"]["provider_message_id"])


async def test_statuses_that_customers_hear_of_otherwise_are_no_mails(known: Service, mails: RunningMock) -> None:
    for status in ("PAID", "FAILED", "REFUNDED"):
        await known.telling.tell_order_status(moved(status), delivery())
    await known.deliver()
    assert len(keys(mails)) == 1


async def test_an_event_that_comes_twice_is_one_mail(known: Service, mails: RunningMock) -> None:
    event = moved("CONFIRMED")
    await asyncio.gather(*(known.telling.tell_order_status(event, delivery()) for _ in range(8)))
    await known.telling.tell_order_status(event, delivery())
    await known.deliver()
    assert keys(mails).count(event.id) == 1
    assert len(await known.published("notification-delivery")) == 2


async def test_a_message_that_is_delivered_twice_is_one_mail(known: Service, mails: RunningMock) -> None:
    event = moved("CONFIRMED")
    await known.telling.tell_order_status(event, delivery())
    mails.control.script({"delay": 0.2}, operation="sendMail")
    outcomes = await asyncio.gather(*(known.deliver() for _ in range(4)))
    assert sum(isinstance(each[-1], Retry) for each in outcomes) == 3
    assert await known.deliver(2) == [None, None]
    assert keys(mails).count(event.id) == 1
    assert len(await known.published("notification-sent")) == 2


@pytest.mark.parametrize("outcome", [{"lost": True}, {"hang": 1.0}, {"answer_status": 500}])
async def test_a_mail_whose_answer_is_lost_is_one_mail(
    known: Service, mails: RunningMock, outcome: dict[str, Any]
) -> None:
    event = moved("CONFIRMED")
    await known.telling.tell_order_status(event, delivery())
    mails.control.script(outcome, operation="sendMail")
    assert await known.deliver() == [None, None]
    assert keys(mails).count(event.id) == 1
    assert len(await known.published("notification-sent")) == 2


async def test_a_mail_whose_answer_and_search_are_lost_is_found_by_a_later_attempt(
    known: Service, mails: RunningMock
) -> None:
    event = moved("CONFIRMED")
    await known.telling.tell_order_status(event, delivery())
    mails.control.script({"lost": True}, operation="sendMail")
    mails.control.script({"status": 403}, operation="searchMessages", times=9)
    assert isinstance((await known.deliver())[-1], Retry)
    assert len(await known.published("notification-sent")) == 1
    mails.control.clear_scripts()
    assert (await known.deliver(2))[-1] is None
    assert keys(mails).count(event.id) == 1
    assert await known.rows("SELECT attempts, state FROM notifications WHERE order_id = 'ord_1'") == [(2, "SENT")]


class DiesAfterSending:
    """A sender whose process ends when SendGrid has answered."""

    def __init__(self, sender: SendGridMail) -> None:
        self._sender = sender

    async def send(self, mail: Mail, *, earlier: Earlier | None = None) -> Receipt:
        await self._sender.send(mail, earlier=earlier)
        raise asyncio.CancelledError

    async def status(self, mail_id: str) -> Receipt:
        raise AssertionError(mail_id)


async def test_a_process_that_dies_between_sending_and_noting_it_leads_to_one_mail(
    known: Service, mails: RunningMock, sendgrid: SendGridMail
) -> None:
    event = moved("CONFIRMED")
    await known.telling.tell_order_status(event, delivery())
    with pytest.raises(asyncio.CancelledError):
        await known.deliver(queue=known.with_sender(DiesAfterSending(sendgrid)))
    early = (await known.deliver(2))[-1]
    assert isinstance(early, Retry)
    assert early.after == pytest.approx(LIMIT.total_seconds(), abs=5)
    known.clock.ahead += LIMIT
    assert (await known.deliver(3))[-1] is None
    assert keys(mails).count(event.id) == 1
    assert len(await known.published("notification-sent")) == 2


class DiesBeforeSending:
    """A sender whose process ends when it is about to send."""

    async def send(self, mail: Mail, *, earlier: Earlier | None = None) -> Receipt:
        raise asyncio.CancelledError

    async def status(self, mail_id: str) -> Receipt:
        raise AssertionError(mail_id)


async def test_a_process_that_dies_before_sending_leads_to_one_mail(known: Service, mails: RunningMock) -> None:
    event = moved("CONFIRMED")
    await known.telling.tell_order_status(event, delivery())
    with pytest.raises(asyncio.CancelledError):
        await known.deliver(queue=known.with_sender(DiesBeforeSending()))
    known.clock.ahead += LIMIT + timedelta(seconds=1)
    assert (await known.deliver(2))[-1] is None
    assert keys(mails).count(event.id) == 1


async def test_what_did_nothing_is_tried_again_and_given_up_in_the_end(known: Service, mails: RunningMock) -> None:
    await known.telling.tell_order_status(moved("CONFIRMED"), delivery())
    mails.control.script({"status": 401}, operation="sendMail", times=50)
    assert isinstance((await known.deliver(5))[-1], Retry)
    assert await known.published("notification-failed") == []
    assert isinstance((await known.deliver(6))[-1], Drop)
    (failed,) = await known.published("notification-failed")
    assert (failed["data"]["failure_code"], failed["data"]["attempts"]) == ("PROVIDER_ERROR", 2)
    mails.control.clear_scripts()
    assert (await known.deliver(1))[-1] is None
    assert len(keys(mails)) == 1


async def test_a_mail_that_sendgrid_refuses_is_given_up_at_once(known: Service, mails: RunningMock) -> None:
    await known.telling.tell_order_status(moved("CONFIRMED"), delivery())
    mails.control.script({"status": 400}, operation="sendMail")
    assert isinstance((await known.deliver())[-1], Drop)
    (failed,) = await known.published("notification-failed")
    assert (failed["data"]["failure_code"], failed["data"]["attempts"]) == ("PROVIDER_ERROR", 1)


async def test_a_mail_waits_for_contact_data_and_is_given_up_without(service: Service, mails: RunningMock) -> None:
    await service.telling.acknowledge_order(ordered(), delivery())
    (outcome,) = await service.deliver()
    assert isinstance(outcome, Retry)
    await service.telling.welcome_customer(registered(), delivery())
    assert await service.deliver(2) == [None, None]
    await service.telling.acknowledge_order(ordered("ord_2", "cus_nobody"), delivery())
    assert isinstance((await service.deliver(6))[-1], Drop)
    (failed,) = await service.published("notification-failed")
    assert failed["data"]["failure_code"] == "INVALID_RECIPIENT"


class Remembers:
    """A sender that keeps what it has sent."""

    def __init__(self, sender: SendGridMail) -> None:
        self._sender = sender
        self.sent: list[Mail] = []

    async def send(self, mail: Mail, *, earlier: Earlier | None = None) -> Receipt:
        self.sent.append(mail)
        return await self._sender.send(mail, earlier=earlier)

    async def status(self, mail_id: str) -> Receipt:
        raise AssertionError(mail_id)


async def test_a_customer_is_told_in_their_language_under_their_newest_name(
    known: Service, sendgrid: SendGridMail
) -> None:
    sender = Remembers(sendgrid)
    await known.telling.refresh_contact_data(updated(version=3, given_name="Augusta", locale="de-DE"), delivery())
    await known.telling.refresh_contact_data(updated(version=2, given_name="Old"), delivery())
    await known.telling.tell_order_status(moved("CONFIRMED"), delivery())
    assert (await known.deliver(queue=known.with_sender(sender)))[-1] is None
    (mail,) = sender.sent
    assert (mail.to.email, mail.subject) == (EMAIL, "Ihre Bestellung ord_1 ist bestätigt")
    assert "Guten Tag Augusta," in mail.text
    assert "35.69 EUR" in mail.text


async def test_an_erased_customer_gets_a_last_mail_and_leaves_nothing_behind(
    known: Service, mails: RunningMock
) -> None:
    await known.telling.acknowledge_order(ordered(), delivery())
    gone = deleted()
    await known.telling.erase_contact_data(gone, delivery())
    assert await known.rows("SELECT sealed, erased FROM contacts") == [(None, True)]
    outcomes = await known.deliver()
    assert keys(mails)[1:] == [gone.id]
    assert isinstance(outcomes[1], Drop)
    assert await known.rows("SELECT count(*) FROM notifications WHERE recipient IS NOT NULL") == [(0,)]
    await known.telling.welcome_customer(registered(version=1), delivery())
    await known.telling.refresh_contact_data(updated(version=99, given_name="Ada"), delivery())
    assert await known.rows("SELECT sealed, erased FROM contacts") == [(None, True)]


async def test_no_address_lies_open_in_the_database_the_outbox_or_the_log(service: Service, mails: RunningMock) -> None:
    with everything_logged() as written:
        await service.telling.welcome_customer(registered(), delivery())
        await service.telling.acknowledge_order(ordered(), delivery())
        mails.control.script({"status": 500}, operation="sendMail", times=9)
        mails.control.script({"status": 500}, operation="searchMessages", times=9)
        await service.deliver()
    tables = ("contacts", "notifications", "outbox", "inbox")
    stored = [str(row) for table in tables for row in await service.rows(f"SELECT t::text FROM {table} AS t")]  # noqa: S608 fixed names
    hexed = EMAIL.encode().hex()
    for private in (EMAIL, "Lovelace", hexed):
        assert not any(private in each for each in [*stored, *written])
