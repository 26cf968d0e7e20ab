"""The emitted module itself: types, cycles between contracts, names, hostile text, cost of import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codegen.targets.python.records import RESERVED
from tests.behaviour.models.conftest import SCHEMAS
from tests.behaviour.models.emitting import Emitted, emit, openapi

USER = """
from decimal import Decimal
from {package}.http.models import (
    Account, Bill, Card, Enums, Forest, Node, Numbers, Payment, Presence, Status, Tree, UnknownPayment, Wallet,
)
from {package}.runtime.models import Codec

made = Presence(a="x", b=None, c=None)
length: int = len(made.c) if made.c is not None else made.e
bill = Bill(payment=Wallet(owner="me"))
match bill.payment:
    case Card(number=number):
        text: str = number
    case Wallet():
        text = bill.payment.owner
    case UnknownPayment(kind=kind):
        text = kind
status: Status | None = Enums.from_json(b"{{}}").status
price: Decimal | None = Numbers().price
tree: Tree = [1, [2]]
nodes: list[Node] = Codec[list[Node]](list[Node]).from_json(b"[]")
payment: Payment = Card(kind="card", number="1")
"""
WRONG = """
from {package}.http.models import Account, Node, Presence
Presence(a="x")
Presence(a=1, b=None)
Presence(a="x", b="y", unknown=1)
Node(name="a").nam
Account(id="1", name="n", password="p")
len(Presence(a="x", b="y").c)
"""


def check_types(emitted: Emitted, text: str, tmp_path: Path) -> list[str]:
    user = tmp_path / "user.py"
    user.write_text(text.format(package=emitted.package))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            f"--cache-dir={tmp_path / 'cache'}",
            str(user),
            *[argument for module in emitted.modules.values() for argument in ("-m", module.__name__)][:0],
        ],
        env={"MYPYPATH": str(emitted.root), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if ": error:" in line]


@pytest.mark.slow
def test_users_pass_strict_type_checks(emitted: Emitted, tmp_path: Path) -> None:
    """The emitted module and its runtime are typed, and what users write with them is accepted."""
    assert check_types(emitted, USER, tmp_path) == []


@pytest.mark.slow
def test_type_checkers_find_mistakes(emitted: Emitted, tmp_path: Path) -> None:
    """Missing, wrong and unknown arguments, attributes and unguarded None are type errors."""
    assert len(check_types(emitted, WRONG, tmp_path)) == 6


def test_contracts_may_refer_to_each_other_in_a_cycle(tmp_path: Path) -> None:
    """Two contracts that name each other's records and unions work, whichever is imported first."""

    def contract(other: str, own: str, foreign: str) -> dict[str, Any]:
        return openapi(
            {
                own: {
                    "type": "object",
                    "properties": {
                        "one": {"$ref": f"{other}#/components/schemas/{foreign}"},
                        "either": {"$ref": f"{other}#/components/schemas/Either{foreign}"},
                        "status": {"$ref": f"{other}#/components/schemas/Status{foreign}", "default": "a"},
                    },
                },
                f"Either{own}": {
                    "anyOf": [
                        {"$ref": f"#/components/schemas/{own}"},
                        {"type": "integer"},
                        {"type": "array", "items": {"$ref": f"{other}#/components/schemas/Either{foreign}"}},
                    ]
                },
                f"Status{own}": {"type": "string", "enum": ["a", "b"]},
            }
        )

    emitted = emit(
        tmp_path,
        {
            "left/openapi.json": contract("../right/openapi.json", "L", "R"),
            "right/openapi.json": contract("../left/openapi.json", "R", "L"),
        },
    )
    text = '{"one":{"either":[[1]]},"either":{"one":{}}}'
    assert emitted.modules["left/openapi.json"].L.from_json(text).to_json() == text.encode()
    for first in ("left", "right"):
        record = first[0].upper()
        code = f"from {emitted.package}.{first}.http.models import {record}\n{record}.from_json(b'{{}}')"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=emitted.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_union_of_nothing_but_itself_is_an_error(tmp_path: Path) -> None:
    """What could never be checked is reported, and left out."""
    emitted = emit(
        tmp_path,
        {
            "openapi.json": openapi(
                {
                    "A": {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "integer"}]},
                    "B": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]},
                }
            )
        },
    )
    assert [found.rule for found in emitted.diagnostics if found.rule == "python/endless"]
    with pytest.raises(ValueError):
        emitted.runtime("models").Codec(emitted.models.A).from_json("[]")


def test_all_names_of_the_base_are_reserved(emitted: Emitted) -> None:
    """No field can hide a method of the base class, also in newer versions of pydantic."""
    model = emitted.runtime("models").Model
    assert {name for name in [*dir(model), *dir(type(model))] if not name.startswith("_")} <= RESERVED


