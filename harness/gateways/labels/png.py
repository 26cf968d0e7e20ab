"""PNG (ISO/IEC 15948) of black and white pictures."""

from __future__ import annotations

import struct
import zlib

from harness.gateways.labels.bitmap import DOTS, Bitmap

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TO_LIGHT = bytes.maketrans(b"\0\1", b"10")
_PER_METRE = round(DOTS * 100 / 0.0254)


def encode(picture: Bitmap) -> bytes:
    """One bit for each pixel, greyscale."""
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 1, 0, 0, 0, 0)
    resolution = struct.pack(">IIB", _PER_METRE, _PER_METRE, 1)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"pHYs", resolution),
            _chunk(b"IDAT", zlib.compress(_scan_lines(picture), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _scan_lines(picture: Bitmap) -> bytes:
    """Rows of bits, each after the number of its filter (none); unused bits at the end are zero."""
    light = picture.pixels.translate(_TO_LIGHT)
    width = picture.width
    size = (width + 7) // 8
    padding = b"0" * (size * 8 - width)
    return b"".join(
        b"\0" + int(light[at : at + width] + padding, 2).to_bytes(size, "big") for at in range(0, len(light), width)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
