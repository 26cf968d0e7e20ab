"""Logs as JSON, one object a line, with the trace as correlation id and nothing in them that must not be.

`configure` puts one handler at the root and takes away all others, so that whatever any library logs passes the
formatter: message with its arguments, `extra`, exceptions with their chains.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, TextIO

from shop.runtime.context import current_trace

from services.platform.masking import mask, mask_value

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_QUIET = ("httpx", "httpcore", "alembic.runtime.plugins")
"""They tell of every call; what they say is in spans and metrics."""


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `logger`, `message`, `service`; `trace_id`, `span_id` in a trace; `extra` by its names."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        """One line. A record whose arguments do not fit its message is told of, not lost."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        found: dict[str, Any] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(_message(record)),
            "service": self._service,
        }
        trace = current_trace()
        if trace is not None:
            found["trace_id"], found["span_id"] = trace.trace_id, trace.span_id
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in found:
                found[name] = mask_value({name: value})[name]
        if record.exc_info and record.exc_info[0] is not None:
            found["exception"] = mask(self.formatException(record.exc_info))
        elif record.exc_text:
            found["exception"] = mask(record.exc_text)
        if record.stack_info:
            found["stack"] = mask(self.formatStack(record.stack_info))
        return self._encode(found)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError) as error:
        return f"{record.msg} {record.args!r} (not formatted: {error})"


def configure(service: str, *, level: int | str = logging.INFO, stream: TextIO | None = None) -> logging.Handler:
    """Make this the only way of logs: to `stream`, standard error by default. Returns the handler."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    for logger in (root, *(each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))):
        for other in list(logger.handlers):
            logger.removeHandler(other)
        logger.propagate = True
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return handler
