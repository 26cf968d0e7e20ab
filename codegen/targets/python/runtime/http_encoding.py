"""Response bodies as they were before compression (RFC 9110 section 8.4), read a little at a time.

A small body can unfold to thousands of times its size, so that no more than
one piece of it is ever held before the caller has counted it.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import httpx

from .errors import ProtocolError

ACCEPTED = "gzip, deflate"
"""What clients ask for in Accept-Encoding."""
_KNOWN = ("gzip", "x-gzip", "deflate")
_PIECE = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_BARE = -zlib.MAX_WBITS


async def decoded(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in pieces. `ProtocolError` for an encoding that was not asked for, and for a damaged body."""
    encodings = [name.strip().lower() for name in response.headers.get("content-encoding", "").split(",")]
    encodings = [name for name in encodings if name not in ("", "identity")]
    if response.is_stream_consumed:
        yield response.content
    elif not encodings:
        async for chunk in response.aiter_raw():
            yield chunk
    elif len(encodings) > 1 or encodings[0] not in _KNOWN:
        raise ProtocolError(f"the response is encoded as {', '.join(encodings)!r}, which was not asked for")
    else:
        try:
            async for piece in _unfolded(response.aiter_raw()):
                yield piece
        except zlib.error as problem:
            raise ProtocolError(f"the response cannot be decompressed: {problem}") from problem


async def _unfolded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    engine = None
    async for chunk in chunks:
        if engine is None and chunk:
            engine = zlib.decompressobj(_format(chunk[0]))
        rest = chunk
        while engine is not None and not engine.eof:
            piece = engine.decompress(rest, _PIECE)
            rest = engine.unconsumed_tail
            if piece:
                yield piece
            if len(piece) < _PIECE:
                break
    if engine is not None and not engine.eof:
        raise ProtocolError("the compressed response ended early")


def _format(first: int) -> int:
    """By the first byte: some servers send `deflate` without the zlib header."""
    gzip_magic, deflate_method = 0x1F, 8
    return _GZIP_OR_ZLIB if first == gzip_magic or first & 0x0F == deflate_method else _BARE


async def read_whole(response: httpx.Response, limit: int, *, cut: bool = False) -> bytes:
    """The whole body: `ProtocolError` when it has more than `limit` bytes, unless it may be `cut` there."""
    length = response.headers.get("content-length", "")
    if length.isdigit() and "content-encoding" not in response.headers:
        if int(length) <= limit or response.request.method == "HEAD":
            return await response.aread()
        if not cut:
            raise ProtocolError(f"the response has {int(length):,} bytes, more than {limit:,}")
    content = bytearray()
    async for piece in decoded(response):
        content += piece
        if len(content) > limit and cut:
            return bytes(content[:limit])
        if len(content) > limit:
            raise ProtocolError(f"the response has more than {limit:,} bytes")
    return bytes(content)
