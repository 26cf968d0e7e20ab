"""ZPL II, the language of Zebra label printers."""

from __future__ import annotations

from harness.gateways.labels.text import plain

_DOTS = 2.03
"""For each hundredth of an inch."""


class Page:
    """A canvas that becomes a label; the printer draws the barcode itself."""

    def __init__(self, number: str) -> None:
        self._number = number
        self._fields: list[str] = []
        self._has_bars = False

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """A filled rectangle; the first one that is higher than wide stands for the barcode."""
        place = f"^FO{round(x * _DOTS)},{round(y * _DOTS)}"
        if height <= width:
            self._fields.append(f"{place}^GB{round(width * _DOTS)},{round(height * _DOTS)},{round(height * _DOTS)}^FS")
        elif not self._has_bars:
            self._has_bars = True
            self._fields.append(f"{place}^BY3^BCN,{round(height * _DOTS)},N,N,N,A^FD{_safe(self._number)}^FS")

    def text(self, x: int, y: int, size: int, text: str) -> None:
        """A line of text whose characters are `size` high."""
        dots = round(size * _DOTS)
        place = f"^FO{round(x * _DOTS)},{round(y * _DOTS)}"
        self._fields.append(f"{place}^A0N,{dots},{round(dots * 0.75)}^FD{_safe(text)}^FS")

    def document(self) -> bytes:
        """One label."""
        return ("^XA\n^CI28\n^PW812\n^LL1218\n" + "\n".join(self._fields) + "\n^XZ\n").encode("ascii")


def _safe(text: str) -> str:
    """Without the two characters that begin commands."""
    return plain(text).replace("^", " ").replace("~", " ")
