"""Values and union members that the contract does not know yet."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest


def test_unknown_enum_values_survive_a_round_trip(models: Any) -> None:
    """Text, numbers and mixed enumerations keep what they do not know."""
    text = '{"status":"paused","open":"dim","level":9,"mixed":7}'
    read = models.Enums.from_json(text)
    assert json.loads(read.to_json()) == json.loads(text)
    assert not any(value.is_known for value in (read.status, read.open, read.level, read.mixed))
    assert (read.status, read.level, read.status.value) == ("paused", 9, "paused")
    assert f"{read.status}" == "paused"


def test_known_enum_values_are_the_members(models: Any) -> None:
    """Listed values are the very members, and equal to their value."""
    read = models.Enums.from_json('{"status":"in-progress","level":2,"mixed":2.5,"maybe":null}')
    assert read.status is models.Status.IN_PROGRESS and read.status.is_known and read.status == "in-progress"
    assert read.level is models.Level.N2
    assert read.mixed.value == 2.5 and read.maybe is None
    assert read.preset is models.Status.DONE


def test_unknown_values_are_equal_hash_alike_pickle_and_copy(models: Any) -> None:
    """An unknown value behaves as its value does."""
    for kind, value in ((models.Status, "new"), (models.Level, 77), (models.Mixed, "new")):
        one = kind(value)
        assert one == kind(value) and hash(one) == hash(kind(value))
        assert pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one)
        assert one.value == value and not one.is_known
    assert {models.Status("new"): 1}["new"] == 1
    assert list(models.Status) == [models.Status.PENDING, models.Status.IN_PROGRESS, models.Status.DONE]


def test_enum_values_that_differ_in_case_or_sign_keep_apart(models: Any) -> None:
    """Each listed value has a member of its own."""
    assert [member.value for member in models.Letters] == ["asc", "ASC", "+1", "-1"]


@pytest.mark.parametrize(
    "text",
    [
        '{"status":1}',
        '{"level":"2"}',
        '{"level":true}',
        '{"status":null}',
        '{"mixed":[1]}',
        '{"mixed":true}',
        '{"maybe":3}',
    ],
)
def test_values_of_another_type_are_refused(models: Any, text: str) -> None:
    """An unknown value must have the type of the enumeration."""
    with pytest.raises(ValueError):
        models.Enums.from_json(text)


def test_strict_requests_refuse_unknown_values_unless_the_enum_is_open(models: Any, emitted: Any) -> None:
    """A server accepts what the contract lists."""
    with emitted.runtime("strictness").strict_requests():
        assert models.Enums.from_json('{"status":"done","open":"dim"}').open == "dim"
        for text in ('{"status":"paused"}', '{"level":9}', '{"mixed":7}'):
            with pytest.raises(ValueError):
                models.Enums.from_json(text)
    assert models.Enums.from_json('{"status":"paused"}').status == "paused"


def test_a_discriminator_selects_the_variant(models: Any) -> None:
    """Each mapped value gives its class, also when two values share one."""
    for text, kind in (
        ('{"kind":"card","number":"1"}', models.Card),
        ('{"kind":"debit","number":"1"}', models.Card),
        ('{"kind":"wallet","owner":"me"}', models.Wallet),
    ):
        bill = models.Bill.from_json(f'{{"payment":{text},"fallbacks":[{text}]}}')
        assert type(bill.payment) is kind and type(bill.fallbacks[0]) is kind
        assert json.loads(bill.to_json()) == {"payment": json.loads(text), "fallbacks": [json.loads(text)]}


def test_unknown_union_members_survive_a_round_trip(models: Any) -> None:
    """A variant of tomorrow keeps all its data."""
    text = '{"payment":{"kind":"crypto","chain":{"id":[1,2]}}}'
    bill = models.Bill.from_json(text)
    assert type(bill.payment) is models.UnknownPayment and bill.payment.kind == "crypto"
    assert json.loads(bill.to_json()) == json.loads(text)


@pytest.mark.parametrize(
    "payment",
    [
        '{"kind":"card"}',
        '{"number":"1"}',
        '{"kind":"wallet","owner":1}',
        '{"kind":7}',
        "null",
        '"card"',
        '{"kind":"debit","number":null}',
    ],
)
def test_a_broken_known_variant_is_no_unknown_one(models: Any, payment: str) -> None:
    """The fallback takes only objects whose discriminator is not listed."""
    with pytest.raises(ValueError):
        models.Bill.from_json(f'{{"payment":{payment}}}')


def test_strict_requests_refuse_unknown_union_members(models: Any, emitted: Any) -> None:
    """A server accepts the variants that the contract lists."""
    with emitted.runtime("strictness").strict_requests(), pytest.raises(ValueError):
        models.Bill.from_json('{"payment":{"kind":"crypto"}}')


def test_variants_can_be_constructed(models: Any) -> None:
    """Instances pass through constructors as they are."""
    card = models.Card(kind="debit", number="1")
    bill = models.Bill(payment=card, fallbacks=[models.UnknownPayment(kind="crypto"), models.Wallet(owner="me")])
    assert bill.payment is card
    assert json.loads(bill.to_json()) == {
        "payment": {"kind": "debit", "number": "1"},
        "fallbacks": [{"kind": "crypto"}, {"kind": "wallet", "owner": "me"}],
    }
    with pytest.raises(ValueError):
        models.Bill(payment=models.UnknownPayment(kind="card"))


def test_a_union_of_plain_types_keeps_the_type(models: Any) -> None:
    """true is no integer, 1 no boolean, and null is kept apart from absent."""
    for text in ('{"loose":1}', '{"loose":true}', '{"loose":{"a":1}}', '{"loose":null}', "{}"):
        assert models.Coded.from_json(text).to_json() == text.encode()
