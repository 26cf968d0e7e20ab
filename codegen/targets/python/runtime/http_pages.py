"""Pages of a list operation as one async iterator."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from .errors import ProtocolError
from .http_client import HttpResult

Page = TypeVar("Page")
Item = TypeVar("Item")
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[^\s;=,]+(?:\s*=\s*(?:"[^"]*"|[^\s;,"]*))?)*)')


async def by_token(
    fetch: Callable[..., Awaitable[Page]],
    argument: str,
    token: Callable[[Page], str | None],
    items: Callable[[Page], Sequence[Item] | None],
    start: str | None = None,
) -> AsyncIterator[Item]:
    """Pages that name the next one by a token or cursor; an empty one ends the list. A repeated token is an error."""
    given = start
    seen = {start}
    while True:
        page = await fetch(**{argument: given})
        for item in items(page) or ():
            yield item
        following = token(page)
        if not following:
            return
        if following in seen:
            raise ProtocolError(f"the server gave the page token {following!r} twice")
        seen.add(following)
        given = following


async def by_offset(
    fetch: Callable[..., Awaitable[Page]],
    argument: str,
    items: Callable[[Page], Sequence[Item] | None],
    start: int | None = None,
) -> AsyncIterator[Item]:
    """Pages by the number of items before them, until an empty one."""
    offset = start or 0
    while True:
        found = items(await fetch(**{argument: offset})) or ()
        for item in found:
            yield item
        if not found:
            return
        offset += len(found)


async def by_number(
    fetch: Callable[..., Awaitable[Page]],
    argument: str,
    items: Callable[[Page], Sequence[Item] | None],
    start: int | None = None,
) -> AsyncIterator[Item]:
    """Numbered pages, from 1 unless `start` says otherwise, until an empty one."""
    number = 1 if start is None else start
    while True:
        found = items(await fetch(**{argument: number})) or ()
        for item in found:
            yield item
        if not found:
            return
        number += 1


async def by_link(
    first: Callable[[], Awaitable[HttpResult[Page]]],
    follow: Callable[[str, str], Awaitable[HttpResult[Page]]],
    items: Callable[[Page], Sequence[Item] | None],
) -> AsyncIterator[Item]:
    """Pages that name the next one in a `Link` header with `rel=next` (RFC 8288). A circle is an error."""
    result = await first()
    seen = {result.url}
    while True:
        for item in items(result.value) or ():
            yield item
        following = next_link(result.headers.get("link", ""))
        if following is None:
            return
        result = await follow(following, result.url)
        if result.url in seen:
            raise ProtocolError("the links of the pages lead in a circle")
        seen.add(result.url)


def next_link(header: str) -> str | None:
    """The target of the first link with the relation `next`."""
    for target, parameters in _LINK.findall(header):
        relation: Any = re.search(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', parameters, re.IGNORECASE)
        if relation and "next" in (relation.group(1) or relation.group(2) or "").lower().split():
            return str(target)
    return None
