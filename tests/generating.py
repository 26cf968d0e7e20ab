"""Generates a package from contracts given as text, through the real pipeline, for tests to import and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from codegen import pipeline
from codegen.diagnostics import Diagnostics
from codegen.settings import Settings, defaults


def write_contracts(folder: Path, contracts: Mapping[str, str]) -> Settings:
    """Put the contracts below `folder/contracts`; the settings to generate from them into `folder/generated`."""
    for path, content in contracts.items():
        target = folder / "contracts" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return defaults(folder)


def generated(folder: Path, contracts: Mapping[str, str], package: str = "made") -> tuple[Path, Diagnostics]:
    """Generate; the folder to put on the import path, and every complaint. Writes nothing when there are errors."""
    settings = replace(write_contracts(folder, contracts), package=package)
    diagnostics = Diagnostics()
    output = pipeline.generate(settings, diagnostics, lambda _: None, None)
    units = output.units if output else ()
    diagnostics.extend(found for unit in units for found in unit.diagnostics)
    if not diagnostics.errors:
        for unit in units:
            for file in unit.files or ():
                target = settings.out / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content if isinstance(file.content, bytes) else file.content.encode())
    return settings.out / "python", diagnostics
