"""How many messages a text is billed as (3GPP TS 23.038 sections 6.2.1 and 6.2.3, TS 23.040 section 9.2.3.24.1).

All of it in the GSM 7-bit alphabet: 160 septets, or 153 in each part. Otherwise UCS-2: 70 code units, or 67.
A character of two septets, or of two code units, is not divided between parts.
"""

from __future__ import annotations

from collections.abc import Iterable

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_LOOK_ALIKES = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u0060": "'", "\u00b4": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u2033": '"', "\u00ab": '"', "\u00bb": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
        "\u2026": "...", "\u2022": "*", "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ",
        "\u200b": "", "\ufeff": "", "\u00ae": "(R)", "\u00a9": "(C)", "\u2122": "(TM)", "\u2044": "/", "\t": " ",
    }
)  # fmt: skip


def count_segments(text: str) -> int:
    """Parts of a text; at least 1."""
    if all(each in _BASIC or each in _EXTENDED for each in text):
        return _parts((2 if each in _EXTENDED else 1 for each in text), 160, 153)
    return _parts((2 if ord(each) > 0xFFFF else 1 for each in text), 70, 67)


def smart_encoded(text: str) -> str:
    """Typographic characters replaced by look-alikes of the GSM alphabet, as `SmartEncoded` asks for."""
    return text.translate(_LOOK_ALIKES)


def _parts(sizes: Iterable[int], alone: int, each: int) -> int:
    listed = list(sizes)
    if sum(listed) <= alone:
        return 1
    count, used = 1, 0
    for size in listed:
        if used + size > each:
            count, used = count + 1, 0
        used += size
    return count
