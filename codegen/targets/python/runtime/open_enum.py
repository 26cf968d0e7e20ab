"""Enumerations that survive values their contract does not know yet.

An unknown value becomes a member-like instance that is not listed, keeps the
value and reports `is_known` False. Equality and hash follow the value, so two
such instances are equal although they are not identical. Inside
`strict_requests` an unknown value is an error, unless the contract itself
declares the enumeration open (`__open__ = True`).
"""

from __future__ import annotations

from enum import Enum, IntEnum, StrEnum
from typing import Any, ClassVar, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .strictness import is_strict

_E = TypeVar("_E", bound=Enum)


def _value_of(member: Enum) -> object:
    return member.value


def _adopt(cls: type[_E], member: _E, value: object) -> _E:
    member._name_ = str(value)
    member._value_ = value
    vars(member)["__objclass__"] = cls
    return member


class OpenEnum(StrEnum):
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


class OpenIntEnum(IntEnum):
    """An enumeration of integers."""

    __open__: ClassVar[bool] = False

    @classmethod
    def _missing_(cls, value: object) -> OpenIntEnum | None:
        if not isinstance(value, int) or isinstance(value, bool) or (is_strict() and not cls.__open__):
            return None
        return _adopt(cls, int.__new__(cls, value), value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = core_schema.no_info_after_validator_function(cls, core_schema.int_schema())
        return core_schema.json_or_python_schema(
            json_schema=whole,
            python_schema=handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(int),
        )

    @property
    def is_known(self) -> bool:
        """Whether the contract lists this value."""
        return self._value_ in type(self)._value2member_map_


class OpenMixedEnum(Enum):
    """An enumeration of JSON values of several types; equal to another of its kind with an equal value."""

    __open__: ClassVar[bool] = False

    @classmethod
    def _missing_(cls, value: object) -> OpenMixedEnum | None:
        if not isinstance(value, (str, int, float, type(None))) or (is_strict() and not cls.__open__):
            return None
        return _adopt(cls, object.__new__(cls), value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        value = core_schema.no_info_after_validator_function(cls._of_value, core_schema.any_schema())
        return core_schema.json_or_python_schema(
            json_schema=value,
            python_schema=handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(_value_of),
        )

    @classmethod
    def _of_value(cls, value: object) -> OpenMixedEnum:
        member = cls(value)
        if isinstance(value, bool) is not isinstance(member._value_, bool):
            raise ValueError(f"{value!r} is not a valid {cls.__name__}")
        return member

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
