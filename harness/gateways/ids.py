"""Identifiers that look like a vendor's and are the same in every run with the same seed."""

from __future__ import annotations

import random
import string
import uuid


def _table(alphabet: str) -> bytes:
    """Every octet -> a character; that some come a little more often does no harm here."""
    return bytes(ord(alphabet[i % len(alphabet)]) for i in range(256))


_BASE62 = _table(string.ascii_letters + string.digits)
_UPPER = _table(string.ascii_uppercase + string.digits)
_DIGITS = _table(string.digits)


class Ids:
    """Seeded; not for secrets."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 the same seed must give the same identifiers

    def token(self, length: int) -> str:
        """Letters and digits."""
        return self._random.randbytes(length).translate(_BASE62).decode("ascii")

    def upper(self, length: int) -> str:
        """Upper-case letters and digits."""
        return self._random.randbytes(length).translate(_UPPER).decode("ascii")

    def digits(self, length: int) -> str:
        """Digits, the first of which is not zero."""
        return self._random.choice("123456789") + self._random.randbytes(length - 1).translate(_DIGITS).decode("ascii")

    def hex(self, length: int) -> str:
        """Lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * length):0{length}x}"

    def uuid(self) -> str:
        """A UUID of version 4 (RFC 9562 section 5.4)."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def reset(self) -> None:
        """Begin again."""
        self._random.seed(self._seed)

    def position(self) -> object:
        """What `restore` takes."""
        return self._random.getstate()

    def restore(self, position: object) -> None:
        """Back to an earlier `position`."""
        self._random.setstate(position)  # type: ignore[arg-type] # what `position` gave
