"""The formatting of generated Python, by one run of `ruff format` over all files of a run."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from codegen.targets.files import GeneratedFile

LINE_LENGTH = 100
TIMEOUT_SECONDS = 120.0


class StyleError(Exception):
    """The formatter refused a generated file: a fault of the generator. Shows the file and the place."""


def styled(files: Sequence[GeneratedFile]) -> tuple[GeneratedFile, ...]:
    """The files with their Python sources formatted. Raises `StyleError` when one is no Python."""
    chosen = {i: file for i, file in enumerate(files) if _is_source(file)}
    if not chosen:
        return tuple(files)
    with tempfile.TemporaryDirectory(prefix="treaty-style-") as folder:
        for i, file in chosen.items():
            name = Path(folder, f"{i}{Path(file.path).suffix}")
            name.write_text(str(file.content), encoding="utf-8")
        _format(folder, files)
        texts = {
            i: Path(folder, f"{i}{Path(file.path).suffix}").read_text(encoding="utf-8") for i, file in chosen.items()
        }
    return tuple(replace(file, content=texts[i]) if i in texts else file for i, file in enumerate(files))


def _is_source(file: GeneratedFile) -> bool:
    return file.path.endswith((".py", ".pyi")) and "_pb2" not in file.path and isinstance(file.content, str)


def _format(folder: str, files: Sequence[GeneratedFile]) -> None:
    from ruff import find_ruff_bin

    done = subprocess.run(  # noqa: S603 the command is our own dependency
        [
            find_ruff_bin(),
            "format",
            "--isolated",
            "--no-cache",
            "--quiet",
            "--target-version",
            "py311",
            "--line-length",
            str(LINE_LENGTH),
            folder,
        ],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        message = done.stderr.strip().split("\n")[0]
        for i, file in enumerate(files):
            message = message.replace(f"{folder}/{i}{Path(file.path).suffix}", file.path)
        raise StyleError(message)
