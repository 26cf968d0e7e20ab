"""GIF (version 87a) of black and white pictures.

LZW codes are made for runs of one colour only: what a decoder adds to its table for a run followed by its own
colour is kept, the rest of the table is not used. That takes time in proportion to the runs, not to the pixels.
"""

from __future__ import annotations

import re
import struct

from harness.gateways.labels.bitmap import Bitmap

_CODE_SIZE = 2
_CLEAR, _END = 1 << _CODE_SIZE, (1 << _CODE_SIZE) + 1
_LAST_CODE = 4094
_RUN = re.compile(rb"\x00+|\x01+")
_PALETTE = b"\xff\xff\xff\0\0\0"


def encode(picture: Bitmap) -> bytes:
    """One frame with a palette of white and black."""
    screen = struct.pack("<HHBBB", picture.width, picture.height, 0x80, 0, 0)
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, picture.width, picture.height, 0)
    return b"".join(
        (b"GIF87a", screen, _PALETTE, frame, bytes((_CODE_SIZE,)), _blocks(_codes(picture.pixels)), b"\x3b")
    )


def _blocks(data: bytes) -> bytes:
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


class _Bits:
    """Codes of changing width, the lowest bit first."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._kept, self._count = 0, 0

    def put(self, code: int, width: int) -> None:
        self._kept |= code << self._count
        self._count += width
        while self._count >= 8:
            self.data.append(self._kept & 255)
            self._kept >>= 8
            self._count -= 8

    def finish(self) -> bytes:
        if self._count:
            self.data.append(self._kept & 255)
        return bytes(self.data)


def _codes(pixels: bytes | bytearray) -> bytes:
    bits = _Bits()
    width, following = _CODE_SIZE + 1, _END + 1
    bits.put(_CLEAR, width)
    known: tuple[list[int], list[int]] = ([0], [1])
    """By colour: the codes of runs of length 1, 2, 3, ..."""
    before, before_length = -1, 0
    for run in _RUN.finditer(pixels):
        colour, left = run[0][0], len(run[0])
        codes = known[colour]
        while left:
            length = min(left, len(codes))
            bits.put(codes[length - 1], width)
            left -= length
            if before >= 0:
                if before == colour and before_length == len(codes):
                    codes.append(following)
                following += 1
                if following == 1 << width:
                    width += 1
            before, before_length = colour, length
            if following > _LAST_CODE:
                bits.put(_CLEAR, width)
                width, following, before = _CODE_SIZE + 1, _END + 1, -1
                known[0][1:], known[1][1:] = [], []
    bits.put(_END, width)
    return bits.finish()
