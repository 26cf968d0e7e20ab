"""Coverage counts what was seen, shows what was not, and names what no contract knows."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence

import pytest

from codegen.model.graph import Graph
from harness.environment.services import SLICE
from harness.pacts.coverage import Coverage, Row, Seen, covered, outside, refuses_by_rule
from harness.pacts.known import Sorted
from harness.pacts.observed import EventSeen, RpcSeen
from harness.pacts.page import page_of
from harness.pacts.tables import Report, Step, json_of, text_of


def event(channel: str, kind: str) -> EventSeen:
    return EventSeen(channel=channel, entry="1-0", raw=b"", event={"type": kind})


@pytest.fixture
def coverage(graph: Graph) -> Coverage:
    seen = Seen(
        Counter({("getCart", 200): 3, ("getCart", 404): 1, ("getCart", 418): 1}),
        [
            RpcSeen(rpc="order.v1.OrderService/GetOrder", status="OK"),
            RpcSeen(rpc="order.v1.OrderService/GetOrder", status="INTERNAL"),
        ],
        [event("order-created", "order-created"), event("order-created", "order-lost")],
    )
    return covered(graph, seen, SLICE)


def row(rows: Sequence[Row], name: str) -> Row:
    return next(each for each in rows if each.name == name)


def test_a_row_says_what_was_seen_what_not_and_what_nobody_documented(coverage: Coverage) -> None:
    found = row(coverage.http.rows, "getCart")
    assert found.hit == ("200", "404")
    assert "401" in found.missed
    assert found.unexpected == ("418",)
    rpc = row(coverage.rpc.rows, "order.v1.OrderService/GetOrder")
    assert (rpc.hit, rpc.missed, rpc.unexpected) == (("OK",), ("NOT_FOUND",), ("INTERNAL",))
    channel = row(coverage.events.rows, "order-created")
    assert (channel.hit, channel.unexpected) == (("order-created",), ("order-lost",))


def test_what_cannot_be_exercised_is_shown_with_its_reason_and_not_counted(coverage: Coverage) -> None:
    for table, name in (
        (coverage.http, "getLoyaltyBalance"),
        (coverage.rpc, "shipping.v1.ShippingService/TrackShipment"),
        (coverage.events, "shipment-created"),
    ):
        assert row(table.rows, name).excluded
        seen, rows, cells, _ = table.totals
        assert seen == 1
        assert rows == sum(not each.excluded for each in table.rows)
        assert cells == sum(len(each.hit) for each in table.rows)


def test_every_operation_rpc_and_channel_has_its_row(coverage: Coverage, graph: Graph) -> None:
    assert len(coverage.http.rows) == 39
    assert {each.name for each in coverage.events.rows} == {
        channel.address for channel in graph.channels.values() if channel.address
    }
    assert all(each.documented for table in coverage.tables for each in table.rows)


def test_operations_of_services_that_do_not_run_are_known(graph: Graph) -> None:
    assert outside(graph, SLICE) == {"getLoyaltyBalance", "calculateShippingRates", "trackShipment", "trackEvent"}
    assert outside(graph, [*SLICE, "loyalty", "shipping", "analytics"]) == frozenset()


def test_operations_that_refuse_by_rules_are_those_whose_rpc_says_so(graph: Graph) -> None:
    found = refuses_by_rule(graph)
    assert "registerCustomer" in found
    assert "previewOrder" not in found


def test_text_page_and_json_tell_the_same(coverage: Coverage) -> None:
    report = Report(
        platform="a <platform>",
        steps=[Step(name="judge", counted="3 exchanges", seconds=1.0, wrong=1)],
        findings=Sorted(new=["http: <b>"], known=[("fuzz: x", "because")]),
        coverage=coverage,
        notes=["something was left out"],
    )
    text, page, data = text_of(report), page_of(report), json.loads(json.dumps(json_of(report)))
    assert not report.passed
    assert text.rstrip().endswith("FAILED")
    for told in ("getCart", "418", "something was left out", "because", "not part of the slice"):
        assert told in text
        assert told in page
    assert "a &lt;platform&gt;" in page
    assert "<b>" not in page
    assert not re.search(r"(src|href)=", page)
    assert data["passed"] is False
    assert len(data["coverage"]["http"]["rows"]) == 39
