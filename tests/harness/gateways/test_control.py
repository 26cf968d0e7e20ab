"""What every mock offers beside the vendor's API: scripts, ledger, clock, snapshots, recorded requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gateways.agenda import Agenda
from harness.gateways.clock import Clock
from harness.gateways.ids import Ids
from harness.gateways.inprocess import RunningMock, running
from harness.gateways.ledger import Ledger
from harness.gateways.outcomes import ControlError
from harness.gateways.webhooks import Webhooks

FORM = {"authorization": "Bearer sk_test_123", "content-type": "application/x-www-form-urlencoded"}
PAYMENT = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true"


@pytest.fixture(scope="module")
def served() -> Iterator[RunningMock]:
    with running("stripe", seed=7) as mocks:
        yield mocks.stripe


@pytest.fixture
def mock(served: RunningMock) -> RunningMock:
    served.control.reset()
    return served


def pay(mock: RunningMock, *, key: str = "", form: str = PAYMENT, timeout: float = 5.0) -> httpx.Response:
    headers = {**FORM, "idempotency-key": key} if key else FORM
    url = f"{mock.url}/v1/payment_intents"
    return httpx.post(url, content=form, headers=headers, timeout=timeout, trust_env=False)


def test_scripted_outcomes_come_in_their_order_and_then_no_more(mock: RunningMock) -> None:
    mock.control.script({"status": 500}, {"status": 429, "retry_after": 2}, {}, operation="createPaymentIntent")
    answers = [pay(mock) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 429, 200, 200]
    assert answers[1].headers["retry-after"] == "2"


def test_a_script_for_a_key_or_path_leaves_other_requests_alone(mock: RunningMock) -> None:
    mock.control.script({"status": 503}, key="k1")
    mock.control.script({"status": 504}, path="/v1/customers")
    assert pay(mock, key="k2").status_code == 200
    assert pay(mock, key="k1").status_code == 503
    assert httpx.get(f"{mock.url}/v1/customers", headers=FORM, trust_env=False).status_code == 504


def test_a_failure_before_the_effect_leaves_no_trace_and_one_after_it_does(mock: RunningMock) -> None:
    outcome: dict[str, Any]
    for outcome in ({"status": 500}, {"html": 502}, {"reset": True}):
        mock.control.script(outcome)
        try:
            pay(mock)
        except httpx.TransportError:
            assert outcome == {"reset": True}
    assert mock.control.ledger() == []
    for outcome in ({"lost": True}, {"truncate": 5}, {"answer_html": 502}, {"answer_status": 500}, {"hang": 0.1}):
        mock.control.script(outcome)
        try:
            pay(mock)
        except httpx.TransportError:
            assert outcome in ({"lost": True}, {"truncate": 5}, {"hang": 0.1})
    assert len(mock.control.ledger("charge")) == 5


def test_a_delayed_answer_is_late_and_the_effect_still_happens(mock: RunningMock) -> None:
    mock.control.script({"answer_delay": 0.5})
    with pytest.raises(httpx.ReadTimeout):
        pay(mock, timeout=0.1)
    assert len(mock.control.ledger("charge")) == 1


def test_a_reset_connection_is_seen_as_reset(mock: RunningMock) -> None:
    mock.control.script({"reset": True})
    with pytest.raises(httpx.ReadError):
        pay(mock)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"outcomes": []}, "at least one"),
        ({"outcomes": [{"status": 200}]}, "between 400 and 599"),
        ({"outcomes": [{"delay": -1}]}, "between 0 and"),
        ({"outcomes": [{"delay": True}]}, "must be float"),
        ({"outcomes": [{"explode": True}]}, "unknown outcome 'explode'"),
        ({"outcomes": [{}], "operation": "nothing"}, "no operation 'nothing'"),
        ({"outcomes": [{}], "times": 0}, "whole number"),
        ({"outcomes": [{}], "times": 5000}, "1000"),
        ({"outcomes": "x"}, "must be a list"),
        ({"outcome": {}}, "unknown members: outcome"),
        ({"outcomes": [{"headers": {"a": 1}}]}, "object of texts"),
    ],
)
def test_a_wrong_script_is_refused_with_the_reason(mock: RunningMock, script: Any, words: str) -> None:
    with pytest.raises(ControlError, match=words) as caught:
        mock.control.call("POST", "script", script)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "ledger", None, 405),
        ("POST", "clock", {"advance": -1}, 400),
        ("POST", "clock", {"advance": 1e12}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "restore", {"snapshot": "nothing"}, 404),
        ("POST", "actions/nothing", {}, 404),
        ("GET", "actions/create_dispute", None, 405),
        ("POST", "actions/create_dispute", {"charge": "ch_nothing"}, 404),
        ("POST", "webhooks/faults", {"fault": "nothing"}, 400),
        ("POST", "webhooks/resend", {"event_id": "nothing"}, 404),
    ],
)
def test_a_wrong_control_call_is_refused(mock: RunningMock, method: str, path: str, body: Any, status: int) -> None:
    with pytest.raises(ControlError) as caught:
        mock.control.call(method, path, body)
    assert caught.value.status == status


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"[" * 100_000])
def test_a_control_call_that_is_no_json_object_is_refused(mock: RunningMock, body: bytes) -> None:
    answer = httpx.post(f"{mock.url}/_control/script", content=body, trust_env=False)
    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_the_overview_names_operations_actions_and_calls(mock: RunningMock) -> None:
    found = mock.control.call("GET", "")
    assert found["gateway"] == "stripe"
    assert "createRefund" in found["operations"]
    assert "create_dispute" in found["actions"]
    assert "POST /_control/script" in found["calls"]


def test_recorded_requests_hold_no_secret_and_no_body(mock: RunningMock) -> None:
    pay(mock, key="k1")
    text = httpx.get(f"{mock.url}/_control/requests", trust_env=False).text
    assert '"key": "k1"' in text
    assert "sk_test" not in text
    assert "pm_card" not in text


def test_the_same_seed_gives_the_same_identifiers(mock: RunningMock) -> None:
    first = pay(mock).json()["id"]
    mock.control.reset()
    assert pay(mock).json()["id"] == first


def test_a_reset_begins_anew(mock: RunningMock) -> None:
    mock.control.freeze(1_000_000_000)
    mock.control.script({"status": 500})
    pay(mock)
    mock.control.reset()
    assert (mock.control.ledger(), mock.control.requests()) == ([], [])
    assert pay(mock).status_code == 200
    assert abs(mock.control.now() - time.time()) < 5


def test_a_frozen_clock_moves_only_when_told(mock: RunningMock) -> None:
    assert mock.control.freeze(1_700_000_000) == 1_700_000_000
    assert mock.control.advance(3600) == 1_700_003_600
    assert pay(mock).json()["created"] == 1_700_003_600


def test_mocks_that_run_beside_each_other_have_their_own_state() -> None:
    with running("stripe") as one, running("stripe") as two:
        pay(one.stripe)
        assert len(one.stripe.control.ledger("charge")) == 1
        assert two.stripe.control.ledger() == []


def test_stopping_does_not_wait_for_requests_under_way(caplog: pytest.LogCaptureFixture) -> None:
    async def hanging(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(f"{url}/v1/payment_intents", content=PAYMENT, headers=FORM, timeout=30)

    async def scenario() -> float:
        with running("stripe") as mocks:
            mocks.stripe.control.script({"delay": 60})
            task = asyncio.create_task(hanging(mocks.stripe.url))
            await asyncio.sleep(0.2)
            started = time.monotonic()
        stopped = time.monotonic() - started
        with pytest.raises(httpx.TransportError):
            await task
        return stopped

    assert asyncio.run(scenario()) < 5
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_port_that_is_taken_leaves_nothing_running(served: RunningMock) -> None:
    port = int(served.url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"), running("stripe", ports={"stripe": port}):
        pass


# ---- parts


@given(st.lists(st.floats(0, 1e6), max_size=20))
def test_time_never_goes_back(steps: list[float]) -> None:
    clock = Clock()
    clock.freeze(0.0)
    total = 0.0
    for step in steps:
        before = clock.now()
        clock.advance(step)
        total += step
        assert clock.now() >= before
    assert clock.now() == pytest.approx(total)


@given(st.lists(st.floats(0, 100), max_size=20), st.lists(st.floats(0, 20), max_size=20))
def test_the_agenda_calls_back_once_each_in_the_order_of_time(delays: list[float], steps: list[float]) -> None:
    clock = Clock()
    clock.freeze(0.0)
    agenda = Agenda(clock)
    called: list[float] = []
    for delay in delays:
        agenda.after(delay, lambda delay=delay: called.append(delay))  # type: ignore[misc] # the default binds the value
    for step in steps:
        clock.advance(step)
        agenda.run_due()
        assert called == sorted(delay for delay in delays if delay <= clock.now())


def test_what_the_agenda_adds_while_it_runs_is_run_when_due() -> None:
    clock = Clock()
    clock.freeze(0.0)
    agenda = Agenda(clock)
    called: list[str] = []

    def first() -> None:
        called.append("first")
        agenda.after(1, lambda: called.append("second"))

    agenda.after(1, first)
    clock.advance(1)
    agenda.run_due()
    assert called == ["first"]
    clock.advance(1)
    agenda.run_due()
    assert called == ["first", "second"]


def test_totals_count_what_succeeded_only() -> None:
    ledger = Ledger(Clock())
    ledger.record("charge", id="a", amount=100, currency="usd")
    ledger.record("charge", id="b", amount=50, currency="eur")
    ledger.record("charge", id="c", amount=7, currency="usd", status="failed")
    ledger.record("shipment", id="d")
    assert ledger.totals() == {"charge": {"USD": 100, "EUR": 50}}
    ledger.update("a", status="failed", note="x")
    assert ledger.totals() == {"charge": {"EUR": 50}}
    with pytest.raises(ValueError, match="already"):
        ledger.record("charge", id="a")


def test_a_sleeper_wakes_when_the_clock_is_advanced() -> None:
    async def scenario() -> float:
        clock = Clock()
        clock.freeze(0.0)
        sleeper = asyncio.create_task(clock.sleep_until(3600))
        await asyncio.sleep(0)
        started = time.monotonic()
        clock.advance(3600)
        await asyncio.wait_for(sleeper, 5)
        return time.monotonic() - started

    assert asyncio.run(scenario()) < 1


def test_identifiers_have_the_asked_form() -> None:
    ids = Ids(1)
    assert (len(ids.token(24)), len(ids.hex(7)), len(ids.upper(5))) == (24, 7, 5)
    assert ids.digits(12).isdecimal()
    assert ids.uuid()[14] == "4"


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("http://127.0.0.1:9/x", "pending"),
        ("https://localhost/x", "pending"),
        ("http://[::1]:9/x", "pending"),
        ("http://10.0.0.1/x", "refused: only receivers on this machine are sent to"),
        ("http://shop.example/x", "refused: only receivers on this machine are sent to"),
        ("http://127.0.0.1.shop.example/x", "refused: only receivers on this machine are sent to"),
        ("http://2130706433/x", "refused: only receivers on this machine are sent to"),
        ("http://[", "refused: not an HTTP URL"),
        ("http://127.0.0.1:x/", "refused: not an HTTP URL"),
        ("ftp://127.0.0.1/x", "refused: not an HTTP URL"),
        ("", "refused: not an HTTP URL"),
    ],
)
def test_webhooks_go_to_this_machine_only(url: str, state: str) -> None:
    webhooks = Webhooks(Clock())
    webhooks.emit(url=url, event="e", event_id="1", body=b"{}", sign=lambda _: {})
    assert [each["state"] for each in webhooks.deliveries()] == [state]
