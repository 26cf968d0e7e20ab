"""The Accept header: how much a client wants each of the media types on offer (RFC 9110 section 12.5.1)."""

from __future__ import annotations

from typing import TypeAlias

Preference: TypeAlias = tuple[float, int, int]
"""Weight (0 is refused), precision of the range that says so, and its place in the header; more is better."""
_ANY: Preference = (1.0, 0, 0)


def preference(accept: str, offered: str) -> Preference:
    """How much `offered`, a media type or a range of the contract, is wanted. The most precise range decides."""
    bare = offered.partition(";")[0].strip().lower()
    best: Preference | None = None
    stated = [part for part in accept.split(",") if part.strip()]
    for place, part in enumerate(stated):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        precision = _precision(name, bare)
        if precision and (best is None or precision > best[1]):
            best = (_weight(parameters), precision, -place)
    if best is None:
        return _ANY if not stated else (0.0, 0, 0)
    return best


def _precision(wanted: str, offered: str) -> int:
    if wanted == offered:
        return 3
    if wanted.endswith("/*") and wanted != "*/*" and offered.startswith(wanted[:-1]):
        return 2
    return (
        1 if wanted == "*/*" or offered == "*/*" or (offered.endswith("/*") and wanted.startswith(offered[:-1])) else 0
    )


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 1.0
    return 1.0
