"""Customers and address books: registered, changed, erased, told."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from shop.customer.v1 import customer_pb2
from shop.customer.v1.events.models import (
    AddressAddedEvent,
    CustomerCreatedEvent,
    CustomerDeletedEvent,
    CustomerUpdatedEvent,
)
from shop.runtime.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from sqlalchemy import text

from tests.services.customer.conftest import PASSWORD, Desk
from tests.services.served import reason, stored_events


async def update(
    desk: Desk, customer_id: str, mask: tuple[str, ...] = (), *, expected: int | None = None, **profile: object
) -> customer_pb2.Customer:
    request = customer_pb2.UpdateCustomerRequest(
        customer_id=customer_id,
        profile=customer_pb2.CustomerProfile(**profile),  # type: ignore[arg-type] # the test knows the members
        update_mask=FieldMask(paths=mask),
        expected_version=expected,
    )
    return (await desk.customers.update_customer(request)).customer


async def addresses(desk: Desk, customer_id: str) -> list[tuple[str, bool]]:
    answer = await desk.customers.list_addresses(customer_pb2.ListAddressesRequest(customer_id=customer_id))
    return [(each.address.line1, each.is_default) for each in answer.addresses]


async def test_a_customer_is_read_as_registered_and_the_others_are_told(desk: Desk) -> None:
    made = await desk.register("Ada@Example.com", given_name="Ada", locale="de-DE", marketing_consent=False)
    assert made.customer_id.startswith("cus_")
    assert (made.email, made.version, made.status) == ("Ada@Example.com", 1, customer_pb2.CUSTOMER_STATUS_ACTIVE)
    assert not made.profile.HasField("family_name")
    found = await desk.customers.get_customer(customer_pb2.GetCustomerRequest(customer_id=made.customer_id))
    assert found.customer == made
    [told] = [CustomerCreatedEvent.from_dict(each) for each in await stored_events(desk.database)]
    assert (told.subject, told.aggregateversion, told.data.email) == (made.customer_id, 1, "Ada@Example.com")
    assert (told.data.profile.given_name, told.data.profile.marketing_consent) == ("Ada", False)


async def test_an_address_registers_once_however_it_is_spelled(desk: Desk) -> None:
    await desk.register("ada@example.com")
    with pytest.raises(AlreadyExists) as refused:
        await desk.register("ADA@example.com")
    assert reason(refused.value).code == "EMAIL_TAKEN"


async def test_of_many_registrations_at_the_same_time_one_succeeds(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.register(key=f"k{n}") for n in range(6)), return_exceptions=True)
    assert sum(isinstance(each, customer_pb2.Customer) for each in answers) == 1
    assert sum(isinstance(each, AlreadyExists) for each in answers) == 5


async def test_repeating_a_registration_returns_the_first_customer(desk: Desk) -> None:
    first = await desk.register()
    assert all(each == first for each in await asyncio.gather(*(desk.register() for _ in range(4))))
    assert len(await stored_events(desk.database)) == 1


async def test_a_registration_with_a_used_key_and_another_request_is_refused(desk: Desk) -> None:
    await desk.register(key="k")
    for email, password in (("bob@example.com", PASSWORD), ("ada@example.com", "quite another one")):
        with pytest.raises(FailedPrecondition) as refused:
            await desk.register(email, key="k", password=password)
        assert reason(refused.value).code == "IDEMPOTENCY_KEY_REUSED"


async def test_no_password_and_no_fast_hash_of_one_is_stored(desk: Desk) -> None:
    await desk.register()
    async with desk.database.transaction() as connection:
        stored = (await connection.execute(text("SELECT password_hash FROM customers"))).scalar_one()
        kept = (await connection.execute(text("SELECT result FROM idempotency_keys"))).scalar_one()
    assert stored.startswith("scrypt$")
    assert PASSWORD.encode() not in kept
    assert PASSWORD not in json.dumps(await stored_events(desk.database))


@pytest.mark.parametrize(
    ("email", "password", "profile", "field"),
    [
        ("ada", PASSWORD, {}, "email"),
        ("ada@@example.com", PASSWORD, {}, "email"),
        ("a" * 250 + "@example.com", PASSWORD, {}, "email"),
        ("ada@example.com", "short", {}, "password"),
        ("ada@example.com", "aaaaaaaaaaaaaaaa", {}, "password"),
        ("ada@example.com", "Ada@Example.com", {}, "password"),
        ("ada@example.com", PASSWORD, {"phone_number": "030 901820"}, "profile.phone_number"),
        ("ada@example.com", PASSWORD, {"locale": "german"}, "profile.locale"),
        ("ada@example.com", PASSWORD, {"given_name": "A" * 101}, "profile.given_name"),
    ],
)
async def test_a_registration_that_breaks_a_rule_is_refused_with_its_field(
    desk: Desk, email: str, password: str, profile: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await desk.register(email, password=password, **profile)  # type: ignore[arg-type] # members of profiles
    assert [each.field for each in reason(refused.value).errors] == [field]


async def test_an_update_changes_what_is_given_and_tells_what_changed(desk: Desk) -> None:
    made = await desk.register(given_name="Ada", family_name="Lovelace")
    desk.clock.advance(timedelta(minutes=1))
    changed = await update(desk, made.customer_id, given_name="Augusta", family_name="Lovelace")
    assert (changed.profile.given_name, changed.profile.family_name, changed.version) == ("Augusta", "Lovelace", 2)
    assert changed.updated_at.ToDatetime() > made.updated_at.ToDatetime()
    told = CustomerUpdatedEvent.from_dict((await stored_events(desk.database))[-1])
    assert (told.aggregateversion, list(told.data.changed_fields)) == (2, ["given_name"])
    assert told.data.profile.family_name == "Lovelace"


async def test_a_member_in_the_mask_that_is_not_given_is_cleared(desk: Desk) -> None:
    made = await desk.register(given_name="Ada", phone_number="+4930901820", marketing_consent=True)
    changed = await update(desk, made.customer_id, ("phone_number", "given_name"), given_name="Ada", locale="en")
    assert not changed.profile.HasField("phone_number")
    assert (changed.profile.given_name, changed.profile.locale) == ("Ada", "")
    assert changed.profile.marketing_consent


async def test_a_change_that_changes_nothing_is_not_told(desk: Desk) -> None:
    made = await desk.register(given_name="Ada")
    assert await update(desk, made.customer_id, given_name="Ada") == made
    assert await update(desk, made.customer_id, ("locale",)) == made
    assert len(await stored_events(desk.database)) == 1


async def test_an_unknown_member_in_the_mask_is_refused(desk: Desk) -> None:
    made = await desk.register()
    with pytest.raises(InvalidArgument) as refused:
        await update(desk, made.customer_id, ("email",))
    assert [each.field for each in reason(refused.value).errors] == ["update_mask"]


async def test_of_two_changes_of_the_same_version_one_is_refused(desk: Desk) -> None:
    made = await desk.register()
    await desk.connect()
    answers = await asyncio.gather(
        *(update(desk, made.customer_id, expected=1, given_name=f"Ada {n}") for n in range(8)),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, Aborted)]
    assert len(refused) == 7
    assert {reason(each).code for each in refused} == {"VERSION_CONFLICT"}


async def test_the_first_address_is_the_default_until_another_one_is_made_it(desk: Desk) -> None:
    made = await desk.register()
    first = await desk.add_address(made.customer_id, "k1", line1="First 1")
    assert first.is_default
    assert await desk.add_address(made.customer_id, "k1", line1="First 1") == first
    await desk.add_address(made.customer_id, "k2", line1="Second 2")
    await desk.add_address(made.customer_id, "k3", line1="Third 3", default=True)
    assert await addresses(desk, made.customer_id) == [("Third 3", True), ("Second 2", False), ("First 1", False)]
    told = [AddressAddedEvent.from_dict(each) for each in (await stored_events(desk.database))[1:]]
    assert [(each.aggregateversion, each.data.is_default) for each in told] == [(2, True), (3, False), (4, True)]


async def test_after_the_default_address_the_newest_of_the_others_is_the_default(desk: Desk) -> None:
    made = await desk.register()
    first = await desk.add_address(made.customer_id, "k1", line1="First 1")
    await desk.add_address(made.customer_id, "k2", line1="Second 2")
    await desk.add_address(made.customer_id, "k3", line1="Third 3")
    request = customer_pb2.RemoveAddressRequest(customer_id=made.customer_id, address_id=first.address_id)
    for _ in range(2):
        await desk.customers.remove_address(request)
        assert await addresses(desk, made.customer_id) == [("Third 3", True), ("Second 2", False)]


async def test_addresses_added_at_the_same_time_leave_one_default_and_versions_without_gaps(desk: Desk) -> None:
    made = await desk.register()
    await asyncio.gather(*(desk.add_address(made.customer_id, f"k{n}", default=True) for n in range(6)))
    found = await addresses(desk, made.customer_id)
    assert sum(default for _, default in found) == 1
    assert [each["aggregateversion"] for each in await stored_events(desk.database)] == list(range(1, 8))


async def test_an_address_book_has_at_most_fifty_entries(desk: Desk) -> None:
    made = await desk.register()
    for number in range(50):
        await desk.add_address(made.customer_id, f"k{number}")
    with pytest.raises(FailedPrecondition) as refused:
        await desk.add_address(made.customer_id, "k50")
    assert reason(refused.value).code == "TOO_MANY_ADDRESSES"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"line1": ""}, "address.line1"),
        ({"city": "x" * 101}, "address.city"),
        ({"country_code": "de"}, "address.country_code"),
        ({"phone_number": "1"}, "address.phone_number"),
    ],
)
async def test_an_address_that_breaks_a_rule_is_refused_with_its_field(
    desk: Desk, changes: dict[str, str], field: str
) -> None:
    made = await desk.register()
    with pytest.raises(InvalidArgument) as refused:
        await desk.add_address(made.customer_id, "k1", **changes)  # type: ignore[arg-type] # members of addresses
    assert [each.field for each in reason(refused.value).errors] == [field]


async def test_an_erasure_leaves_nothing_personal_and_is_told(desk: Desk) -> None:
    made = await desk.register(given_name="Ada")
    await desk.add_address(made.customer_id, "k1")
    await desk.add_card(made.customer_id, "k2")
    await desk.log_in()
    request = customer_pb2.DeleteCustomerRequest(customer_id=made.customer_id)
    await desk.customers.delete_customer(request)
    await desk.customers.delete_customer(request)
    told = CustomerDeletedEvent.from_dict((await stored_events(desk.database))[-1])
    assert (told.data.customer_id, told.aggregateversion) == (made.customer_id, 4)
    async with desk.database.transaction() as connection:
        for table in ("addresses", "payment_methods", "sessions", "refresh_tokens", "idempotency_keys"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0, table  # noqa: S608 names of the list above
        row = (await connection.execute(text("SELECT to_jsonb(customers) FROM customers"))).scalar_one()
    assert "ada" not in json.dumps(row).lower()
    with pytest.raises(NotFound):
        await desk.customers.get_customer(customer_pb2.GetCustomerRequest(customer_id=made.customer_id))
    with pytest.raises(Unauthenticated):
        await desk.log_in()
    assert (await desk.register(key="again")).customer_id != made.customer_id


async def test_nobody_is_erased_while_an_order_is_under_way(desk: Desk) -> None:
    made = await desk.register()
    desk.orders.answer = True
    with pytest.raises(FailedPrecondition) as refused:
        await desk.customers.delete_customer(customer_pb2.DeleteCustomerRequest(customer_id=made.customer_id))
    assert reason(refused.value).code == "OPEN_ORDERS"


async def test_there_is_no_unknown_customer(desk: Desk) -> None:
    for call in (
        desk.customers.get_customer(customer_pb2.GetCustomerRequest(customer_id="cus_none")),
        desk.customers.delete_customer(customer_pb2.DeleteCustomerRequest(customer_id="cus_none")),
        desk.customers.list_addresses(customer_pb2.ListAddressesRequest(customer_id="cus_none")),
        desk.customers.remove_address(customer_pb2.RemoveAddressRequest(customer_id="cus_none")),
        desk.customers.list_payment_methods(customer_pb2.ListPaymentMethodsRequest(customer_id="cus_none")),
        desk.add_address("cus_none", "k"),
        desk.add_card("cus_none", "k"),
        update(desk, "cus_none"),
    ):
        with pytest.raises(NotFound) as refused:
            await call
        assert reason(refused.value).code == "NOT_FOUND"


async def test_a_customer_sees_nobody_else(desk: Desk) -> None:
    made = await desk.register()
    request = customer_pb2.GetCustomerRequest(customer_id=made.customer_id)
    own = await desk.customers.get_customer(request, metadata=[("x-customer-id", made.customer_id)])
    assert own.customer == made
    with pytest.raises(PermissionDenied) as refused:
        await desk.customers.get_customer(request, metadata=[("x-customer-id", "cus_other")])
    assert reason(refused.value).code == "NOT_OWNER"
