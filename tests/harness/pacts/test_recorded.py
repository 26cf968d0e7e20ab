"""Pact files have one form; what differs from them is named."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from harness.pacts import recorded


def pact(*descriptions: str) -> dict[str, Any]:
    return {
        "consumer": {"name": "shop"},
        "provider": {"name": "order"},
        "interactions": [{"type": "Asynchronous/Messages", "description": each} for each in descriptions],
        "metadata": {"pactRust": {"ffi": "0.5"}, "pactSpecification": {"version": "4.0"}},
    }


def test_neither_order_nor_the_writing_program_matters() -> None:
    one, two = pact("a", "b"), pact("b", "a")
    two["metadata"]["pactRust"] = {"ffi": "0.6"}
    assert recorded.text_of(one) == recorded.text_of(two)
    assert recorded.sha_of(one) == recorded.sha_of(two)


def test_what_an_interaction_says_is_part_of_the_sha() -> None:
    changed = copy.deepcopy(pact("a"))
    changed["interactions"][0]["metadata"] = {"channel": "c"}
    assert recorded.sha_of(changed) != recorded.sha_of(pact("a"))


def test_differences_name_pacts_that_are_new_changed_or_gone(tmp_path: Path) -> None:
    recorded.write({"same": pact("a"), "changed": pact("a", "b"), "gone": pact("a")}, tmp_path)
    now = {"same": pact("a"), "changed": pact("a", "c"), "new": pact("a")}
    assert [str(each) for each in recorded.differences(now, tmp_path)] == [
        "changed: changed: b, c",
        "new: new",
        "gone: gone",
    ]
    recorded.write(now, tmp_path)
    assert recorded.differences(now, tmp_path) == []
    assert sorted(recorded.read(tmp_path)) == ["changed", "new", "same"]