def test_emission_is_deterministic_and_complete(emitted: Emitted, tmp_path: Path) -> None:
    """The same contracts give the same text, and every schema has its name in `__all__`."""
    again = emit(tmp_path, {"openapi.json": openapi(SCHEMAS)})
    first, second = (Path(str(e.models.__file__)).read_text().replace(e.package, "p") for e in (emitted, again))
    assert first == second
    assert set(SCHEMAS) <= set(emitted.models.__all__)
    assert not [d for d in emitted.diagnostics if d.severity.value == "error"]


HOSTILE = '"""\nimport os\nraise SystemExit("smuggled")\n"""\\'


def test_contract_text_cannot_become_code(tmp_path: Path) -> None:
    """Names, descriptions, defaults, enumeration values, patterns and constants stay data."""
    emitted = emit(
        tmp_path,
        {
            "openapi.json": openapi(
                {
                    "A": {
                        "type": "object",
                        "description": HOSTILE,
                        "properties": {
                            HOSTILE: {"type": "string", "default": HOSTILE, "description": HOSTILE},
                            "p": {"type": "string", "pattern": "\"'\\\\n" + "\\)"},
                            "c": {"const": HOSTILE},
                            "e": {"type": "string", "enum": [HOSTILE, "'''"], "description": HOSTILE},
                            "k": {"const": {HOSTILE: [HOSTILE]}},
                        },
                    },
                    "U": {
                        "oneOf": [{"$ref": "#/components/schemas/A"}],
                        "discriminator": {"propertyName": "p", "mapping": {HOSTILE: "#/components/schemas/A"}},
                    },
                    "T": {
                        "anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/T"}}, {"const": HOSTILE}]
                    },
                }
            )
        },
    )
    assert emitted.models.A.from_json("{}").to_json() == b"{}"


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "\\", "\\p{L}(?=x)", "(?>a)", "*"])
def test_patterns_that_cannot_be_checked_are_reported(tmp_path: Path, pattern: str) -> None:
    """A bad pattern is a diagnostic; the model works without it."""
    emitted = emit(
        tmp_path,
        {
            "openapi.json": openapi(
                {"A": {"type": "object", "properties": {"p": {"type": "string", "pattern": pattern}}}}
            )
        },
    )
    assert any("pattern" in found.rule for found in emitted.diagnostics)
    assert emitted.models.A.from_json('{"p":"x"}').p == "x"


def test_members_that_come_out_alike_are_told_apart_by_their_signs_or_their_case(tmp_path: Path) -> None:
    """Never by a number, and never by what stands before them in the contract."""
    names = ["fooBar", "foo_bar", "foo-bar", "_id", "id", "+1", "-1"]
    made = emit(
        tmp_path,
        {
            "openapi.json": openapi(
                {
                    "Signs": {"type": "object", "properties": {name: {"type": "string"} for name in names}},
                    "Version": {"type": "string", "enum": ["v1.0", "v1-0", "asc", "ASC"]},
                }
            )
        },
    )
    assert not made.diagnostics.errors
    assert list(made.models.Signs.model_fields) == [
        "fooBar",
        "foo_bar",
        "foo_minus_bar",
        "underscore_id",
        "id",
        "plus_1",
        "minus_1",
    ]
    assert [member.name for member in made.models.Version] == ["V1_DOT_0", "V1_MINUS_0", "asc", "ASC"]


def test_the_class_of_unknown_members_gives_way_to_one_of_the_contract(tmp_path: Path) -> None:
    kinds = {name: {"type": "object", "required": ["k"], "properties": {"k": {"const": name}}} for name in "ab"}
    made = emit(
        tmp_path,
        {
            "openapi.json": openapi(
                {
                    **kinds,
                    "UnknownPay": {"type": "object", "properties": {"mine": {"type": "string"}}},
                    "Pay": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in kinds]},
                }
            )
        },
    )
    assert not made.diagnostics.errors
    assert "mine" in made.models.UnknownPay.model_fields
    assert made.models.OtherPay(k="z").to_json() == b'{"k":"z"}'


@pytest.mark.parametrize(
    ("text", "kind"),
    [('{"k":1}', "One"), ('{"k":7,"x":1}', "UnknownNumbered"), ('{"b":"x"}', "Bare"), ('{"k":2,"b":"x"}', "Bare")],
)
def test_a_discriminator_may_be_a_number_and_may_be_absent(tmp_path: Path, text: str, kind: str) -> None:
    """Without it, the shape tells."""
    made = emit(
        tmp_path,
        {
            "openapi.json": openapi(
                {
                    "One": {"type": "object", "required": ["k"], "properties": {"k": {"const": 1}}},
                    "Bare": {
                        "type": "object",
                        "required": ["b"],
                        "properties": {"k": {"type": "integer", "enum": [2]}, "b": {"type": "string"}},
                    },
                    "Numbered": {
                        "discriminator": {"propertyName": "k"},
                        "oneOf": [{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Bare"}],
                    },
                }
            )
        },
    )
    codec = made.runtime("models").Codec(made.models.Numbered)
    found = codec.from_json(text)
    assert type(found).__name__ == kind
    assert codec.to_json(found).decode() == text
