"""Schemathesis on the running gateway: deterministic, with a valid token and things that exist, within a time limit.

Legs: every operation by its boundaries and a few random requests, then each resource for itself along the links of the
contract, because a run over everything at once finds few sequences. What is switched off, and why:

* `allow_header_conformance`: the web framework names the methods of one route in `Allow`, not of the path.
* inferred links: only those that the contract declares are followed.
* operations of services that are not part of the slice, and those in `EXCLUDED`, which says why for each.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.pacts.contracts import GATEWAY, ROOT

EXCLUDED: Mapping[str, str] = {
    "deleteCustomer": "the customer of the run would be gone; called by the walk instead",
    "watchOrderStatus": "a stream that stays open until the order is at its end; read by the walk instead",
    "receivePaypalWebhook": "the slice runs without PayPal: the gateway answers 503, as the contract allows",
}
"""operationId -> why Schemathesis does not call it."""
TIMEOUT = 300.0
"""Of all legs together, in seconds."""
_CODE = re.compile(r"^- (ST\d+) (.+)$", re.MULTILINE)
_CURL = re.compile(r"curl -X (\w+) .*?https?://[^/\s']+(/[^\s'?]*)", re.DOTALL)
_ANSWER = re.compile(r"\n\[(\d{3})\].*?\n\n    `(.*?)`", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One run of Schemathesis. `examples` random cases for each operation, or scenarios along links."""

    name: str
    phases: Sequence[str]
    examples: int
    paths: str = ""
    """A regular expression; empty for all."""


LEGS = (
    Leg(name="every operation", phases=("coverage", "fuzzing"), examples=5),
    Leg(name="carts, linked", phases=("stateful",), examples=10, paths="^/api/v1/carts"),
    Leg(name="checkout, linked", phases=("stateful",), examples=10, paths="^/api/v1/checkout"),
    Leg(name="orders, linked", phases=("stateful",), examples=10, paths="^/api/v1/orders"),
    Leg(name="customers, linked", phases=("stateful",), examples=8, paths="^/api/v1/customers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure that Schemathesis tells of. `operation` is method and path as the contract writes or as called."""

    leg: str
    operation: str
    code: str
    title: str
    status: int
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegResult:
    """What came of a leg. `broken` says why it did not do its work; empty when it did."""

    leg: str
    cases: int
    seconds: float
    failures: Sequence[Failure] = ()
    broken: str = ""


def configuration(business: Iterable[str], hooks: str = "harness.pacts.fuzz_hooks") -> str:
    """The TOML file. `business` are operations whose RPC documents INVALID_ARGUMENT for rules no schema can say."""
    accepted = '"2xx", "3xx", "401", "403", "404", "409", "422", "429"'
    rules = "".join(
        f'\n[[operations]]\ninclude-operation-id = "{operation}"\n'
        f'[operations.checks]\npositive_data_acceptance.expected-statuses = [{accepted}, "400"]\n'
        for operation in sorted(business)
    )
    return f"""hooks = "{hooks}"
request-timeout = 15.0
[warnings]
fail-on = ["missing_auth"]
[generation]
deterministic = true
database = "none"
allow-x00 = false
[auth.openapi.bearerAuth]
bearer = "${{API_TOKEN}}"
[parameters]
"path.customer_id" = "${{API_CUSTOMER}}"
[checks]
allow_header_conformance.enabled = false
positive_data_acceptance.expected-statuses = [{accepted}]
[phases.stateful]
max-steps = 6
[phases.stateful.inference]
algorithms = []
{rules}"""


def run(
    url: str,
    token: str,
    things: Mapping[str, str],
    *,
    business: Iterable[str],
    excluded: Iterable[str],
    legs: Sequence[Leg] = LEGS,
) -> list[LegResult]:
    """All legs, one after another; those for which no time is left are broken, not left out."""
    limit = time.monotonic() + TIMEOUT
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text(configuration(business), encoding="utf-8")
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "0",
            "API_TOKEN": token,
            "API_CUSTOMER": things["customer_id"],
            "CONTRACT_TEST_THINGS": json.dumps(things),
        }
        return [_leg(leg, url, config, environment, tuple(excluded), limit) for leg in legs]


def _leg(
    leg: Leg, url: str, config: Path, environment: Mapping[str, str], excluded: Sequence[str], limit: float
) -> LegResult:
    report = config.with_name("report.xml")
    numbers = config.with_name("report.json")
    for path in (report, numbers):
        path.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(GATEWAY)),
        *("--url", url, "--workers", "1", "--phases", ",".join(leg.phases), "--max-examples", str(leg.examples)),
        *("--continue-on-failure", "--report", "junit,json"),
        *("--report-junit-path", str(report), "--report-json-path", str(numbers)),
        *(part for operation in excluded for part in ("--exclude-operation-id", operation)),
        *(("--include-path-regex", leg.paths) if leg.paths else ()),
    ]
    begun = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 the command is made here, of nothing from outside
            command, env=dict(environment), capture_output=True, text=True, check=False, timeout=max(1.0, limit - begun)
        )
    except subprocess.TimeoutExpired:
        seconds = time.monotonic() - begun
        return LegResult(leg=leg.name, cases=0, seconds=seconds, broken=f"it was not done within {TIMEOUT:g} s")
    seconds = time.monotonic() - begun
    if not report.is_file() or not numbers.is_file():
        return LegResult(leg=leg.name, cases=0, seconds=seconds, broken=(done.stdout + done.stderr)[-2000:])
    return _read(leg, seconds, done.returncode, report.read_text(encoding="utf-8"), json.loads(numbers.read_text()))


def _read(leg: Leg, seconds: float, code: int, report: str, numbers: Mapping[str, object]) -> LegResult:
    failures = failures_in(report, leg.name)
    found = numbers.get("test_cases")
    cases = int(found["generated"]) if isinstance(found, dict) else 0
    broken = ""
    warnings = numbers.get("warnings")
    unsigned = warnings.get("missing_auth") if isinstance(warnings, dict) else None
    if numbers.get("errors"):
        broken = f"errors: {json.dumps(numbers['errors'])[:1500]}"
    elif unsigned:
        broken = f"the token is refused: {json.dumps(unsigned)[:500]}"
    elif not cases:
        broken = "no cases"
    elif code and not failures:
        broken = f"exit code {code} without a failure"
    return LegResult(leg=leg.name, cases=cases, seconds=seconds, failures=failures, broken=broken)


def failures_in(report: str, leg: str) -> tuple[Failure, ...]:
    """The failures of a JUnit report of Schemathesis."""
    found = []
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 written by a program that we started
        for element in case.iter("failure"):
            for text in re.split(r"(?m)^(?=\d+\. Test Case ID: )", element.text or ""):
                if text.strip():
                    found += _of_text(leg, str(case.get("name")), text)
    return tuple(found)


def _of_text(leg: str, name: str, text: str) -> list[Failure]:
    called = _CURL.search(text)
    answer = _ANSWER.search(text)
    operation = f"{called[1]} {called[2]}" if called and not re.match(r"[A-Z]+ /", name) else name
    return [
        Failure(
            leg=leg,
            operation=operation,
            code=code,
            title=title,
            status=int(answer[1]) if answer else 0,
            answer=answer[2] if answer else text[:500],
        )
        for code, title in _CODE.findall(text)
    ]
