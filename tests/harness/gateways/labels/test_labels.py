"""Labels are files that others can read."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace

import pypdf
import pytest
from PIL import Image
from PyPDF2 import PdfReader

from harness.gateways.labels.bitmap import Bitmap
from harness.gateways.labels.code128 import modules, values
from harness.gateways.labels.gif import encode as gif
from harness.gateways.labels.label import Label, as_gif, as_pdf, as_png, as_zpl
from harness.gateways.labels.png import encode as png

LABEL = Label(
    carrier="FedEx",
    service="FEDEX GROUND",
    tracking_number="794612345679",
    ship_from=["Shop", "1 Main St", "Memphis TN 38116", "US"],
    ship_to=["Jürgen Groß (c/o) \\ Müller", "Hauptstraße 5", "10115 Berlin", "DE"],
    reference="order-1",
    weight="5.0 LB",
    piece=1,
    pieces=2,
)


def image(data: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(data))
    found.load()
    return found


@pytest.mark.parametrize("reader", [pypdf.PdfReader, PdfReader])
def test_a_pdf_opens_and_shows_where_it_goes(reader: type[pypdf.PdfReader]) -> None:
    pages = reader(io.BytesIO(as_pdf(LABEL))).pages
    text = pages[0].extract_text()
    assert len(pages) == 1
    assert (float(pages[0].mediabox.width), float(pages[0].mediabox.height)) == (288, 432)
    for shown in ("Jurgen Gross (c/o) \\ Muller", "10115 Berlin", "794612345679", "FEDEX GROUND", "order-1", "1 OF 2"):
        assert shown in text


def test_the_same_label_is_the_same_file() -> None:
    for write in (as_pdf, as_png, as_gif, as_zpl):
        assert write(LABEL) == write(replace(LABEL))
        assert write(LABEL) != write(replace(LABEL, tracking_number="794612345680"))


def test_gif_and_png_show_the_same_picture() -> None:
    in_png, in_gif = image(as_png(LABEL)), image(as_gif(LABEL))
    assert (in_png.format, in_gif.format, in_png.size) == ("PNG", "GIF", (800, 1200))
    assert in_png.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    assert in_png.convert("1").tobytes() == in_gif.convert("1").tobytes()


def test_a_label_that_lies_on_its_side_stands_up_when_turned_right() -> None:
    lying = image(as_gif(LABEL, sideways=True)).convert("1")
    assert lying.size == (1200, 800)
    assert lying.rotate(-90, expand=True).tobytes() == image(as_png(LABEL)).convert("1").tobytes()


@pytest.mark.parametrize("pattern", [b"\0", b"\1", b"\0\1", b"\0\0\1", b"\1" * 5000 + b"\0", b"\0" * 4999 + b"\1\1"])
def test_a_picture_of_any_pattern_survives_both_formats(pattern: bytes) -> None:
    picture = Bitmap(73, 101)
    picture.pixels[:] = (pattern * len(picture.pixels))[: len(picture.pixels)]
    expected = bytes(0 if pixel else 255 for pixel in picture.pixels)
    assert image(gif(picture)).convert("L").tobytes() == expected
    assert image(png(picture)).convert("L").tobytes() == expected


@pytest.mark.parametrize("number", ["794612345679", "1ZA1B2C30343679942", "12345"])
def test_the_bars_say_the_tracking_number(number: str) -> None:
    picture = image(as_png(replace(LABEL, tracking_number=number))).convert("L")
    rows = [picture.crop((0, y, picture.width, y + 1)).tobytes() for y in range(picture.height)]
    groups = [(row, len(list(same))) for row, same in itertools.groupby(rows)]
    bars = max((group for group in groups if len(runs(group[0])) > 20), key=lambda group: group[1])[0]
    widths = runs(bars.strip(b"\xff"))
    unit = min(widths)
    assert [width // unit for width in widths] == list(modules(number))


def runs(pixels: bytes) -> list[int]:
    found, before = [], -1
    for pixel in pixels:
        if pixel != before:
            found.append(0)
        found[-1] += 1
        before = pixel
    return found


def test_code_128_has_a_check_value() -> None:
    assert values("Wikipedia") == [104, 55, 73, 75, 73, 80, 69, 68, 73, 65, 88]
    assert values("0102") == [105, 1, 2, (105 + 1 + 4) % 103]
    with pytest.raises(ValueError, match="ASCII"):
        values("ä")


def test_zpl_cannot_be_broken_by_an_address() -> None:
    text = as_zpl(replace(LABEL, ship_to=["^XZ~DG evil"])).decode()
    assert (text.count("^XA"), text.count("^XZ"), text.count("~")) == (1, 1, 0)
    assert "^FD794612345679^FS" in text


def test_lines_that_are_too_long_stay_on_the_label() -> None:
    long = replace(LABEL, ship_to=["q" * 500] * 20, reference="y" * 500, service="z" * 200)
    assert image(as_png(long)).size == (800, 1200)
    assert pypdf.PdfReader(io.BytesIO(as_pdf(long))).pages[0].extract_text().count("q") == 7 * 40
