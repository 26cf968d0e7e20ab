"""Decides what to do to the output folder: manifest + generated files + state of the disk -> plan.

Pure: nothing here touches the disk. Refused are paths that leave the folder,
names that only differ in case, files this tool did not write, and files that
were edited since it did (unless forced).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location
from codegen.targets.files import GeneratedFile, Output, Policy, UnitOutput
from codegen.write.manifest import NAME, Manifest, Unit, digest

OWN_FOLDER = ".treaty_cache"
"""Folder within the output folder for what is not committed."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|\ud800-\udfff]")
MAX_NAME_BYTES = 255
MAX_PATH_CHARACTERS = 1024


class Kind(Enum):
    """What stands at a path on disk."""

    FILE = "a file"
    LINK = "a symbolic link"
    FOLDER = "a folder"
    SPECIAL = "neither a file nor a folder"
    BLOCKED = "below something that is not a folder"
    OUTSIDE = "below a link that leads out of the output folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry on disk; `digest` is SHA-256 for a file, else empty."""

    kind: Kind
    digest: str = ""


Disk = Mapping[str, Found]
"""Entries of the output folder by path; what is absent there is absent here."""


class Action(Enum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNCHANGED = "unchanged"
    KEEP = "keep"
    """Written once, now its author's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`content` is set for `CREATE` and `UPDATE`. `expected` is the digest that was on disk when this was planned."""

    action: Action
    path: str
    content: bytes = b""
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps in order, deletions last, and the manifest that is true afterwards."""

    steps: tuple[Step, ...]
    manifest: Manifest

    def count(self, *actions: Action) -> int:
        """How many steps are of these kinds."""
        return sum(step.action in actions for step in self.steps)


def paths_of_interest(previous: Manifest, output: Output) -> tuple[str, ...]:
    """The paths whose state on disk a plan depends on; unsafe ones are left out."""
    wanted = dict.fromkeys([*previous.outputs, *(file.path for unit in output.units for file in unit.files or ())])
    return tuple(path for path in wanted if not complaint(path))


def make(
    previous: Manifest,
    output: Output,
    disk: Disk,
    diagnostics: Diagnostics,
    *,
    contracts: Mapping[str, str],
    toolkit: str,
    force: bool = False,
) -> Plan | None:
    """The plan that makes the output folder hold exactly `output`; None, reported, when something is in the way.

    `contracts` (path -> digest) and `toolkit` (version) go into the manifest.
    `force` overwrites and deletes generated files that were edited.
    """
    kept = {path for unit in output.units if unit.files is None for path in previous.units[unit.name].outputs}
    files = _distinct(output, kept, diagnostics)
    planner = _Planner(previous.outputs, disk, diagnostics, force=force)
    steps = [planner.write(file) for file in files]
    steps += [Step(action=Action.UNCHANGED, path=path) for path in sorted(kept)]
    units = {unit.name: _unit(unit, previous) for unit in output.units}
    staying = kept | {file.path for file in files}
    steps += [planner.delete(path) for path in sorted(set(previous.outputs) - staying)]
    if diagnostics.errors:
        return None
    manifest = Manifest(toolkit=toolkit, contracts=dict(contracts), units=units)
    return Plan(steps=tuple(step for step in steps if step), manifest=manifest)


def _unit(unit: UnitOutput, previous: Manifest) -> Unit:
    if unit.files is None:
        return Unit(inputs=unit.inputs, outputs=previous.units[unit.name].outputs)
    written = {f.path: digest(encoded(f)) for f in unit.files if f.policy is Policy.ALWAYS}
    return Unit(inputs=unit.inputs, outputs=written)


def encoded(file: GeneratedFile) -> bytes:
    """The bytes of a generated file."""
    return file.content if isinstance(file.content, bytes) else file.content.encode()


class _Planner:
    def __init__(self, written: Mapping[str, str], disk: Disk, diagnostics: Diagnostics, *, force: bool) -> None:
        self._written = written
        self._disk = disk
        self._diagnostics = diagnostics
        self._force = force

    def write(self, file: GeneratedFile) -> Step | None:
        found = self._disk.get(file.path)
        content = encoded(file)
        if found is None:
            return Step(action=Action.CREATE, path=file.path, content=content)
        if file.policy is Policy.ONCE and found.kind in (Kind.FILE, Kind.LINK, Kind.FOLDER):
            return Step(action=Action.KEEP, path=file.path)
        if found.kind is Kind.FILE and found.digest == digest(content):
            return Step(action=Action.UNCHANGED, path=file.path)
        if self._may_touch(file.path, found):
            return Step(action=Action.UPDATE, path=file.path, content=content, expected=found.digest)
        return None

    def delete(self, path: str) -> Step | None:
        if reason := complaint(path):
            self._diagnostics.error(
                "write/outside",
                f"{NAME} lists `{path}`: {reason}",
                Location(path=NAME),
                hint="restore the manifest from version control",
            )
            return None
        found = self._disk.get(path)
        if found is None or not self._may_touch(path, found):
            return None
        return Step(action=Action.DELETE, path=path, expected=found.digest)

    def _may_touch(self, path: str, found: Found) -> bool:
        place = Location(path=path)
        if found.kind is Kind.OUTSIDE:
            self._diagnostics.error(
                "write/outside",
                f"`{path}` is {found.kind.value}",
                place,
                hint="remove the link, or name the folder it leads to as the output folder",
            )
        elif found.kind is not Kind.FILE or path not in self._written:
            what = "was not written by treaty" if found.kind is Kind.FILE else f"is {found.kind.value}"
            self._diagnostics.error(
                "write/foreign",
                f"`{path}` {what} and would be overwritten",
                place,
                hint="move it out of the way, or generate into another folder",
            )
        elif found.digest != self._written[path] and not self._force:
            self._diagnostics.error(
                "write/edited",
                f"`{path}` was edited by hand since it was generated",
                place,
                hint="move the change into the contract or into code of your own; `--force` discards it",
            )
        else:
            return True
        return False


def complaint(path: str) -> str:
    """Why a path must not be written below the output folder; empty when it may."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        return "it leaves the output folder"
    if any(part in ("", ".") for part in parts):
        return "it has an empty part"
    if _UNSAFE.search(path) or any(part != part.strip(" ") or part.endswith(".") for part in parts):
        return "it has characters that are not portable in file names"
    if len(path) > MAX_PATH_CHARACTERS:
        return f"it is longer than {MAX_PATH_CHARACTERS} characters"
    if any(len(part.encode(errors="replace")) > MAX_NAME_BYTES for part in parts):
        return f"a part of it is longer than {MAX_NAME_BYTES} bytes"
    if path.casefold() == NAME.casefold() or parts[0] == OWN_FOLDER:
        return "the name is kept for treaty itself"
    return ""


def _distinct(output: Output, kept: AbstractSet[str], diagnostics: Diagnostics) -> list[GeneratedFile]:
    """The files that are emitted, each with a safe path of its own; others are reported."""
    spelled: dict[str, str] = {}
    for path in sorted(kept):
        _claim_spelling(path, spelled, diagnostics)
    files: dict[str, GeneratedFile] = {}
    for file in (file for unit in output.units for file in unit.files or ()):
        reason = complaint(file.path)
        if reason:
            diagnostics.error(
                "write/outside",
                f"`{file.path}` cannot be written: {reason}",
                Location(path=file.path),
                hint="rename the contract or the element that the file is called after",
            )
        elif file.path in files or file.path in kept:
            diagnostics.error(
                "write/collision",
                f"`{file.path}` is generated twice",
                Location(path=file.path),
                hint="rename one of the contracts",
            )
        else:
            files[file.path] = file
            _claim_spelling(file.path, spelled, diagnostics)
    for path in files:
        folder = next((parent for parent in _parents(path) if parent in files), None)
        if folder:
            diagnostics.error(
                "write/collision",
                f"`{folder}` is both a file and the folder of `{path}`",
                Location(path=path),
                hint="rename one of the contracts or packages",
            )
    return list(files.values())


def _claim_spelling(path: str, spelled: dict[str, str], diagnostics: Diagnostics) -> None:
    for part in (*_parents(path), path):
        other = spelled.setdefault(unicodedata.normalize("NFC", part).casefold(), part)
        if other != part:
            diagnostics.error(
                "write/collision",
                f"`{part}` and `{other}` are one name where case does not count",
                Location(path=path),
                hint="rename one of the contracts or packages",
            )
            return


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))
