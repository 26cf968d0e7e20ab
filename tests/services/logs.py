"""Everything that any logger writes, at the lowest level; but not the vendor's own, which runs in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

VENDOR = "uvicorn"


class _Written(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] == VENDOR:
            return
        self.texts.append(f"{record.name} {self.format(record)} {record.args!r}")


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """The texts of all records with their arguments and tracebacks."""
    written = _Written()
    before: dict[logging.Logger, Any] = {}
    for logger in (logging.root, *logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            before[logger] = (logger.level, logger.disabled, logger.propagate)
            logger.setLevel(logging.DEBUG)
            logger.disabled, logger.propagate = False, True
    logging.root.addHandler(written)
    try:
        yield written.texts
    finally:
        logging.root.removeHandler(written)
        for logger, (level, disabled, propagate) in before.items():
            logger.setLevel(level)
            logger.disabled, logger.propagate = disabled, propagate
