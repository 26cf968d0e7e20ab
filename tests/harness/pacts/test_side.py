"""The side application brings states about, makes live calls, and fetches events from the real stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx
import pytest
import redis as redis_client

from harness.backends.redis import Redis
from harness.pacts import side, streams
from harness.pacts.calling import Answer
from harness.pacts.shop import Shop
from harness.pacts.side import Side, Unprepared, filled

NOWHERE = "redis://127.0.0.1:1/0"


class FakeCaller:
    """Answers every call, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def call(self, rpc: str, request: Any) -> Answer:
        self.asked.append((rpc, request))
        return Answer("NOT_FOUND" if "nobody" in json.dumps(request) else "OK", {"code": "x"})

    def done(self, rpc: str, request: Any) -> dict[str, Any]:
        self.asked.append((rpc, request))
        return {"customer": {"customer_id": "cus_1"}, "tokens": {"access_token": "t", "refresh_token": "r"}}


@pytest.fixture
def caller() -> FakeCaller:
    return FakeCaller()


@contextmanager
def served(caller: FakeCaller, redis_url: str = NOWHERE) -> Iterator[tuple[Side, httpx.Client]]:
    made = Side(Shop(cast("Any", caller)), redis_url)
    with side.serving(made) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as http:
        yield made, http


def state(name: str, action: str = "setup") -> dict[str, Any]:
    return {"action": action, "state": name, "params": {}}


def message(description: str, content: Any = None, **generators: str) -> dict[str, Any]:
    if content is None:
        return {"description": description}
    made = {path: {"type": "ProviderState", "expression": text} for path, text in generators.items()}
    return {
        "description": description,
        "request": {"contents": {"content": content}, "generators": {"body": made}},
    }


def test_values_of_a_state_are_put_into_the_live_call(caller: FakeCaller) -> None:
    with served(caller) as (_, http):
        given = http.post("/_state", json=state("a customer")).json()
        asked = message(
            "a.B/C: x", {"customer_id": "cus_0", "deep": [{"id": "1"}]}, **{"$.customer_id": "${customer_id}"}
        )
        answer = http.post("/_message", json=asked)
    assert given["customer_id"] == "cus_1"
    assert caller.asked[-1] == ("a.B/C", {"customer_id": "cus_1", "deep": [{"id": "1"}]})
    assert "Pact-Message-Metadata" in answer.headers


def test_values_do_not_outlive_their_interaction(caller: FakeCaller) -> None:
    with served(caller) as (made, http):
        http.post("/_state", json=state("a customer"))
        http.post("/_state", json=state("a customer", "teardown"))
        answer = http.post("/_message", json=message("a.B/C: x", {"id": "1"}, **{"$.id": "${customer_id}"}))
    assert answer.status_code == 500
    assert made.problems == ["a.B/C: x: Unprepared: no state gives customer_id"]


def test_a_state_that_nobody_knows_is_told(caller: FakeCaller) -> None:
    with served(caller) as (made, http):
        assert http.post("/_state", json=state("a blue moon")).status_code == 500
    assert "a blue moon" in made.problems[0]


def test_events_come_from_the_stream_as_they_lie_there(caller: FakeCaller, redis: Redis) -> None:
    events: list[dict[str, Any]] = [
        {"subject": "cus_0", "id": "1"},
        {"subject": "cus_1", "id": "2", "data": {"status": "X_STATUS_OLD"}},
        {"subject": "cus_1", "id": "3", "data": {"status": "X_STATUS_NEW"}},
    ]
    with redis_client.Redis.from_url(redis.url) as client:
        client.xadd("news", {"data": b"no json"})
        for event in events:
            client.xadd("news", {"data": json.dumps(event)})
    with served(caller, redis.url) as (_, http):
        http.post("/_state", json=state("a customer"))
        answer = http.post("/_message", json=message("news: X_STATUS_NEW"))
        first = http.post("/_message", json=message("news: anything"))
    assert answer.json()["id"] == "3"
    assert first.json()["id"] == "2"
    assert answer.headers["content-type"] == "application/cloudevents+json"


def test_an_event_that_does_not_come_is_told(caller: FakeCaller, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = streams.wait_for
    monkeypatch.setattr(streams, "wait_for", lambda url, channel, wanted: wait(url, channel, wanted, timeout=0.1))
    with served(caller, redis.url) as (made, http):
        http.post("/_state", json=state("a customer"))
        assert http.post("/_message", json=message("news: x")).status_code == 500
    assert "none of 0 events" in made.problems[0]


def test_paths_lead_into_lists_and_members() -> None:
    content = {"a": [{"b": "old"}], "c": {"d": "old"}}
    generators = {path: {"type": "ProviderState", "expression": "x-${v}"} for path in ("$.a[0].b", "$.c.d", "$['e']")}
    assert filled(content, generators, {"v": "1"}) == {"a": [{"b": "x-1"}], "c": {"d": "x-1"}, "e": "x-1"}
    assert content["a"] == [{"b": "old"}]


@pytest.mark.parametrize("path", ["$.a[5].b", "$.nothing.there", "$..a", "$", "$.a[*].b"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(Unprepared):
        filled({"a": [{"b": "old"}]}, {path: {"type": "ProviderState", "expression": "1"}}, {})


def test_a_generator_of_another_kind_is_told() -> None:
    with pytest.raises(Unprepared, match="Uuid"):
        filled({"a": "1"}, {"$.a": {"type": "Uuid"}}, {})
