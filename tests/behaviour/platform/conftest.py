"""The platform's own package, `shop`, and the platform in memory: real servers on loopback, nothing behind them."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codegen import incremental, settings
from codegen.diagnostics import Diagnostics
from tests.generating import generated

if TYPE_CHECKING:
    from tests.behaviour.platform.services import Platform

ROOT = Path(__file__).parents[3]


def _import_path() -> Path:
    """`generated/python` when it was made by this tool from these contracts; else a package that is made now."""
    chosen = settings.load(ROOT, Diagnostics())
    assert chosen is not None
    state = incremental.recall(chosen.out)
    if (chosen.out / "python").is_dir() and incremental.fingerprint(chosen, state).unchanged(state):
        return chosen.out / "python"
    files = (path for path in sorted(chosen.contracts.rglob("*")) if path.is_file())
    contracts = {path.relative_to(chosen.contracts).as_posix(): path.read_text(encoding="utf-8") for path in files}
    folder = tempfile.mkdtemp(prefix="shop-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made, diagnostics = generated(Path(folder), contracts, chosen.package)
    assert not diagnostics.errors, [str(found) for found in diagnostics.errors]
    return made


# Before the modules with tests are imported, since they import the package.
sys.path.insert(0, str(_import_path()))


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """A gateway in front of in-memory services."""
    from tests.behaviour.platform.services import started

    async with started() as running:
        yield running
