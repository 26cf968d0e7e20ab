"""Code 128 (ISO/IEC 15417): code set C for an even number of digits, code set B for other text."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 "
    "113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 "
    "212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 "
    "113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 "
    "241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 "
    "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 "
    "211232 "
)
_PATTERNS = tuple(_WIDTHS.split())
"""Widths of three bars and three spaces for each value."""
_STOP = "2331112"
_START_B, _START_C = 104, 105


def values(text: str) -> list[int]:
    """Start, data and check values. ValueError for characters outside printable ASCII, or none at all."""
    if not text or any(not " " <= letter <= "~" for letter in text):
        raise ValueError("Code 128 needs printable ASCII")
    if text.isdigit() and len(text) % 2 == 0:
        found = [_START_C, *(int(text[at : at + 2]) for at in range(0, len(text), 2))]
    else:
        found = [_START_B, *(ord(letter) - 32 for letter in text)]
    check = (found[0] + sum(position * value for position, value in enumerate(found))) % 103
    return [*found, check]


def modules(text: str) -> Sequence[int]:
    """Widths of bars and spaces by turns, beginning and ending with a bar."""
    return [int(width) for value in values(text) for width in _PATTERNS[value]] + [int(width) for width in _STOP]
