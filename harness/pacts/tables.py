"""A run as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.pacts.coverage import Coverage, Row, Table
from harness.pacts.fuzzing import LegResult
from harness.pacts.known import Sorted
from harness.pacts.verifying import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of the run. `counted` says how much it looked at."""

    name: str
    counted: str
    seconds: float
    wrong: int


@dataclass(slots=True, kw_only=True)
class Report:
    """Everything that a run has to say."""

    platform: str = ""
    steps: list[Step] = field(default_factory=list)
    verdicts: Sequence[Verdict] = ()
    legs: Sequence[LegResult] = ()
    findings: Sorted = field(default_factory=Sorted)
    coverage: Coverage | None = None
    notes: list[str] = field(default_factory=list)
    """What was not done, and why."""

    @property
    def passed(self) -> bool:
        """No finding that is new, none known that is gone."""
        return not self.findings.new and not self.findings.stale


def text_of(report: Report) -> str:
    """For a terminal."""
    return "\n".join(_lines(report)) + "\n"


def json_of(report: Report) -> dict[str, Any]:
    """For programs."""
    found = asdict(report)
    found["passed"] = report.passed
    return found


def _lines(report: Report) -> Iterator[str]:
    yield report.platform
    if report.coverage is not None:
        for table in report.coverage.tables:
            yield ""
            yield from _table(table)
    yield ""
    yield f"{'step':<34} {'looked at':<34} {'s':>6}  wrong"
    for step in report.steps:
        yield f"{step.name:<34} {step.counted:<34} {step.seconds:>6.1f}  {step.wrong or '-'}"
    if report.notes:
        yield ""
        yield "not done:"
        yield from (f"  {note}" for note in report.notes)
    yield from _findings(report.findings)


def _table(table: Table) -> Iterator[str]:
    rows, all_rows, cells, all_cells = table.totals
    yield f"{table.title}: {table.columns}  ({rows} of {all_rows} rows, {cells} of {all_cells} cells exercised)"
    yield f"  {table.note}"
    width = max((len(row.name) for row in table.rows), default=0)
    for row in table.rows:
        yield f"  {row.name:<{width}}  {_cells(row)}"


def _cells(row: Row) -> str:
    if row.excluded and not any(row.seen.values()):
        return f"({row.excluded})"
    cells = [f"{each} {row.seen[each]}" for each in row.hit]
    if row.missed:
        cells.append(f"| not seen: {' '.join(row.missed)}")
    if row.unexpected:
        cells.append(f"| NOT DOCUMENTED: {' '.join(f'{each} {row.seen[each]}' for each in row.unexpected)}")
    return "  ".join(cells)


def _findings(findings: Sorted) -> Iterator[str]:
    if findings.known:
        yield ""
        yield f"known findings ({len(findings.known)}):"
        for finding, reason in findings.known:
            yield f"  {finding}"
            yield f"      known: {reason}"
    if findings.stale:
        yield ""
        yield "known findings that did not occur; remove them from known.toml:"
        yield from (f"  {entry.match}" for entry in findings.stale)
    if findings.new:
        yield ""
        yield f"FINDINGS ({len(findings.new)}):"
        yield from (f"  {finding}" for finding in findings.new)
    yield ""
    yield "passed" if not findings.new and not findings.stale else "FAILED"
