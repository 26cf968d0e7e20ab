"""A run as one HTML page that needs no other file."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from harness.pacts.coverage import Row, Table
from harness.pacts.tables import Report

STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem;color:#1c1c1c;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .2rem}p{margin:.2rem 0 .6rem;color:#555}
table{border-collapse:collapse}td,th{padding:.15rem .5rem;text-align:left;border-bottom:1px solid #e4e4e4}
td:first-child{white-space:nowrap}code{font:12px ui-monospace,monospace}
.hit{background:#d9f2dd}.miss{background:#f4f4f4;color:#8a8a8a}.bad{background:#f8d7d7;font-weight:600}
.away td{color:#9a9a9a}.cell{display:inline-block;margin:1px 3px 1px 0;padding:0 .4rem;border-radius:3px}
.passed{color:#17722b}.failed{color:#b01818}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}p{color:#aaa}td,th{border-color:#333}
.hit{background:#1d4a27}.miss{background:#262626;color:#777}.bad{background:#6b1f1f}}
"""


def page_of(report: Report) -> str:
    """The page."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    word = "passed" if report.passed else "failed"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f"<title>Contract tests: {word}</title><style>{STYLE}</style></head><body>"
    yield f'<h1>Contract tests: <span class="{word}">{word}</span></h1><p>{escape(report.platform)}</p>'
    yield "<table><tr><th>step</th><th>looked at</th><th>seconds</th><th>wrong</th></tr>"
    for step in report.steps:
        yield (
            f"<tr><td>{escape(step.name)}</td><td>{escape(step.counted)}</td><td>{step.seconds:.1f}</td>"
            f"<td>{step.wrong or ''}</td></tr>"
        )
    yield "</table>"
    yield from _lists(report)
    for table in report.coverage.tables if report.coverage is not None else ():
        yield from _table(table)
    yield "</body></html>"


def _lists(report: Report) -> Iterator[str]:
    findings = report.findings
    parts = (
        ("Findings", findings.new),
        ("Known findings", [f"{finding} ({reason})" for finding, reason in findings.known]),
        ("Known findings that did not occur", [entry.match for entry in findings.stale]),
        ("Not done", report.notes),
    )
    for title, items in parts:
        if items:
            yield f"<h2>{title}</h2><ul>"
            yield from (f"<li><code>{escape(item)}</code></li>" for item in items)
            yield "</ul>"


def _table(table: Table) -> Iterator[str]:
    rows, all_rows, cells, all_cells = table.totals
    yield f"<h2>{escape(table.title)}: {escape(table.columns)}</h2>"
    yield f"<p>{rows} of {all_rows} rows, {cells} of {all_cells} cells exercised. {escape(table.note)}</p><table>"
    for row in table.rows:
        yield from _row(row)
    yield "</table>"


def _row(row: Row) -> Iterator[str]:
    away = row.excluded and not any(row.seen.values())
    yield f"<tr{' class=away' if away else ''}><td><code>{escape(row.name)}</code></td><td>{escape(row.detail)}</td><td>"
    if away:
        yield escape(row.excluded)
    else:
        yield "".join(
            f'<span class="cell {"hit" if row.seen.get(each) else "miss"}">{escape(each)} {row.seen.get(each) or ""}</span>'
            for each in row.documented
        )
        yield "".join(
            f'<span class="cell bad">{escape(each)} {row.seen[each]} not documented</span>' for each in row.unexpected
        )
    yield "</td></tr>"
