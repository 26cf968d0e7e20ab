"""Which folder the imports of a proto file are relative to, for files of which nobody says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_PACKAGE = re.compile(r"(?:^|;)\s*package\s+([\w.]+)\s*;", re.MULTILINE)
_IMPORT = re.compile(r"""\bimport\s+(?:public\s+|weak\s+)?["']([^"']+)["']""")


def proto_roots(folder: Path, paths: Iterable[str]) -> Mapping[str, Path]:
    """The root of each proto file: where its imports are found; where others find it; below which its package lies."""
    texts = {path: (folder / path).read_text(encoding="utf-8", errors="replace") for path in paths}
    imported = {each for text in texts.values() for each in _IMPORT.findall(text)}
    return {
        path: folder.joinpath(*Path(path).parent.parts[: _depth(folder, path, text, imported)])
        for path, text in texts.items()
    }


def _depth(folder: Path, path: str, text: str, imported: set[str]) -> int:
    parts = Path(path).parent.parts
    depths = range(len(parts) + 1)
    for depth in depths:
        if any(folder.joinpath(*parts[:depth], each).is_file() for each in _IMPORT.findall(text)):
            return depth
    for depth in depths:
        if path.split("/", depth)[-1] in imported:
            return depth
    package = _PACKAGE.search(text)
    names = tuple(package[1].split(".")) if package else ()
    below = (depth for depth in depths[:-1] if parts[depth:] == names[: len(parts) - depth])
    return next(below, min(len(parts), 1))
