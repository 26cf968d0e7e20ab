"""`make contract-test`, as steps that each add findings to one report.

1. record the pacts again and compare them with those in git
2. start the platform; overhear everything that is said to the gateway
3. hold every provider to its consumers' pacts
4. probe the refusals that RPCs promise, walk the rest of the gateway
5. Schemathesis on the gateway
6. judge every exchange and every event by the contracts
7. coverage
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from codegen.model.graph import Graph
from harness.environment.running import Environment, environment
from harness.environment.services import SLICE
from harness.pacts import coverage, fuzzing, probes, recorded, side, streams, walk
from harness.pacts import known as known_findings
from harness.pacts.calling import Caller
from harness.pacts.contracts import Protos, gateway_document, load
from harness.pacts.event_schemas import EventSchemas
from harness.pacts.exchanges import Tap, tapped
from harness.pacts.expectations import ALL
from harness.pacts.expectations.shapes import PRODUCT
from harness.pacts.interactions import Expectations
from harness.pacts.judging import Judge
from harness.pacts.observed import Observed
from harness.pacts.recording import RecordingError, record
from harness.pacts.shop import Shop
from harness.pacts.states import provide
from harness.pacts.tables import Report, Step
from harness.pacts.verifying import Verdict, verify

SETTINGS = {"GATEWAY_REQUESTS_PER_MINUTE": "1000000", "GATEWAY_BURST": "100000"}
"""The run sends more than a customer may; the limit has tests of its own."""
UNLIMITED = "429 of the gateway's own limit: it is out of the way during the run (tests/services/gateway has it)"
STREAMING = (
    "streaming RPCs have no pact: a V4 message is one request and one answer; WatchOrderStatus is walked over HTTP"
)
Tell = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """What one run has and finds."""

    tell: Tell
    report: Report = field(default_factory=Report)
    observed: Observed = field(default_factory=Observed)
    found: list[str] = field(default_factory=list)
    judged_http: Any = None

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; what it appends is said to have been looked at, and new findings are its."""
        self.tell(name)
        begun, before, counted = time.monotonic(), len(self.found), list[str]()
        yield counted
        self.report.steps.append(
            Step(
                name=name,
                counted=", ".join(counted),
                seconds=time.monotonic() - begun,
                wrong=len(self.found) - before,
            )
        )


def run(
    *, fuzz: bool = True, providers: Iterable[str] = (), tell: Tell = lambda _: None, write: bool = False
) -> tuple[Report, dict[str, dict[str, Any]]]:
    """The whole suite, or parts of it: the report, and the pacts that were recorded, by name.

    `providers` limits verification; what is left out is noted in the report and fails it, unless asked for.
    """
    this = Run(tell)
    with this.step("load the contracts") as counted:
        graph = load()
        counted.append(f"{len(graph.contracts)} contracts")
    protos = Protos(graph.descriptor_set)
    pacts = _record(this, protos, write=write)
    with environment(tell=tell, settings=SETTINGS) as running:
        this.report.platform = running.report
        _on_the_platform(this, running, graph, protos, pacts, fuzz=fuzz, providers=tuple(providers))
    this.report.findings = known_findings.sort(this.found, _known(fuzz=fuzz, providers=tuple(providers)))
    return this.report, pacts


def _known(*, fuzz: bool, providers: Sequence[str]) -> tuple[known_findings.Known, ...]:
    entries = known_findings.read()
    if fuzz and not providers:
        return entries
    # A part of the run need not meet them all.
    return tuple(known_findings.Known(match=each.match, reason=each.reason, always=False) for each in entries)


def _record(this: Run, protos: Protos, *, write: bool) -> dict[str, dict[str, Any]]:
    with this.step("record the pacts") as counted:
        pacts = recorded_again(ALL, protos, this.found)
        if write:
            recorded.write(pacts)
        this.found += [f"pact: {each}; `make record-pacts` writes it" for each in recorded.differences(pacts)]
        interactions = sum(len(pact["interactions"]) for pact in pacts.values())
        counted.append(f"{len(pacts)} pacts, {interactions} interactions")
    return pacts


def recorded_again(expectations: Iterable[Expectations], protos: Protos, found: list[str]) -> dict[str, dict[str, Any]]:
    """Pacts by name; those that cannot be recorded become findings."""
    pacts = {}
    for expected in expectations:
        try:
            pacts[expected.name] = record(expected, protos)
        except RecordingError as problem:
            found.append(f"pact: {problem}")
    return pacts


def _on_the_platform(
    this: Run,
    running: Environment,
    graph: Graph,
    protos: Protos,
    pacts: Mapping[str, Mapping[str, Any]],
    *,
    fuzz: bool,
    providers: Sequence[str],
) -> None:
    addresses = {name: address for name, address in running.places.services.items() if name != "gateway"}
    host, _, port = running.places.services["gateway"].rpartition(":")
    with (
        Caller(protos, addresses, this.observed) as caller,
        tapped(host, int(port), this.observed) as tap,
    ):
        shop = Shop(caller)
        redis_url = running.backends.redis.direct_url
        _verify(this, shop, tap, redis_url, pacts, providers)
        with this.step("probe refusals") as counted:
            this.found += [f"probe: {each}" for each in probes.problems(shop)]
            counted.append(f"{len(probes.PROBES)} RPCs")
        with this.step("walk the gateway") as counted:
            before = len(this.observed.exchanges)
            this.found += [f"walk: {each}" for each in walk.problems(shop, tap.url)]
            counted.append(f"{len(this.observed.exchanges) - before} exchanges")
        if fuzz:
            _fuzz(this, shop, tap, graph)
        else:
            this.report.notes.append("Schemathesis: left out, as asked for")
        _judge(this, tap, redis_url, graph)
    this.report.notes += [UNLIMITED, STREAMING]
    this.report.notes += [f"Schemathesis does not call {name}: {why}" for name, why in fuzzing.EXCLUDED.items()]


