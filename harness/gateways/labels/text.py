"""Text that every label format can show."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Printable ASCII: accents are taken off, what has no such letter becomes a question mark."""
    taken = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    letters = (letter for letter in taken if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" else "?" for letter in letters)


def fitted(text: str, length: int) -> str:
    """`plain`, cut to a length."""
    return plain(text)[: max(length, 0)]
