"""A case is a folder: `contracts/`, the output that was read and agreed to (`expected/`), and `use.py`, which runs it.

The copied runtime is left out of `expected`. `make golden` writes `expected`
again; read the difference before you commit it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.diagnostics import as_text
from tests.generating import generated

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/contracts"))
WRITE = os.environ.get("TREATY_GOLDEN") == "write"
RUN_SECONDS = 60


def listing(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): without_runtime(path.read_text(encoding="utf-8"))
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "runtime" not in path.parts and "__pycache__" not in path.parts}


def without_runtime(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("golden.runtime."))


@pytest.mark.parametrize("case", CASES)
def test_a_case_gives_the_agreed_output_and_the_output_works(case: str, tmp_path: Path) -> None:
    folder = HERE / case
    contracts = {path.relative_to(folder / "contracts").as_posix(): path.read_text(encoding="utf-8")
                 for path in sorted((folder / "contracts").rglob("*")) if path.is_file()}
    source, diagnostics = generated(tmp_path, contracts, package="golden")
    assert not diagnostics.errors, as_text(diagnostics)
    found = {**listing(source), "diagnostics.txt": as_text(diagnostics.ordered())}
    found = {path: without_runtime(content) for path, content in found.items()}
    expected = folder / "expected"
    if WRITE:
        shutil.rmtree(expected, ignore_errors=True)
        for path, content in found.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(content, encoding="utf-8")
    assert found == listing(expected), "if the change is meant: make golden, and read the diff"
    done = subprocess.run([sys.executable, "-W", "error", str(folder / "use.py")], capture_output=True, text=True,
                          check=False, timeout=RUN_SECONDS, env={**os.environ, "PYTHONPATH": str(source)})
    assert done.returncode == 0, done.stderr
