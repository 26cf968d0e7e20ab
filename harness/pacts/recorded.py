"""Pact files in git: one form for one content, so that recording again writes the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("recorded")


def canonical(pact: Mapping[str, Any]) -> dict[str, Any]:
    """Without the versions of the programs that wrote it; interactions by description, members by name."""
    interactions = sorted(pact["interactions"], key=lambda each: (each["type"], each["description"]))
    return {
        "consumer": {"name": pact["consumer"]["name"]},
        "provider": {"name": pact["provider"]["name"]},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": pact["metadata"]["pactSpecification"]["version"]}},
    }


def text_of(pact: Mapping[str, Any]) -> str:
    """The bytes of a pact file."""
    return json.dumps(canonical(pact), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def sha_of(pact: Mapping[str, Any]) -> str:
    """Identifies what a pact says: SHA-256 of its parties and interactions, hexadecimal."""
    found = canonical(pact)
    del found["metadata"]
    written = json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """A pact whose file says something else: `kind` is new, changed or gone; `interactions` those that differ."""

    name: str
    kind: str
    interactions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}{': ' if self.interactions else ''}{', '.join(self.interactions)}"


def differences(recorded: Mapping[str, Mapping[str, Any]], folder: Path = FOLDER) -> list[Difference]:
    """How what was recorded, by name, differs from the files."""
    found = []
    for name, pact in sorted(recorded.items()):
        path = folder / f"{name}.json"
        if not path.is_file():
            found.append(Difference(name, "new"))
        elif path.read_text(encoding="utf-8") != text_of(pact):
            found.append(Difference(name, "changed", _changed(json.loads(path.read_text(encoding="utf-8")), pact)))
    found += [Difference(path.stem, "gone") for path in sorted(folder.glob("*.json")) if path.stem not in recorded]
    return found


def write(recorded: Mapping[str, Mapping[str, Any]], folder: Path = FOLDER) -> None:
    """Make the files say what was recorded; those of pacts that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.stem not in recorded:
            path.unlink()
    for name, pact in recorded.items():
        (folder / f"{name}.json").write_text(text_of(pact), encoding="utf-8")


def read(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """All pact files by name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    old = {each["description"]: each for each in before["interactions"]}
    new = {each["description"]: each for each in canonical(after)["interactions"]}
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
