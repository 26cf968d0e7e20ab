"""Enumerations that survive values their contract does not know yet.

An unknown value becomes a member-like instance that is not listed, keeps the
value and reports `is_known` False. Equality and hash follow the value, so two
such instances are equal although they are not identical. Inside
`strict_requests` an unknown value is an error, unless the contract itself
declares the enumeration open (`__open__ = True`).
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar, TypeVar

from .strictness import is_strict

_E = TypeVar("_E", bound=Enum)


def _adopt(cls: type[_E], member: _E, value: object) -> _E:
    member._name_ = str(value)
    member._value_ = value
    member.__objclass__ = cls  # type: ignore[attr-defined]
    return member


class OpenEnum(str, Enum):
    """An enumeration of strings."""

    __open__: ClassVar[bool] = False

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str) or (is_strict() and not cls.__open__):
            return None
        return _adopt(cls, str.__new__(cls, value), value)

    @property
    def is_known(self) -> bool:
        """Whether the contract lists this value."""
        return self._value_ in type(self)._value2member_map_

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)


class OpenIntEnum(int, Enum):
    """An enumeration of integers."""

    __open__: ClassVar[bool] = False

    @classmethod
    def _missing_(cls, value: object) -> OpenIntEnum | None:
        if not isinstance(value, int) or isinstance(value, bool) or (is_strict() and not cls.__open__):
            return None
        return _adopt(cls, int.__new__(cls, value), value)

    @property
    def is_known(self) -> bool:
        """Whether the contract lists this value."""
        return self._value_ in type(self)._value2member_map_

    def __str__(self) -> str:
        return int.__repr__(self)

    def __format__(self, format_spec: str) -> str:
        return int.__format__(self, format_spec)


class OpenMixedEnum(Enum):
    """An enumeration of JSON values of several types; equal to another of its kind with an equal value."""

    __open__: ClassVar[bool] = False

    @classmethod
    def _missing_(cls, value: object) -> OpenMixedEnum | None:
        if not isinstance(value, (str, int, float, type(None))) or (is_strict() and not cls.__open__):
            return None
        return _adopt(cls, object.__new__(cls), value)

    @property
    def is_known(self) -> bool:
        """Whether the contract lists this value."""
        return any(self._value_ is member._value_ or self == member for member in type(self))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[bool, Any]:
        return isinstance(self._value_, bool), self._value_
