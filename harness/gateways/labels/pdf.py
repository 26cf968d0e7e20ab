"""PDF 1.4 (ISO 32000) of pages with text and filled rectangles."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from harness.gateways.labels.text import plain

_POINTS = 0.72
"""For each hundredth of an inch."""
_EM = 0.9
"""Points of type for each unit of a character's height: Courier then advances by three quarters of the height."""
_ASCENT = 0.8


class Page:
    """A canvas that becomes a page."""

    def __init__(self, width: int, height: int) -> None:
        """`width` and `height` in hundredths of an inch."""
        self.width, self.height = width * _POINTS, height * _POINTS
        self._drawn: list[str] = []

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """A filled rectangle."""
        bottom = self.height - (y + height) * _POINTS
        self._drawn.append(f"{x * _POINTS:.2f} {bottom:.2f} {width * _POINTS:.2f} {height * _POINTS:.2f} re f")

    def text(self, x: int, y: int, size: int, text: str) -> None:
        """A line of text whose characters are `size` high."""
        base = self.height - (y + size * _ASCENT) * _POINTS
        self._drawn.append(f"BT /F1 {size * _EM:.2f} Tf {x * _POINTS:.2f} {base:.2f} Td ({_escaped(text)}) Tj ET")

    def content(self) -> bytes:
        """Its content stream."""
        return "\n".join(self._drawn).encode("ascii")


def _escaped(text: str) -> str:
    return plain(text).replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def document(pages: Sequence[Page], *, title: str) -> bytes:
    """A file of pages."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        packed = zlib.compress(page.content(), 6)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.width:g} {page.height:g}] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>".encode()
        )
        head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        objects.append(head + packed + b"\nendstream")
    objects.append(f"<< /Title ({_escaped(title)}) /Producer (Treaty) >>".encode())
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    """Header, objects numbered from 1, cross-reference table and trailer; the last object is the information."""
    found = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(found))
        found += f"{number} 0 obj\n".encode() + each + b"\nendobj\n"
    start = len(found)
    found += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    found += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    found += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\n".encode()
    found += f"startxref\n{start}\n%%EOF\n".encode()
    return bytes(found)
