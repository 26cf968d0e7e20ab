"""What the project has decided: `treaty.toml`, or `[tool.treaty]` in `pyproject.toml`.

The nearest folder that has one of them wins, looking from the current folder
upwards; `treaty.toml` before `pyproject.toml`. Folders in it are relative to
the file. Unknown keys and wrong types are diagnostics at their line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from codegen.diagnostics import Diagnostic, Diagnostics, Severity
from codegen.model.ids import Location

STANDALONE = "treaty.toml"
SHARED = "pyproject.toml"
TARGETS = ("python",)
DEFAULT_MAX_FILE_SIZE = 32 * 1024 * 1024
_PACKAGE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")

_Instead = TypeVar("_Instead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Complaints the project has decided to live with, and why. `path` is a glob over contract paths."""

    rule: str
    path: str = "*"
    reason: str

    def covers(self, found: Diagnostic) -> bool:
        """Whether this silences `found`. Errors are never silenced."""
        from fnmatch import fnmatchcase

        return (
            found.severity is not Severity.ERROR
            and fnmatchcase(found.rule, self.rule)
            and fnmatchcase(found.location.path, self.path)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a run depends on besides the contracts. Folders are absolute; `max_file_size` is in bytes."""

    root: Path
    """The folder of the settings file, or the current folder when there is none."""
    contracts: Path
    out: Path
    services: Path
    """Where service skeletons go."""
    package: str = "api"
    targets: tuple[str, ...] = TARGETS
    names: Mapping[str, str] = field(default_factory=dict)
    """Names that replace derived ones: `path#pointer` or a full proto name -> name."""
    allow_remote_refs: bool = False
    strict: bool = False
    """Unsupported constructs are errors."""
    ignore: tuple[Ignored, ...] = ()
    max_file_size: int = DEFAULT_MAX_FILE_SIZE


def shown(path: Path) -> str:
    """`path` as a user would write it: relative to the current folder when it lies below it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def defaults(root: Path) -> Settings:
    """The settings of a project that has none."""
    return Settings(root=root, contracts=root / "contracts", out=root / "generated", services=root / "services")


def find(start: Path) -> Path | None:
    """The settings file that applies in `start`; None when there is none up to the file system's root."""
    for folder in (start, *start.parents):
        if (folder / STANDALONE).is_file():
            return folder / STANDALONE
        shared = folder / SHARED
        if shared.is_file() and b"tool.treaty" in shared.read_bytes():
            return shared
    return None


def load(start: Path, diagnostics: Diagnostics) -> Settings | None:
    """The settings that apply in `start`; None, reported, when they are wrong."""
    try:
        file = find(start)
        if file is None:
            return defaults(start)
        source = file.read_bytes()
    except OSError as problem:
        diagnostics.error(
            "settings/unreadable",
            f"cannot read the settings: {problem.strerror}",
            Location(path=str(problem.filename)),
            hint="check the permissions of the file and of the folders above it",
        )
        return None
    return parse(source, file, diagnostics)


def parse(source: bytes, file: Path, diagnostics: Diagnostics) -> Settings | None:
    """The settings in `source`, the content of `file`; None, reported, when they are wrong."""
    try:
        text = source.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as problem:
        line = source.count(b"\n", 0, problem.start) + 1
        diagnostics.error(
            "settings/encoding",
            "not UTF-8 text",
            Location(path=shown(file), line=line, column=1),
            hint="save the file as UTF-8",
        )
        return None
    except tomllib.TOMLDecodeError as problem:
        diagnostics.error(
            "settings/syntax",
            str(problem),
            _syntax_place(shown(file), str(problem)),
            hint="the file is TOML: https://toml.io",
        )
        return None
    prefix = ("tool", "treaty") if file.name == SHARED else ()
    for part in prefix:
        document = document.get(part, {})
    reader = _Reader(shown(file), text, ".".join(prefix), diagnostics)
    return reader.settings(document, file.parent)


def _syntax_place(path: str, message: str) -> Location:
    found = re.search(r"line (\d+), column (\d+)", message)
    return Location(path=path, line=int(found[1]), column=int(found[2])) if found else Location(path=path)


def apply(settings: Settings, found: Iterable[Diagnostic]) -> tuple[tuple[Diagnostic, ...], int]:
    """What is left of the complaints under the project's decisions, and how many were ignored for a stated reason.

    Under `strict`, unsupported constructs that are not ignored become errors.
    """
    kept = []
    ignored = 0
    for diagnostic in found:
        if any(decision.covers(diagnostic) for decision in settings.ignore):
            ignored += 1
        elif settings.strict and diagnostic.severity is Severity.UNSUPPORTED:
            kept.append(replace(diagnostic, severity=Severity.ERROR))
        else:
            kept.append(diagnostic)
    return tuple(kept), ignored


class _Reader:
    """Turns one parsed table into settings; every complaint points at the line of its key."""

    def __init__(self, path: str, text: str, table: str, diagnostics: Diagnostics) -> None:
        self._path = path
        self._lines = text.split("\n")
        self._table = table
        self._diagnostics = diagnostics
        self._failed = False

    def settings(self, given: object, root: Path) -> Settings | None:
        if not isinstance(given, dict):
            self._complain("type", f"`{self._table}` must be a table", self._table.rpartition(".")[2])
            return None
        readers: dict[str, Callable[[str, Any], Any]] = {
            "contracts": lambda key, value: root / self._folder(key, value),
            "out": lambda key, value: root / self._folder(key, value),
            "services": lambda key, value: root / self._folder(key, value),
            "package": self._package,
            "targets": self._targets,
            "names": self._names,
            "allow_remote_refs": self._flag,
            "strict": self._flag,
            "ignore": self._ignore,
            "max_file_size": self._size,
        }
        read = {}
        for key, value in given.items():
            if key in readers:
                read[key] = readers[key](key, value)
            else:
                self._complain("unknown-key", f"there is no setting `{key}`", key, hint=_closest(key, readers))
        return None if self._failed else replace(defaults(root), **read)

    def _folder(self, key: str, value: object) -> str:
        text = self._text(key, value)
        if not text or "\x00" in text:
            self._complain("value", f"`{key}` must name a folder", key)
        return text.replace("\x00", "")

    def _text(self, key: str, value: object) -> str:
        return value if isinstance(value, str) else self._wrong(key, value, "a string", "")

    def _flag(self, key: str, value: object) -> bool:
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false", False)

    def _size(self, key: str, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        return self._wrong(key, value, "a number of bytes above zero", DEFAULT_MAX_FILE_SIZE)

    def _package(self, key: str, value: object) -> str:
        package = self._text(key, value)
        if package and (complaint := package_complaint(package)):
            self._complain("value", complaint, key)
        return package

    def _targets(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            return self._wrong(key, value, "a list of targets", TARGETS)
        for target in value:
            if target not in TARGETS:
                self._complain("value", f"there is no target `{target}`", key, hint=f"targets: {', '.join(TARGETS)}")
        return tuple(str(target) for target in value)

    def _names(self, key: str, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict):
            return self._wrong(key, value, "a table of names", {})
        from keyword import iskeyword

        for element, name in value.items():
            if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
                self._complain("value", f"the name for `{element}` must be an identifier, and no keyword", element)
        return dict(value)

    def _ignore(self, key: str, value: object) -> tuple[Ignored, ...]:
        if not isinstance(value, list):
            return self._wrong(key, value, 'a list of tables {rule = "...", path = "...", reason = "..."}', ())
        return tuple(decision for entry in value if (decision := self._ignored(key, entry)))

    def _ignored(self, key: str, entry: object) -> Ignored | None:
        if not isinstance(entry, dict) or not all(isinstance(text, str) for text in entry.values()):
            return self._wrong(key, entry, 'a table {rule = "...", path = "...", reason = "..."}', None)
        unknown = sorted(set(entry) - {"rule", "path", "reason"})
        if unknown:
            self._complain("unknown-key", f"`{key}` knows no `{unknown[0]}`", unknown[0], hint="rule, path, reason")
        missing = [name for name in ("rule", "reason") if not entry.get(name, "").strip()]
        if missing:
            self._complain(
                "missing",
                f"an entry of `{key}` needs a {' and a '.join(missing)}",
                key,
                hint="what is ignored for no stated reason is not ignored",
            )
        if unknown or missing:
            return None
        return Ignored(rule=entry["rule"], path=entry.get("path", "*"), reason=entry["reason"])

    def _wrong(self, key: str, value: object, wanted: str, instead: _Instead) -> _Instead:
        self._complain("type", f"`{key}` must be {wanted}, not {_shown(value)}", key)
        return instead

    def _complain(self, rule: str, message: str, key: str, *, hint: str = "") -> None:
        self._failed = True
        self._diagnostics.error(f"settings/{rule}", message, self._place(key), hint=hint)

    def _place(self, key: str) -> Location:
        """Where `key` is written: tomllib keeps no positions, so its line is searched within our table."""
        header = re.compile(rf"\s*\[+\s*{re.escape(self._table)}\b" if self._table else r"")
        start = next((i for i, line in enumerate(self._lines) if header.match(line)), 0)
        pattern = re.compile(rf"""(?:^\s*\[+[\w.\s]*|^\s*|[{{,]\s*)(["']?{re.escape(key)}["']?)\s*[=.\]]""")
        for i, line in enumerate(self._lines[start:], start):
            if found := pattern.search(line):
                return Location(path=self._path, line=i + 1, column=found.start(1) + 1)
        return Location(path=self._path, line=start + 1, column=1)


def package_complaint(package: str) -> str:
    """Why `package` cannot be the root package of generated code; empty when it can."""
    import keyword
    import sys

    if not _PACKAGE.fullmatch(package):
        return f"`{package}` is no package name: lower-case words, digits and underscores, parted by dots"
    taken = next((part for part in package.split(".") if keyword.iskeyword(part)), None)
    if taken:
        return f"`{taken}` is a Python keyword and cannot be a package"
    if package.partition(".")[0] in sys.stdlib_module_names:
        return f"`{package}` would hide a module of Python's standard library"
    return ""


def override_complaint(settings: Settings) -> str:
    """What is wrong with settings that the command line changed; empty when nothing is."""
    unknown = next((target for target in settings.targets if target not in TARGETS), None)
    if unknown is not None:
        return f"there is no target `{unknown}`; targets: {', '.join(TARGETS)}"
    return package_complaint(settings.package)


def _closest(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else f"settings: {', '.join(known)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
