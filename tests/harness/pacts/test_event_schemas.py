"""Events in streams are held to the schema of their channel, envelope and data."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from harness.pacts.contracts import CONTRACTS
from harness.pacts.event_schemas import EventSchemas
from harness.pacts.observed import EventSeen


@pytest.fixture(scope="module")
def schemas() -> EventSchemas:
    return EventSchemas()


def example() -> dict[str, Any]:
    document = yaml.safe_load((CONTRACTS / "order" / "v1" / "asyncapi.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["components"]["messages"]["OrderCreated"]["examples"][0]["payload"]
    return found


def problems(schemas: EventSchemas, event: Any, channel: str = "order-created") -> list[str]:
    seen = EventSeen(channel=channel, entry="1-0", raw=json.dumps(event).encode(), event=event)
    return [problem for _, problem in schemas.problems([seen])]


def test_the_examples_of_the_contract_fit_it(schemas: EventSchemas) -> None:
    assert problems(schemas, example()) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "order-lost"},
        {"aggregateversion": 0},
        {"data": {}},
        {"subject": "no id"},
    ],
)
def test_an_event_that_does_not_fit_is_told(schemas: EventSchemas, changed: dict[str, Any]) -> None:
    assert problems(schemas, {**example(), **changed})


def test_what_is_no_event_or_on_no_channel_of_a_contract_is_told(schemas: EventSchemas) -> None:
    assert problems(schemas, None) == ["the entry holds no JSON object"]
    assert problems(schemas, example(), "nobodys-channel") == ["no contract has this channel"]


def test_a_queue_and_its_dead_letters_carry_the_same_messages(schemas: EventSchemas) -> None:
    """The second channel refers to the message of the first document's components."""
    assert problems(schemas, example(), "order-processing") == problems(
        schemas, example(), "order-processing-dead-letter"
    )
