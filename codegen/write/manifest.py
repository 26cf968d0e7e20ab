"""MANIFEST.json: which files this tool wrote, from which contracts, with their digests.

It is committed beside the generated code. Sorted, without times and without
paths of the machine: the same contracts give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAME = "MANIFEST.json"
FORMAT = 1


class ManifestError(Exception):
    """The file is no manifest of this format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is emitted together. `inputs` are contract paths; `outputs` is path -> SHA-256, below the output folder."""

    inputs: tuple[str, ...]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`contracts` is path -> SHA-256 of every contract file that was read; `units` is in order of their names."""

    toolkit: str = ""
    """Version of this tool that wrote the files."""
    contracts: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)

    @property
    def outputs(self) -> dict[str, str]:
        """Every file that was written, with its digest."""
        return {path: digest for unit in self.units.values() for path, digest in unit.outputs.items()}


EMPTY = Manifest()


def digest(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def render(manifest: Manifest) -> str:
    """The text of MANIFEST.json."""
    document = {
        "about": "Written by treaty. Commit it with the generated files; do not edit either.",
        "format": FORMAT,
        "toolkit": manifest.toolkit,
        "contracts": dict(sorted(manifest.contracts.items())),
        "units": {
            name: {"inputs": sorted(unit.inputs), "outputs": dict(sorted(unit.outputs.items()))}
            for name, unit in sorted(manifest.units.items())
        },
    }
    return json.dumps(document, indent=1) + "\n"


def parse(content: bytes) -> Manifest:
    """The inverse of `render`; raises `ManifestError`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise ManifestError(f"not JSON: {problem}") from problem
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ManifestError(f"not a manifest of format {FORMAT}")
    units = document.get("units")
    if not isinstance(units, dict):
        raise ManifestError("`units` is missing")
    return Manifest(
        toolkit=str(document.get("toolkit", "")),
        contracts=_texts(document.get("contracts"), "contracts"),
        units={name: _unit(name, unit) for name, unit in units.items()},
    )


def _unit(name: str, unit: Any) -> Unit:
    if not isinstance(unit, dict) or not isinstance(unit.get("inputs"), list):
        raise ManifestError(f"the unit `{name}` has no inputs")
    inputs = tuple(str(path) for path in unit["inputs"])
    return Unit(inputs=inputs, outputs=_texts(unit.get("outputs"), f"outputs of `{name}`"))


def _texts(value: Any, what: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ManifestError(f"`{what}` must be an object of texts")
    return value
