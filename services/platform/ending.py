"""Ending tasks for sure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

LOG = logging.getLogger(__name__)


async def end(tasks: Iterable[asyncio.Task[Any]], *, within: float = 5.0) -> None:
    """Cancel tasks and return when they have ended, at the latest after `within` seconds.

    They are told again and again: redis-py 8.1 loses a cancellation that arrives while it takes a connection.
    """
    left = {task for task in tasks if not task.done()}
    until = asyncio.get_running_loop().time() + within
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)
        if left and asyncio.get_running_loop().time() > until:
            LOG.error("tasks do not end: %s", ", ".join(sorted(task.get_name() for task in left)))
            return
