"""A black and white picture that a layout can be drawn on."""

from __future__ import annotations

from harness.gateways.labels.glyphs import glyph

DOTS = 2
"""For each hundredth of an inch."""


class Bitmap:
    """Pixels row by row, 1 for black."""

    def __init__(self, width: int, height: int) -> None:
        """`width` and `height` in hundredths of an inch."""
        self.width, self.height = width * DOTS, height * DOTS
        self.pixels = bytearray(self.width * self.height)

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """A filled rectangle."""
        left, ink = x * DOTS, b"\1" * (width * DOTS)
        for row in range(y * DOTS, min((y + height) * DOTS, self.height)):
            self._put(left, row, ink)

    def text(self, x: int, y: int, size: int, text: str) -> None:
        """A line of text whose characters are `size` high."""
        dot = max(size * DOTS // 8, 1)
        blank = b"\0" * dot
        lines = zip(*(glyph(letter) for letter in text), strict=True)
        for number, rows in enumerate(lines):
            ink = b"".join((b"\1" if bit else b"\0") * dot for row in rows for bit in (*row, 0))
            for row in range(y * DOTS + number * dot, y * DOTS + (number + 1) * dot):
                self._put(x * DOTS, row, ink.removesuffix(blank))

    def _put(self, left: int, row: int, ink: bytes) -> None:
        if 0 <= row < self.height:
            start, room = row * self.width + left, self.width - left
            ink = ink[:room]
            self.pixels[start : start + len(ink)] = ink

    def turned_left(self) -> Bitmap:
        """The picture turned left by a right angle."""
        found = Bitmap.__new__(Bitmap)
        found.width, found.height = self.height, self.width
        found.pixels = bytearray().join(self.pixels[column :: self.width] for column in range(self.width - 1, -1, -1))
        return found
