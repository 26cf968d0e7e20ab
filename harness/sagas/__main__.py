"""`make saga-test`: runs every scenario over the running platform, checks the invariants, prints a table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.environment.running import Environment, environment
from harness.environment.services import SLICE
from harness.sagas import inspecting
from harness.sagas.invariants import INVARIANTS, violations
from harness.sagas.recording import Recording
from harness.sagas.scenarios import SCENARIOS, Scenario
from harness.sagas.shopper import Shopper
from harness.sagas.watching import Watcher

QUICK = {f"{service.prefix}PROCESSING_TIMEOUT": "10" for service in SLICE.values()}
"""Seconds after which a message of a killed service is taken over; a minute where nothing is said."""
ENDING_TIMEOUT = 90.0
SETTLE_TIMEOUT = 90.0


@dataclass(slots=True)
class Verdict:
    """What came of a scenario. `wrong` by invariant; empty when all is well."""

    scenario: str
    status: str = ""
    seconds: float = 0.0
    wrong: dict[str, list[str]] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every scenario kept every invariant, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="make saga-test", description=__doc__)
    parser.add_argument("--only", default="", help="scenarios whose name has this text")
    parser.add_argument("--json", type=Path, help="write the verdicts and recordings there")
    options = parser.parse_args(arguments)
    chosen = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    if not chosen:
        sys.stderr.write(f"error: no scenario has {options.only!r} in its name\n")
        return 2
    verdicts, recordings = [], []
    with environment(settings=QUICK, tell=lambda text: print(f"  {text}", flush=True)) as running:
        print(f"{running.report}\n\n{'scenario':<46} {'order':<12} {'s':>6}  verdict", flush=True)
        for number, scenario in enumerate(chosen):
            verdict, recording = judged(running, scenario, f"saga-{int(time.time())}-{number}")
            verdicts.append(verdict)
            recordings.append(None if recording is None else asdict(recording))
            _print(verdict)
    failed = sum(bool(verdict.wrong) for verdict in verdicts)
    print(
        f"\n{len(verdicts)} sagas, {len(INVARIANTS)} invariants each: {len(verdicts) - failed} passed, {failed} failed"
    )
    if options.json:
        document = {"verdicts": [asdict(verdict) for verdict in verdicts], "recordings": recordings}
        options.json.write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")
    return 1 if failed else 0


def judged(running: Environment, scenario: Scenario, run_id: str) -> tuple[Verdict, Recording | None]:
    """Run one scenario and judge what it left."""
    begun = time.monotonic()
    verdict = Verdict(scenario.name)
    recording = None
    try:
        recording = played(running, scenario, run_id)
        verdict.status = recording.status
        verdict.wrong = violations(recording)
        if recording.status != scenario.ending:
            verdict.wrong["ends as it should"] = [f"{recording.status}, not {scenario.ending}"]
        if scenario.reason and recording.status_reason != scenario.reason:
            verdict.wrong["for the right reason"] = [f"{recording.status_reason!r}, not {scenario.reason!r}"]
        charges = [entry for entry in recording.ledger if entry["kind"] == "charge"]
        if len(charges) != scenario.needs_charges:
            verdict.wrong["the gateway was called"] = [f"{len(charges)} charges, not {scenario.needs_charges}"]
    except Exception as problem:  # noqa: BLE001 one scenario that cannot be played must not hide the others
        verdict.wrong["it can be played"] = [f"{type(problem).__name__}: {problem}"]
    finally:
        running.restore()
    verdict.seconds = time.monotonic() - begun
    return verdict, recording


def played(running: Environment, scenario: Scenario, run_id: str) -> Recording:
    """The scenario from registration to rest."""
    with Watcher(running.backends.redis.direct_url) as watcher, Shopper(running.gateway_url, run_id) as shopper:
        shopper.register()
        shopper.log_in()
        card = shopper.add_card(scenario.card)
        cart = shopper.fill_cart({scenario.product: scenario.quantity})
        checkout, total = shopper.check_out(cart)
        before = inspecting.stock(running)
        if scenario.before is not None:
            scenario.before(running)
        order_id = shopper.confirm(checkout, card, total)
        if scenario.during is not None:
            scenario.during(running, order_id)
        shopper.wait_for(order_id, scenario.ending, timeout=ENDING_TIMEOUT)
        inspecting.settle(running, SETTLE_TIMEOUT)
        if scenario.after is not None:
            scenario.after(running, order_id)
            inspecting.settle(running, SETTLE_TIMEOUT)
        return inspecting.recorded(
            running,
            shopper,
            order_id,
            events=watcher.events,
            ordered={scenario.product: scenario.quantity},
            before=before,
        )


def _print(verdict: Verdict) -> None:
    status = verdict.status.removeprefix("ORDER_STATUS_").lower()
    print(
        f"{verdict.scenario:<46} {status:<12} {verdict.seconds:>6.1f}  {'FAILED' if verdict.wrong else 'passed'}",
        flush=True,
    )
    for invariant, wrong in verdict.wrong.items():
        for each in wrong:
            print(f"    {invariant}: {each}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
