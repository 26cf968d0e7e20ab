"""What the previous run saw, so that a run on the same input does nothing, and says the same.

Remembered beside the output, not committed: the digests of this tool, of the
settings and of every contract file, and the complaints. Everything is compared
by content. Imports nothing heavy: this is the whole of an unchanged run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG

from codegen.diagnostics import Diagnostic, Severity
from codegen.load.listing import contract_files, not_below
from codegen.model.ids import Location
from codegen.settings import Settings
from codegen.targets.files import Output
from codegen.write import disk
from codegen.write.manifest import Manifest, digest

STATE = "state.json"
_TOOLS = ("googleapis_common_protos", "grpcio_tools", "mypy_protobuf", "protobuf", "pyyaml", "ruff")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one run depended on, and its complaints: those of loading under the unit name ""."""

    toolkit: str = ""
    settings: str = ""
    manifest: str = ""
    contracts: Mapping[str, str] = field(default_factory=dict)
    diagnostics: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)

    @property
    def all_diagnostics(self) -> tuple[Diagnostic, ...]:
        """Of loading, then of every unit."""
        return tuple(found for unit in self.diagnostics.values() for found in unit)


def toolkit_digest() -> str:
    """A digest of this tool's own files and of the versions of the tools whose output it passes on."""
    found = sha256(f"{sys.version_info[:2]}".encode())
    root = Path(__file__).parent
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            found.update(name.encode())
            found.update(Path(folder, name).read_bytes())
    for name in _tool_versions():
        found.update(name.encode())
    return found.hexdigest()


def _tool_versions() -> list[str]:
    """Names of the metadata folders of installed tools, which hold their versions."""
    found: set[str] = set()
    for folder in filter(os.path.isdir, sys.path):
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(".dist-info")]
        found.update(name for name in names if name.lower().partition("-")[0] in _TOOLS)
    return sorted(found)


def settings_digest(settings: Settings) -> str:
    """A digest of what the output depends on; where folders are is no part of it."""
    moved = replace(settings, root=Path(), contracts=Path(), out=Path(), services=Path())
    return digest(repr(moved).encode())


def contract_digests(settings: Settings, also: Iterable[str] = ()) -> dict[str, str]:
    """SHA-256 by path of all contract files and of those named `also`; unreadable and oversized ones have ""."""
    root = settings.contracts
    try:
        paths = {*contract_files(root), *also}
    except OSError:
        return {}
    inputs = sorted(not_below(settings.out, paths, root))
    found = {path: _digest_of(root / path, settings.max_file_size) for path in inputs}
    return {path: known for path, known in found.items() if known is not None}


def _digest_of(file: Path, limit: int) -> str | None:
    try:
        status = file.stat()
        if status.st_size > limit or not S_ISREG(status.st_mode):
            return ""
        return digest(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return ""


def with_inputs(contracts: Mapping[str, str], output: Output, settings: Settings) -> dict[str, str]:
    """The digests with those of files that a unit depends on and that are found by reference only."""
    read = {path for unit in output.units for path in unit.inputs}
    missing = contract_digests(settings, read) if not read <= contracts.keys() else {}
    return dict(sorted({**missing, **contracts}.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The input of this run."""

    toolkit: str
    settings: str
    contracts: Mapping[str, str]

    def unchanged(self, state: State) -> bool:
        """Whether this is the input of the run that left `state`."""
        return (self.toolkit, self.settings, self.contracts) == (state.toolkit, state.settings, state.contracts)


def fingerprint(settings: Settings, state: State) -> Fingerprint:
    """The input as it is now."""
    return Fingerprint(
        toolkit=toolkit_digest(),
        settings=settings_digest(settings),
        contracts=contract_digests(settings, state.contracts),
    )


def reusable(manifest: Manifest, manifest_bytes: bytes, state: State, now: Fingerprint, root: Path) -> Manifest | None:
    """The previous run's manifest when this run may build on it; None when everything must be emitted again.

    That is so when this tool or the settings changed, and when an output is missing or not as it was written.
    """
    same_tool = (now.toolkit, now.settings, digest(manifest_bytes)) == (state.toolkit, state.settings, state.manifest)
    return manifest if same_tool and manifest.units and _intact(manifest, root) else None


def _intact(manifest: Manifest, root: Path) -> bool:
    written = manifest.outputs
    found = disk.survey(root, written)
    return all(path in found and found[path].digest == known for path, known in written.items())


def remember(root: Path, now: Fingerprint, output: Output, loading: Iterable[Diagnostic], before: State) -> None:
    """Keep what this run saw for the next one; complaints of units that were skipped are carried over."""
    found = {"": tuple(loading)}
    for unit in output.units:
        found[unit.name] = before.diagnostics.get(unit.name, ()) if unit.files is None else unit.diagnostics
    _, manifest = disk.read_manifest(root)
    document = {
        "toolkit": now.toolkit,
        "settings": now.settings,
        "manifest": digest(manifest),
        "contracts": dict(now.contracts),
        "diagnostics": {name: [_plain(each) for each in unit] for name, unit in found.items() if unit},
    }
    disk.write_cache(root, STATE, json.dumps(document).encode())


def recall(root: Path) -> State:
    """What the previous run kept; the empty state when that cannot be had."""
    try:
        document = json.loads(disk.read_cache(root, STATE) or b"{}")
        complaints = document.get("diagnostics", {})
        return State(
            toolkit=document.get("toolkit", ""),
            settings=document.get("settings", ""),
            manifest=document.get("manifest", ""),
            contracts=document.get("contracts", {}),
            diagnostics={name: tuple(_diagnostic(each) for each in unit) for name, unit in complaints.items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return State()


def _plain(found: Diagnostic) -> dict[str, object]:
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "message": found.message,
        "hint": found.hint,
        "location": _place(found.location),
        "related": [_place(each) for each in found.related],
    }


def _place(location: Location) -> list[object]:
    return [location.path, location.line, location.column, location.pointer]


def _diagnostic(plain: dict[str, object]) -> Diagnostic:
    related = plain["related"]
    return Diagnostic(
        rule=str(plain["rule"]),
        severity=Severity(plain["severity"]),
        message=str(plain["message"]),
        hint=str(plain["hint"]),
        location=_location(plain["location"]),
        related=tuple(_location(each) for each in related) if isinstance(related, list) else (),
    )


def _location(plain: object) -> Location:
    if not isinstance(plain, list) or len(plain) != 4:
        raise ValueError("not a location")
    path, line, column, pointer = plain
    return Location(path=str(path), line=int(line), column=int(column), pointer=str(pointer))
