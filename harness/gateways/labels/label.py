"""What is on a label, and its layout on a sheet of 4 by 6 inches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.gateways.labels import gif, pdf, png, zpl
from harness.gateways.labels.bitmap import Bitmap
from harness.gateways.labels.code128 import modules
from harness.gateways.labels.text import fitted

WIDTH, HEIGHT = 400, 600
"""Of the sheet, in hundredths of an inch."""
_MARGIN = 16
_BAR_HEIGHT = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The label of one package. Addresses are lines of text."""

    carrier: str
    service: str
    tracking_number: str
    ship_from: Sequence[str]
    ship_to: Sequence[str]
    reference: str = ""
    weight: str = ""
    piece: int = 1
    pieces: int = 1


class Canvas(Protocol):
    """What a layout draws on; the origin is the upper left corner, lengths are hundredths of an inch."""

    def text(self, x: int, y: int, size: int, text: str) -> None:
        """A line of text whose characters are `size` high and three quarters of that apart."""

    def box(self, x: int, y: int, width: int, height: int) -> None:
        """A filled rectangle."""


def draw(label: Label, canvas: Canvas) -> None:
    """Put a label on a canvas."""
    inner = WIDTH - 2 * _MARGIN

    def line(y: int, size: int, text: str) -> int:
        canvas.text(_MARGIN, y, size, fitted(text, inner * 4 // (3 * size)))
        return y + size + 4

    def rule(y: int) -> int:
        canvas.box(_MARGIN, y, inner, 2)
        return y + 10

    y = line(_MARGIN, 28, label.carrier)
    y = line(y, 8, f"PIECE {label.piece} OF {label.pieces}   WEIGHT {label.weight}   TEST LABEL - DO NOT SHIP")
    y = rule(y + 4)
    y = line(y, 8, "FROM:")
    for text in label.ship_from[:6]:
        y = line(y, 8, text)
    y = rule(y + 4)
    y = line(y, 12, "SHIP TO:")
    for text in label.ship_to[:7]:
        y = line(y, 12, text)
    y = rule(y + 4)
    y = line(y, 20, label.service)
    y = line(y, 12, f"TRACKING #: {label.tracking_number}")
    _bars(label.tracking_number, canvas, y + 8)
    y = rule(y + _BAR_HEIGHT + 24)
    if label.reference:
        line(y, 8, f"REF: {label.reference}")


def _bars(number: str, canvas: Canvas, y: int) -> None:
    """Code 128, two hundredths of an inch for each module when the number is short enough."""
    widths = modules(number)
    unit = 2 if 2 * sum(widths) <= WIDTH - 2 * _MARGIN else 1
    x = (WIDTH - unit * sum(widths)) // 2
    for position, width in enumerate(widths):
        if position % 2 == 0:
            canvas.box(x, y, unit * width, _BAR_HEIGHT)
        x += unit * width


def as_pdf(label: Label) -> bytes:
    """One page."""
    page = pdf.Page(WIDTH, HEIGHT)
    draw(label, page)
    return pdf.document([page], title=f"{label.carrier} {label.tracking_number}")


def as_png(label: Label, *, sideways: bool = False) -> bytes:
    """Black and white, 200 pixels an inch; `sideways`: turned left by a right angle."""
    return png.encode(_bitmap(label, sideways=sideways))


def as_gif(label: Label, *, sideways: bool = False) -> bytes:
    """Black and white, 200 pixels an inch; `sideways`: turned left by a right angle."""
    return gif.encode(_bitmap(label, sideways=sideways))


def as_zpl(label: Label) -> bytes:
    """For a Zebra printer with 203 dots an inch."""
    page = zpl.Page(label.tracking_number)
    draw(label, page)
    return page.document()


def _bitmap(label: Label, *, sideways: bool) -> Bitmap:
    drawn = Bitmap(WIDTH, HEIGHT)
    draw(label, drawn)
    return drawn.turned_left() if sideways else drawn
