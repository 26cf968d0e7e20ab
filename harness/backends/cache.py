"""Where what is costly to make is kept between runs: HARNESS_CACHE, else the user's cache folder.

For root it is below /var/cache: an engine that runs as another user must reach it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

VARIABLE = "HARNESS_CACHE"


def folder() -> Path:
    """Made when it is not there."""
    named = os.environ.get(VARIABLE)
    if named:
        found = Path(named).resolve()
    elif os.geteuid() == 0:
        found = Path("/var/cache/treaty")
    else:
        found = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "treaty"
    found.mkdir(parents=True, exist_ok=True)
    return found


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` of the cache; `make` fills it, once, whoever asks at the same time."""
    found = folder() / name
    if found.is_dir():
        return found
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.is_dir():
            unfinished = folder() / f"{name}.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(found)
    return found
