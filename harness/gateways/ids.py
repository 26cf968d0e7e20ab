"""Identifiers that look like a vendor's and are the same in every run with the same seed."""

from __future__ import annotations

import random
import string
import uuid

_BASE62 = string.ascii_letters + string.digits


class Ids:
    """Seeded; not for secrets."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 the same seed must give the same identifiers

    def token(self, length: int) -> str:
        """Letters and digits."""
        return "".join(self._random.choices(_BASE62, k=length))

    def upper(self, length: int) -> str:
        """Upper-case letters and digits."""
        return "".join(self._random.choices(string.ascii_uppercase + string.digits, k=length))

    def digits(self, length: int) -> str:
        """Digits, the first of which is not zero."""
        return self._random.choice("123456789") + "".join(self._random.choices(string.digits, k=length - 1))

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
