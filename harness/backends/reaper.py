"""Removes containers of runs that have ended, with their volumes; instead of Ryuk, which is an image to be pulled.

Run as a script, `reaper.py RUN`: removes those of the run; a container may still be on its way when its run is killed,
so it looks until there were none for a moment. Needs the Docker SDK only.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

RUN = "treaty.run"
"""Label: the run's folder, which is there as long as the run is."""
MACHINE = "treaty.machine"
"""Label: where that folder is."""
LOOKS = 3
LOOK_INTERVAL = 0.5


def machine() -> str:
    """This machine, or container, as long as it is up."""
    with contextlib.suppress(OSError):
        return f"{platform.node()}/{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()}"
    return platform.node()


def labels(run: Path) -> dict[str, str]:
    """Of a run's containers."""
    return {RUN: str(run), MACHINE: machine()}


def remove(client: Any, run: str) -> int:
    """The containers of a run; how many there were."""
    found = client.containers.list(all=True, filters={"label": [f"{RUN}={run}", f"{MACHINE}={machine()}"]})
    for container in found:
        with contextlib.suppress(Exception):  # removed by somebody else, or being removed
            container.remove(force=True, v=True)
    return len(found)


def sweep(client: Any) -> None:
    """Containers of runs of this machine whose folders are gone."""
    for container in client.containers.list(all=True, filters={"label": f"{MACHINE}={machine()}"}):
        if not Path(container.labels.get(RUN, "/")).exists():
            with contextlib.suppress(Exception):  # as above
                container.remove(force=True, v=True)


def main(run: str) -> None:
    """Until there were none for a moment."""
    import docker

    client = docker.from_env(environment=dict(os.environ))
    looks = 0
    while looks < LOOKS:
        looks = 0 if remove(client, run) else looks + 1
        time.sleep(LOOK_INTERVAL)


if __name__ == "__main__":
    main(sys.argv[1])