def _verify(
    this: Run,
    shop: Shop,
    tap: Tap,
    redis_url: str,
    pacts: Mapping[str, Mapping[str, Any]],
    providers: Sequence[str],
) -> None:
    verdicts: list[Verdict] = []
    answering = side.Side(shop, redis_url)
    by_provider: dict[str, list[Mapping[str, Any]]] = {}
    for pact in pacts.values():
        by_provider.setdefault(pact["provider"]["name"], []).append(pact)
    with side.serving(answering) as port:
        for provider, theirs in sorted(by_provider.items()):
            if providers and provider not in providers:
                this.report.notes.append(f"pacts of {provider}: left out, as asked for")
                continue
            with this.step(f"verify {provider}") as counted:
                answering.problems.clear()
                made = verify(provider, theirs, port, http_url=tap.url if provider == "gateway" else None)
                verdicts += made
                this.found += [
                    f"verify: {each.consumer} -> {provider}: {each.description}: {'; '.join(each.wrong)}"
                    for each in made
                    if not each.kept
                ]
                this.found += [f"verify: {provider}: {each}" for each in answering.problems]
                counted.append(f"{len(theirs)} pacts, {len(made)} interactions")
    this.report.verdicts = verdicts


def _fuzz(this: Run, shop: Shop, tap: Tap, graph: Graph) -> None:
    values = provide(shop, "a confirmed order")
    cart = provide(shop, "a cart with goods")["cart_id"]
    things = {
        "customer_id": values["customer_id"],
        "cart_id": cart,
        "/api/v1/products/": PRODUCT,
        "/api/v1/carts/": cart,
        "/api/v1/carts/{id}/items/": PRODUCT,
        "/api/v1/checkout/": provide(shop, "a previewed checkout")["checkout_id"],
        "/api/v1/orders/": values["order_id"],
    }
    excluded = (*fuzzing.EXCLUDED, *sorted(coverage.outside(graph, SLICE)))
    with this.step("Schemathesis") as counted:
        before = len(this.observed.exchanges)
        legs = fuzzing.run(
            tap.url, values["token"], things, business=coverage.refuses_by_rule(graph), excluded=excluded
        )
        this.report.legs = legs
        for leg in legs:
            if leg.broken:
                this.found.append(f"fuzz: {leg.leg}: {leg.broken}")
            this.found += [
                f"fuzz: {each.operation} {each.code} {each.title} [{each.status}] {each.answer[:300]}"
                for each in leg.failures
            ]
        exchanges = this.observed.exchanges[before:]
        this.found += [f"fuzz: {each}" for each in _unsigned(Judge(gateway_document()), exchanges)]
        counted.append(f"{sum(leg.cases for leg in legs)} cases, {len(exchanges)} exchanges")


def _unsigned(judge: Judge, exchanges: Sequence[Any]) -> Iterator[str]:
    """Operations of which Schemathesis saw nothing but the door: its token was no good."""
    statuses: dict[str, set[int]] = {}
    for each in exchanges:
        operation = judge.operation(each)
        if operation is not None:
            statuses.setdefault(operation, set()).add(each.status)
    for operation, found in sorted(statuses.items()):
        if found <= {401, 403} and 401 in found:
            yield f"{operation}: nothing but {sorted(found)}: the token is not accepted"


def _judge(this: Run, tap: Tap, redis_url: str, graph: Graph) -> None:
    with this.step("judge the exchanges") as counted:
        judgement = Judge(gateway_document()).judge(this.observed.exchanges)
        this.found += [
            f"http: {each.operation} {each.status}: {each.problem} ({each.count} times; {each.example})"
            for each in judgement.findings
        ]
        counted.append(f"{judgement.judged} exchanges")
        if judgement.outside:
            told = ", ".join(f"{name} {count}" for name, count in sorted(judgement.outside.items()))
            this.report.notes.append(f"judged as problems only, since the contract has no such operation: {told}")
        if judgement.unsaid:
            told = ", ".join(f"{status} {count}" for status, count in sorted(judgement.unsaid.items()))
            this.report.notes.append(f"judged as problems only, since HTTP itself answers so: {told}")
        if judgement.cut_short:
            this.report.notes.append(f"judged by their heads only, since they were left early: {judgement.cut_short}")
        if tap.unread:
            this.report.notes.append(f"connections that were not read to their end: {tap.unread}")
    with this.step("judge the events") as counted:
        addresses = [channel.address for channel in graph.channels.values() if channel.address]
        this.observed.events = streams.read(redis_url, addresses)
        wrong: dict[str, int] = {}
        for seen, problem in EventSchemas().problems(this.observed.events):
            wrong[f"{seen.channel}: {problem}"] = wrong.get(f"{seen.channel}: {problem}", 0) + 1
        this.found += [f"event: {each} ({count} times)" for each, count in sorted(wrong.items())]
        counted.append(f"{len(this.observed.events)} entries")
    everything = coverage.Seen(judgement.statuses, this.observed.rpcs, this.observed.events)
    this.report.coverage = coverage.covered(graph, everything, SLICE)
    for table in (this.report.coverage.rpc, this.report.coverage.events):
        this.found += [
            f"coverage: {row.name}: {each} is not documented" for row in table.rows for each in row.unexpected
        ]
