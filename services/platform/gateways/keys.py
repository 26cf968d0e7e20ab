"""Idempotency keys: the same for each attempt of a step of a saga, different for everything else."""

from __future__ import annotations

import re

MAX_KEY = 108
"""What every gateway takes: PayPal 108 characters, Stripe 255."""
_PART = re.compile(r"[A-Za-z0-9._~-]+")


def idempotency_key(saga: str, step: str, attempt: int = 1) -> str:
    """`<saga>/<step>`, and `/<attempt>` for a new attempt after a decline. ValueError for parts that cannot be one."""
    for name, part in (("saga", saga), ("step", step)):
        if not _PART.fullmatch(part):
            raise ValueError(f"{name} must be letters, digits and . _ ~ -, not {part!r}")
    if attempt < 1:
        raise ValueError("attempt counts from 1")
    key = f"{saga}/{step}" if attempt == 1 else f"{saga}/{step}/{attempt}"
    if len(key) > MAX_KEY:
        raise ValueError(f"a key has at most {MAX_KEY} characters, this one would have {len(key)}")
    return key
