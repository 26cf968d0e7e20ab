"""Passwords: only their scrypt hashes are stored (RFC 7914), with cost and salt beside them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

_SALT, _LENGTH = 16, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one hash: `1024 * n` bytes of memory with r = 8, and time in proportion to `n * p`."""

    n: int = 2**14
    r: int = 8
    p: int = 5
    """With n = 2**14 and r = 8: OWASP's Password Storage Cheat Sheet."""


class Passwords:
    """Hashes in threads, `at_a_time` of them, so that log-ins cannot take all processors and memory."""

    def __init__(self, cost: Cost | None = None, *, at_a_time: int = 2) -> None:
        self._cost = cost or Cost()
        self._slots = asyncio.Semaphore(at_a_time)
        self._nobody = _encode(self._cost, secrets.token_bytes(_SALT), secrets.token_bytes(_LENGTH))

    async def hash(self, password: str) -> str:
        """A new hash: `scrypt$n$r$p$salt$hash`."""
        salt = secrets.token_bytes(_SALT)
        return _encode(self._cost, salt, await self._derive(password, self._cost, salt))

    async def fits(self, password: str, stored: str | None) -> bool:
        """Whether the hash is that of the password. None, when there is nobody, takes as long and is false."""
        name, n, r, p, salt, expected = (stored or self._nobody).split("$")
        if name != "scrypt":
            raise ValueError(f"no hash of this service: {name}")
        cost = Cost(n=int(n), r=int(r), p=int(p))
        derived = await self._derive(password, cost, base64.b64decode(salt))
        return hmac.compare_digest(derived, base64.b64decode(expected)) and stored is not None

    async def _derive(self, password: str, cost: Cost, salt: bytes) -> bytes:
        def derive() -> bytes:
            memory = 128 * cost.r * (cost.n + cost.p + 2)
            return hashlib.scrypt(
                password.encode(), salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory + 2**20, dklen=_LENGTH
            )

        async with self._slots:
            return await asyncio.to_thread(derive)


def _encode(cost: Cost, salt: bytes, derived: bytes) -> str:
    texts = (base64.b64encode(each).decode() for each in (salt, derived))
    return "$".join(("scrypt", str(cost.n), str(cost.r), str(cost.p), *texts))
