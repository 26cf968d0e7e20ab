"""Findings that the project knows of and has not mended yet: each with the reason, in `known.toml`.

They are shown with every run, and one that no longer occurs fails the run: the file must not outlive what it excuses.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("known.toml")


class KnownError(ValueError):
    """The file of known findings cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`match` is a regular expression for the one line that tells of a finding. `always`: it must occur in each run."""

    match: str
    reason: str
    always: bool = True


@dataclass(slots=True)
class Sorted:
    """Findings by whether they are known; `stale` are entries that had to occur and did not."""

    new: list[str] = field(default_factory=list)
    known: list[tuple[str, str]] = field(default_factory=list)
    """(finding, reason)."""
    stale: list[Known] = field(default_factory=list)


def read(path: Path = FILE) -> tuple[Known, ...]:
    """All entries. `KnownError` when one has no reason, or is none."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("known", [])
        entries = tuple(Known(**each) for each in found)
        for each in entries:
            re.compile(each.match)
    except (tomllib.TOMLDecodeError, TypeError, re.error) as problem:
        raise KnownError(f"{path.name}: {problem}") from None
    for each in entries:
        if not each.reason.strip() or not each.match.strip():
            raise KnownError(f"{path.name}: an entry without a reason or without a match")
    return entries


def sort(findings: Iterable[str], known: Sequence[Known]) -> Sorted:
    """Which findings are new, which are known, and which entries are stale."""
    result = Sorted()
    met: set[Known] = set()
    for finding in findings:
        entry = next((each for each in known if re.search(each.match, finding)), None)
        if entry is None:
            result.new.append(finding)
        else:
            met.add(entry)
            result.known.append((finding, entry.reason))
    result.stale = [each for each in known if each.always and each not in met]
    return result
