"""What `up` left running: a file that says who and where, for `down`, `demo` and a second `up`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE = Path(".treaty") / "up.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A running platform. `born` is when its process started, so that a reused process id is seen."""

    pid: int
    born: str
    report: str
    gateway_url: str
    redis_url: str = field(repr=False)
    services: Mapping[str, str]
    mocks: Mapping[str, str]
    engines: Mapping[str, str] = field(repr=False)


def write(up: Up, file: Path = FILE) -> None:
    """Readable by its owner only: it has the engines' URLs with their passwords."""
    file.parent.mkdir(exist_ok=True)
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(asdict(up), stream, indent=1)
    part.replace(file)


def read(file: Path = FILE) -> Up | None:
    """What runs; None when nothing does, also when the file is of a run that has ended."""
    try:
        found = Up(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if born(found.pid) == found.born else None


def born(pid: int) -> str:
    """When a process started, in clock ticks since the machine did; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # The name in parentheses may have spaces: fields are counted behind it.
    return stat.rpartition(")")[2].split()[19]
