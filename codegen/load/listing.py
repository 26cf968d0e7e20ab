"""Which files of a folder may be contracts. Imports nothing heavy: an unchanged run needs it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

SUFFIXES = (".proto", ".yaml", ".yml", ".json")


def contract_files(root: Path) -> tuple[str, ...]:
    """Paths, relative to `root` and sorted, of the files that may be contracts. Hidden ones are passed over.

    Raises OSError when the folder cannot be listed.
    """
    found: list[str] = []

    def fail(problem: OSError) -> None:
        raise problem

    for folder, folders, files in os.walk(root, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        base = Path(folder).relative_to(root)
        found += [(base / name).as_posix() for name in files if name.endswith(SUFFIXES) and not name.startswith(".")]
    return tuple(sorted(found))


def not_below(folder: Path, paths: Iterable[str], root: Path) -> tuple[str, ...]:
    """The paths, relative to `root`, that are not in `folder`: the output may be among the contracts."""
    if not folder.is_relative_to(root):
        return tuple(paths)
    inside = f"{folder.relative_to(root).as_posix()}/"
    return tuple(path for path in paths if not path.startswith(inside))
