"""Handling several messages in one task as if each had a task of its own."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


@types.coroutine
def in_new_context(work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Await `work` in an empty context: it sees no context variable of others, and others none of its.

    A task per message does the same for ten times the price.
    """
    run = Context().run
    send, throw = work.send, work.throw
    try:
        waiting = run(send, None)
        while True:
            try:
                answer = yield waiting
            except BaseException as error:  # noqa: BLE001 whatever the task is told, cancellation included, is passed on
                waiting = run(throw, error)
            else:
                waiting = run(send, answer)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        work.close()
