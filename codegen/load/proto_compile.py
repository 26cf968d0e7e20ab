"""Proto sources -> one FileDescriptorSet, by protoc in this process; its complaints become diagnostics.

protoc stops at the first file that does not compile. Every complaint about it is reported, then it is left out
together with the files that import it, and the others are compiled: one bad file does not hide the rest.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location

_COMPLAINT = re.compile(r"^(?P<path>[^:\n]+\.proto):(?:(?P<line>\d+):(?P<column>\d+):)?\s*(?P<text>.*)$")
_WARNING = "warning: "
_LONG_RUNNING = "google/longrunning/operations.proto"
_LOG_LINE = re.compile(r"^(WARNING: All log messages before|[IWEF]\d{4} [\d:.]+ )")
_NO_SYNTAX = re.compile(r"No edition or syntax specified for the proto file: (?P<path>.+?\.proto)\. Please")
_FAILED_IMPORT = re.compile(r'Import "(?P<path>[^"]+)" was not found or had errors\.$')
_IMPORTER = re.compile(r'^(?P<path>[^:\n]+\.proto):\d+:\d+: Import "')
_HINTS = (
    ("was not found", "imports are relative to the contracts folder: correct the path, or add the file"),
    ("recursively imports itself", "move what both files need into a third one"),
    ("is not defined", "declare it, import the file that does, or correct its name"),
    ("seems to be defined in", "import the file that declares it"),
    ("already defined", "rename one of the two, or give one file another package"),
    ("has already been used", "give every field a number of its own"),
    ("Expected", "correct the syntax here, or at the end of the line before"),
)
_UNPARSABLE_IMPORT = re.compile(r'^Import "(?P<path>[^"]+)" was not found or had errors\.$')
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r"""\bimport\s+(?:public\s+|weak\s+|option\s+)?["'](?P<path>[^"']+)["']""")


def compile_protos(
    root: Path, paths: Sequence[str], diagnostics: Diagnostics, *, unread: Sequence[str] = ()
) -> tuple[tuple[str, ...], bytes]:
    """The paths that compiled, in the given order, and the serialised descriptor set of these and their imports."""
    if os.pathsep in str(root.resolve()):
        diagnostics.error(
            "proto/folder",
            f"the contracts folder has a `{os.pathsep}` in its path: protoc parts there",
            hint="rename the folder, or work in another one",
        )
        return (), b""
    remaining = _without(root, paths, dict.fromkeys(unread), diagnostics) if unread else list(paths)
    include = [*(f"-I{folder}" for folder in include_folders(root)), *_renamed_by_common_protos()]
    while remaining:
        descriptor_set, complaints = _run(root, include, remaining)
        complaints = complaints.replace(f"{root.resolve()}/", "")
        bad = _report(complaints, frozenset(remaining), diagnostics)
        if descriptor_set is not None:
            return tuple(remaining), descriptor_set
        if not bad:
            break
        remaining = _without(root, remaining, bad, diagnostics)
    return (), b""


def include_folders(root: Path) -> tuple[Path, ...]:
    """Where imports are looked up: the contracts, then what comes with protoc and googleapis-common-protos."""
    folders = [root.resolve(), Path(grpc_tools.__file__).parent / "_proto"]
    common = importlib.util.find_spec("google.api")
    if common is not None and common.submodule_search_locations:
        folders += [Path(location).parent.parent for location in common.submodule_search_locations]
    return tuple(folders)


def _renamed_by_common_protos() -> tuple[str, ...]:
    """The file that googleapis-common-protos has under another name than its module is registered by."""
    common = importlib.util.find_spec("google.longrunning")
    folders = (common.submodule_search_locations or ()) if common is not None else ()
    sources = [Path(folder) / "operations_proto.proto" for folder in folders]
    return tuple(f"-I{_LONG_RUNNING}={source}" for source in sources if source.is_file())


def _run(root: Path, include: Sequence[str], paths: Sequence[str]) -> tuple[bytes | None, str]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set.bin"
        log = Path(folder) / "log"
        with _standard_error_to(log):
            status = protoc.main(
                [
                    "protoc",
                    *include,
                    "--include_imports",
                    "--include_source_info",
                    f"--descriptor_set_out={target}",
                    *(str(root.resolve() / path) for path in paths),
                ]
            )
        return (target.read_bytes() if status == 0 else None), log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def _standard_error_to(log: Path) -> Iterator[None]:
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with log.open("wb") as sink:
            os.dup2(sink.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _report(complaints: str, ours: frozenset[str], diagnostics: Diagnostics) -> dict[str, None]:
    bad: dict[str, None] = {}
    lines = complaints.splitlines()
    missing = {found["path"] for line in lines if (found := _FAILED_IMPORT.search(line))}
    importers = {found["path"] for line in lines if (found := _IMPORTER.match(line))}
    for line in lines:
        if _LOG_LINE.match(line):
            _report_log(line, ours, diagnostics)
            continue
        matched = _COMPLAINT.match(line)
        if matched is None:
            if line.strip():
                diagnostics.error("proto/compile", line.strip())
            continue
        path, text = matched["path"], matched["text"]
        location = Location(path=path, line=int(matched["line"] or 0), column=int(matched["column"] or 0))
        if text.startswith(_WARNING):
            if path in ours:
                diagnostics.warning("proto/warning", text.removeprefix(_WARNING), location)
            continue
        if path in ours:
            bad[path] = None
        follows = (path in missing and text == "File not found.") or (
            path in importers and text.endswith("is not defined.")
        )
        if not follows and not _follows_from_another(text, ours, bad):
            diagnostics.error("proto/compile", text, location, hint=_hint(text))
    return bad


def _report_log(line: str, ours: frozenset[str], diagnostics: Diagnostics) -> None:
    """protoc logs rather than reports a missing `syntax`; everything else in its log is of no use to an author."""
    found = _NO_SYNTAX.search(line)
    if found and found["path"] in ours:
        diagnostics.warning(
            "proto/no-syntax",
            "no `syntax` or `edition`: read as proto2",
            Location(path=found["path"]),
            hint='begin the file with `syntax = "proto3";`',
        )


def _hint(text: str) -> str:
    return next((hint for part, hint in _HINTS if part in text), "protoc says why it does not compile")


def _follows_from_another(text: str, ours: frozenset[str], bad: Mapping[str, None]) -> bool:
    matched = _UNPARSABLE_IMPORT.match(text)
    return matched is not None and matched["path"] in ours and matched["path"] in bad


def _without(root: Path, paths: Sequence[str], bad: Mapping[str, None], diagnostics: Diagnostics) -> list[str]:
    imports = {path: _imports_of(root / path) for path in paths if path not in bad}
    out = dict(bad)
    while True:
        cause = {path: found for path in imports if path not in out for found in imports[path] if found in out}
        if not cause:
            return [path for path in paths if path not in out]
        for path, found in cause.items():
            out[path] = None
            diagnostics.warning(
                "proto/skipped",
                f"not read, because it imports {found}, which does not compile",
                Location(path=path),
                hint="mend the other file first",
            )


def _imports_of(path: Path) -> tuple[str, ...]:
    text = _COMMENT.sub(" ", path.read_text(encoding="utf-8", errors="replace"))
    return tuple(found["path"] for found in _IMPORT.finditer(text))
