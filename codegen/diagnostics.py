"""Complaints as data, and how they are printed: text, JSON, GitHub annotations, SARIF.

User mistakes are `Diagnostic`s that are gathered, never exceptions that stop
at the first one. Rule ids are stable: settings silence complaints by them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from codegen.model.ids import NOWHERE, Location


class Severity(Enum):
    """`ERROR` stops the run; `UNSUPPORTED` is a construct a target cannot express, and `WARNING` is advice."""

    ERROR = "error"
    UNSUPPORTED = "unsupported"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One complaint: where, which rule, what is wrong, and what to do about it.

    `rule` is `area/name` in lower case with dashes: `document/duplicate-key`.
    """

    rule: str
    severity: Severity
    message: str
    location: Location = NOWHERE
    hint: str = ""
    related: tuple[Location, ...] = ()


class Diagnostics:
    """Gathers complaints in the order they were found; equal ones once."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def error(
        self,
        rule: str,
        message: str,
        location: Location = NOWHERE,
        *,
        hint: str = "",
        related: tuple[Location, ...] = (),
    ) -> None:
        """Record a mistake in a contract, the settings or the invocation."""
        self.add(
            Diagnostic(
                rule=rule, severity=Severity.ERROR, message=message, location=location, hint=hint, related=related
            )
        )

    def unsupported(self, rule: str, message: str, location: Location = NOWHERE, *, hint: str = "") -> None:
        """Record a construct that is not expressed in the output."""
        self.add(Diagnostic(rule=rule, severity=Severity.UNSUPPORTED, message=message, location=location, hint=hint))

    def warning(
        self,
        rule: str,
        message: str,
        location: Location = NOWHERE,
        *,
        hint: str = "",
        related: tuple[Location, ...] = (),
    ) -> None:
        """Record something that works but is likely not meant."""
        self.add(
            Diagnostic(
                rule=rule, severity=Severity.WARNING, message=message, location=location, hint=hint, related=related
            )
        )

    def add(self, diagnostic: Diagnostic) -> None:
        """Record a complaint made elsewhere."""
        self._found.setdefault(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Record several."""
        for diagnostic in diagnostics:
            self.add(diagnostic)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Those that stop the run."""
        return tuple(d for d in self._found if d.severity is Severity.ERROR)

    def ordered(self) -> tuple[Diagnostic, ...]:
        """By severity, then by place."""
        rank = {Severity.ERROR: 0, Severity.UNSUPPORTED: 1, Severity.WARNING: 2}
        return tuple(
            sorted(
                self._found,
                key=lambda d: (rank[d.severity], d.location.path, d.location.line, d.location.column, d.rule),
            )
        )


def in_repository(diagnostics: Iterable[Diagnostic], here: Path) -> list[Diagnostic]:
    """The same with paths from the root of the repository, which is where annotations and SARIF are read from.

    Relative paths are relative to `here`; what lies outside of the repository keeps its path.
    """
    root = next((folder for folder in (here, *here.parents) if os.path.lexists(folder / ".git")), here)

    def moved(place: Location) -> Location:
        path = Path(os.path.normpath(here / place.path))
        known = place.path and path.is_relative_to(root)
        return replace(place, path=path.relative_to(root).as_posix()) if known else place

    return [
        replace(found, location=moved(found.location), related=tuple(moved(place) for place in found.related))
        for found in diagnostics
    ]


MAX_SHOWN = 1000
"""Characters of one message; what contracts put into it is not bounded."""


def readable(text: str) -> str:
    """`text` on one line of bounded length, with what would steer a terminal or hide characters written as escapes."""
    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)


def as_text(diagnostics: Iterable[Diagnostic]) -> str:
    """`path:line:column: severity: message [rule]`, the hint and related places on lines of their own."""
    lines = []
    for found in diagnostics:
        place = f"{readable(str(found.location))}: " if found.location.path else ""
        lines.append(f"{place}{found.severity.value}: {readable(found.message)} [{found.rule}]")
        lines.extend(f"    see also {readable(str(related))}" for related in found.related)
        if found.hint:
            lines.append(f"    hint: {readable(found.hint)}")
    return "".join(f"{line}\n" for line in lines)


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON array of objects with the fields of `Diagnostic`."""
    return json.dumps([_as_dict(found) for found in diagnostics], indent=2) + "\n"


def _as_dict(found: Diagnostic) -> dict[str, object]:
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint,
        **_place(found.location),
        "related": [_place(related) for related in found.related],
    }


def _place(location: Location) -> dict[str, object]:
    return {"path": location.path, "line": location.line, "column": location.column, "pointer": location.pointer}


def as_github(diagnostics: Iterable[Diagnostic], *, root: str = "") -> str:
    """Workflow commands of GitHub Actions; `root` is put before every path."""
    lines = []
    for found in diagnostics:
        command = "error" if found.severity is Severity.ERROR else "warning"
        properties = [f"title={_escape_property(found.rule)}"]
        if found.location.path:
            properties.append(f"file={_escape_property(readable(root + found.location.path))}")
        if found.location.line:
            properties += [f"line={found.location.line}", f"col={found.location.column}"]
        text = readable(found.message) + (f"\n{readable(found.hint)}" if found.hint else "")
        lines.append(f"::{command} {','.join(properties)}::{_escape_data(text)}")
    return "".join(f"{line}\n" for line in lines)


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(diagnostics: Iterable[Diagnostic], *, version: str, root: str = "") -> str:
    """A SARIF 2.1.0 log with one run."""
    found = list(diagnostics)
    rules = sorted({d.rule for d in found})
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "treaty", "version": version, "rules": [{"id": rule} for rule in rules]}},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(d, root) for d in found],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _sarif_result(found: Diagnostic, root: str) -> dict[str, object]:
    level = "error" if found.severity is Severity.ERROR else "warning"
    text = readable(found.message) + (f" Hint: {readable(found.hint)}" if found.hint else "")
    result: dict[str, object] = {"ruleId": found.rule, "level": level, "message": {"text": text}}
    if found.location.path:
        result["locations"] = [_sarif_location(found.location, root)]
    if found.related:
        result["relatedLocations"] = [_sarif_location(related, root) for related in found.related]
    return result


def _uri(path: str) -> str:
    """A URI reference to `path`: percent-encoded; `file:` for an absolute one (SARIF 2.1.0, section 3.4.3)."""
    from urllib.parse import quote

    encoded = quote(path.encode(errors="surrogateescape"), safe="/")
    return f"file://{encoded}" if path.startswith("/") else encoded


def _sarif_location(location: Location, root: str) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(root + location.path)}}
    if location.line:
        physical["region"] = {"startLine": location.line, "startColumn": max(location.column, 1)}
    return {"physicalLocation": physical}
