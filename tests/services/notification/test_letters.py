"""The texts of mails, and how customers can be reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification.domain import letters
from services.notification.domain.contacts import Contact, Profile, changed, erased, registered
from services.notification.domain.notifications import (
    Failure,
    Notification,
    Trace,
    Wait,
    begun,
    earlier,
    failed,
    id_of,
    in_doubt,
    key_of,
    sent,
    undone,
)

VALUES = {"order_id": "ord_1", "total": "35.69 EUR", "amount": "35.69 EUR"}
NOW = datetime(2026, 2, 1, tzinfo=UTC)
LIMIT = timedelta(seconds=40)


@pytest.mark.parametrize("template", sorted(letters._TEXTS))
@pytest.mark.parametrize("locale", ["en", "de-DE", "fr", ""])
def test_every_template_is_written_in_every_language(template: str, locale: str) -> None:
    letter = letters.written(template, VALUES, locale=locale, name="Ada")
    assert "$" not in letter.subject + letter.text + letter.html
    assert ("Guten Tag Ada" if locale == "de-DE" else "Hello Ada") in letter.text
    assert set(letters._TEXTS[template]) == {"en", "de"}
    assert letters.places(template) <= set(VALUES)


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="total"):
        letters.written("order-confirmation", {"order_id": "ord_1"}, locale="en", name="")


@given(st.text(max_size=40), st.text(max_size=40))
def test_values_are_text_and_never_markup_or_further_lines_of_a_subject(name: str, order: str) -> None:
    values = {"order_id": order, "total": "<script>&"}
    letter = letters.written("order-confirmation", values, locale="en", name=name)
    assert "<script>" not in letter.html
    assert not set(letter.subject) & {"\n", "\r", "\0"}


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(3569, "EUR", "35.69 EUR"), (1999, "JPY", "1999 JPY"), (1, "KWD", "0.001 KWD"), (-5, "EUR", "-0.05 EUR")],
)
def test_money_has_the_places_of_its_currency(minor: int, currency: str, shown: str) -> None:
    assert letters.money(minor, currency) == shown


def test_an_amount_in_major_units_has_the_places_of_its_currency() -> None:
    assert [letters.major(Decimal("35.6"), "EUR"), letters.major(Decimal(5), "JPY")] == ["35.60 EUR", "5 JPY"]


EVENTS = st.permutations(["created", "updated", "updated again"])


@given(EVENTS)
def test_contact_data_is_the_same_in_whatever_order_events_come(order: list[str]) -> None:
    contact = Contact(customer_id="c")
    for event in order:
        if event == "created":
            contact = registered(contact, "a@example.com", Profile(given_name="A"), 1)
        else:
            version = 2 if event == "updated" else 3
            contact = changed(contact, Profile(given_name=f"A{version}", locale="de"), version)
    assert (contact.email, contact.profile.given_name, contact.profile.locale) == ("a@example.com", "A3", "de")


@given(st.permutations(["created", "updated", "erased"]))
def test_of_an_erased_customer_nothing_is_left_in_whatever_order_events_come(order: list[str]) -> None:
    contact = Contact(customer_id="c")
    for event in order:
        if event == "created":
            contact = registered(contact, "a@example.com", Profile(given_name="A"), 1)
        elif event == "updated":
            contact = changed(contact, Profile(given_name="B"), 2)
        else:
            contact = erased(contact)
    assert (contact.erased, contact.email, contact.profile) == (True, "", Profile())


def test_no_repr_shows_personal_data() -> None:
    contact = registered(Contact(customer_id="c"), "ada@example.com", Profile(given_name="Ada"), 1)
    assert "ada" not in repr(contact).lower()
    assert "ada" not in repr(contact.profile).lower()


def notification() -> Notification:
    return Notification(
        notification_id="n", key="k", template_id="t", correlation_id="n", created_at=NOW, updated_at=NOW
    )


def attempt(before: Notification, at: datetime) -> Notification:
    found = begun(before, "a", at, LIMIT)
    assert isinstance(found, Notification)
    return found


def test_a_first_attempt_has_nothing_to_ask_for() -> None:
    first = attempt(notification(), NOW)
    assert (first.attempts, earlier(first)) == (1, None)
    assert earlier(attempt(undone(first, NOW), NOW)) is None


def test_an_attempt_in_doubt_is_asked_for_even_after_one_that_did_nothing() -> None:
    ended = NOW + timedelta(seconds=3)
    doubt = in_doubt(attempt(notification(), NOW), LIMIT, ended)
    assert doubt.trace == Trace(since=NOW, until=ended)
    later = undone(attempt(doubt, ended), ended)
    assert attempt(later, ended).trace == doubt.trace


def test_an_attempt_that_never_ended_holds_up_the_next_until_its_limit_and_is_asked_for() -> None:
    lost = attempt(notification(), NOW)
    early = begun(lost, "b", NOW + LIMIT / 4, LIMIT)
    assert isinstance(early, Wait)
    assert early.seconds == 30
    next_one = attempt(lost, NOW + LIMIT)
    assert next_one.trace == Trace(since=NOW, until=NOW + LIMIT)


def test_what_is_final_is_not_attempted_and_keeps_no_address() -> None:
    for end in (sent(notification(), "m", NOW), failed(notification(), Failure.PROVIDER_ERROR, NOW)):
        assert begun(end, "b", NOW, LIMIT) is None
        assert (end.version, end.recipient, end.busy_until) == (2, None, None)


def test_what_is_for_later_waits() -> None:
    found = begun(replace(notification(), send_after=NOW + timedelta(seconds=5)), "a", NOW, LIMIT)
    assert isinstance(found, Wait)
    assert found.seconds == 5


def test_ids_and_keys_follow_from_the_event() -> None:
    assert id_of("order", "e1", "t") == id_of("order", "e1", "t") != id_of("payment", "e1", "t")
    assert key_of("01JK0Q8Z00019155") == "01JK0Q8Z00019155"
    assert len(key_of('"; DROP')) == 64
