"""A typeface of 5 by 7 dots for `bitmap`; lower case is shown as upper case."""

from __future__ import annotations

from collections.abc import Mapping

COLUMNS, ROWS = 5, 7
_ROWS_OF = {
    " ": "0000000", "!": "4444404", '"': "AA00000", "#": "AAVAVAA", "$": "4FKE5U4", "%": "OP248J3", "&": "CIK8LID",
    "'": "4480000", "(": "2488842", ")": "8422248", "*": "04LEL40", "+": "044V440", ",": "0000448", "-": "000V000",
    ".": "00000CC", "/": "01248G0", "0": "EHJLPHE", "1": "4C4444E", "2": "EH1248V", "3": "V2421HE", "4": "26AIV22",
    "5": "VGU11HE", "6": "68GUHHE", "7": "V124888", "8": "EHHEHHE", "9": "EHHF12C", ":": "0CC0CC0", ";": "0CC0448",
    "<": "248G842", "=": "00V0V00", ">": "8421248", "?": "EH12404", "@": "EHLNGGE", "A": "EHHVHHH", "B": "UHHUHHU",
    "C": "EHGGGHE", "D": "UHHHHHU", "E": "VGGUGGV", "F": "VGGUGGG", "G": "EHGNHHF", "H": "HHHVHHH", "I": "E44444E",
    "J": "72222IC", "K": "HIKOKIH", "L": "GGGGGGV", "M": "HRLLHHH", "N": "HPLJHHH", "O": "EHHHHHE", "P": "UHHUGGG",
    "Q": "EHHHLID", "R": "UHHUKIH", "S": "FGGE11U", "T": "V444444", "U": "HHHHHHE", "V": "HHHHHA4", "W": "HHHLLRH",
    "X": "HHA4AHH", "Y": "HHA4444", "Z": "V1248GV", "[": "E88888E", "\\": "0G84210", "]": "E22222E", "^": "4AH0000",
    "_": "000000V",
}  # fmt: skip
"""One base-32 digit for each row of dots, the leftmost dot being the highest bit."""

GLYPHS: Mapping[str, tuple[bytes, ...]] = {
    letter: tuple(bytes(int(row, 32) >> bit & 1 for bit in range(COLUMNS - 1, -1, -1)) for row in rows)
    for letter, rows in _ROWS_OF.items()
}
"""Rows of dots, 1 for black."""


def glyph(letter: str) -> tuple[bytes, ...]:
    """The rows of a letter; those of a question mark for what the typeface lacks."""
    return GLYPHS.get(letter.upper(), GLYPHS["?"])
