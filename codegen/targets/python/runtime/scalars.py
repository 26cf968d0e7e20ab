"""Scalar types of JSON contracts, as annotations whose work is done inside pydantic-core.

Capitalised names, so that no property name of a contract can hide them.
"""

from __future__ import annotations

import base64
import datetime
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import AwareDatetime, Field, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .strictness import is_strict

__all__ = [
    "EXACT_NUMBER",
    "EXACT_TEXT",
    "WIDE",
    "Base64",
    "Date",
    "DateTime",
    "DecimalNumber",
    "DecimalText",
    "Duration",
    "EqualTo",
    "Int32",
    "Int64",
    "Matches",
    "Never",
    "TupleWithRest",
    "UInt32",
    "UInt64",
    "Unique",
    "Uuid",
    "WallTime",
]

DateTime: TypeAlias = AwareDatetime
"""RFC 3339, always with an offset; digits after the microsecond are cut off."""
Date: TypeAlias = datetime.date
WallTime: TypeAlias = datetime.time
Uuid: TypeAlias = uuid.UUID

MAX_EXACT_DIGITS = 15
"""Every decimal number of so many digits survives the way through a binary double (IEEE 754, DBL_DIG)."""


_INTEGER_TEXT = r"^-?(0|[1-9][0-9]{0,19})$"


class _Wide:
    """A 64-bit integer: a JSON number; clients accept the string spelling of proto3 JSON, too."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number = handler(source)
        text = core_schema.chain_schema(
            [
                core_schema.no_info_after_validator_function(_integer, core_schema.str_schema(pattern=_INTEGER_TEXT)),
                number,
            ]
        )
        either = core_schema.union_schema([number, (text, "<text>")], mode="left_to_right")
        return core_schema.json_or_python_schema(
            json_schema=either, python_schema=number, serialization=core_schema.simple_ser_schema("int")
        )


def _integer(value: str) -> int:
    if is_strict():
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return int(value)


WIDE = _Wide()
Int32: TypeAlias = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
UInt32: TypeAlias = Annotated[int, Field(ge=0, le=2**32 - 1)]
Int64: TypeAlias = Annotated[int, Field(ge=-(2**63), le=2**63 - 1), WIDE]
UInt64: TypeAlias = Annotated[int, Field(ge=0, le=2**64 - 1), WIDE]


class _ExactNumber:
    """A decimal that is a JSON number on the wire, never rounded: what cannot be exact is an error, both ways.

    pydantic-core hands over fractions as doubles. A double stands for one
    decimal of up to `MAX_EXACT_DIGITS` digits; a longer one is refused.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        decimal = handler(source)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_before_validator_function(_decimal_of_number, decimal),
            python_schema=decimal,
            serialization=core_schema.plain_serializer_function_ser_schema(number_of_decimal, when_used="json"),
        )


def _decimal_of_number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("decimal_type", "Input should be a valid number")
    exact = Decimal(repr(value))
    if isinstance(value, float) and exact.is_finite() and len(exact.as_tuple().digits) > MAX_EXACT_DIGITS:
        raise PydanticCustomError(
            "decimal_inexact",
            "Number has more than {digits} digits and cannot be read exactly",
            {"digits": MAX_EXACT_DIGITS},
        )
    return exact


def number_of_decimal(value: Decimal) -> int | float:
    """The JSON number equal to `value`. ValueError when there is none of at most 15 significant digits."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a JSON number")
    if value == value.to_integral_value() and value.adjusted() < 1000:
        return int(value)
    number = float(value)
    if len(value.normalize().as_tuple().digits) > MAX_EXACT_DIGITS or Decimal(repr(number)) != value:
        raise ValueError(f"{value} cannot be written exactly as a JSON number")
    return number


EXACT_NUMBER = _ExactNumber()
DecimalNumber: TypeAlias = Annotated[Decimal, EXACT_NUMBER]


@dataclass(frozen=True, slots=True)
class ExactText:
    """A decimal that is a JSON string on the wire, written without exponent; the rules are those of the text."""

    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        decimal = handler(source)
        text = core_schema.str_schema(pattern=self.pattern, min_length=self.min_length, max_length=self.max_length)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema(
                [core_schema.no_info_after_validator_function(_decimal_of_text, text), decimal]
            ),
            python_schema=decimal,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _text_of_decimal, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )


_DECIMAL_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def _decimal_of_text(value: str) -> Decimal:
    if not _DECIMAL_TEXT.fullmatch(value):
        raise PydanticCustomError("decimal_parsing", "Input should be a decimal number as text")
    return Decimal(value)


def _text_of_decimal(value: Decimal) -> str:
    return format(value, "f")


EXACT_TEXT = ExactText()
DecimalText: TypeAlias = Annotated[Decimal, EXACT_TEXT]


def _base64_text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


Base64: TypeAlias = Annotated[bytes, PlainSerializer(_base64_text, return_type=str, when_used="json")]
"""Octets; a base64 string in JSON (RFC 4648 section 4; the URL-safe alphabet is read, too)."""


class _Duration:
    """ISO 8601 without years and months, which have no fixed length."""

    _SHAPE = re.compile(
        r"([+-])?P(?=[0-9T])(?:(\d+)W)?(?:(\d+)D)?"
        r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?",
        re.ASCII,
    )

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        duration = handler(source)
        text = core_schema.no_info_after_validator_function(self._parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([text, duration]),
            python_schema=duration,
            serialization=core_schema.plain_serializer_function_ser_schema(
                text_of_duration, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def _parse(self, value: str) -> datetime.timedelta:
        shape = self._SHAPE.fullmatch(value)
        if shape is None:
            raise PydanticCustomError(
                "duration_parsing", "Input should be an ISO 8601 duration without years and months"
            )
        sign, weeks, days, hours, minutes, seconds = shape.groups()
        try:
            length = datetime.timedelta(
                weeks=int(weeks or 0),
                days=int(days or 0),
                hours=int(hours or 0),
                minutes=int(minutes or 0),
                seconds=float(seconds or 0),
            )
        except OverflowError:
            raise PydanticCustomError("duration_too_large", "Duration is too long") from None
        return -length if sign == "-" else length


def text_of_duration(value: datetime.timedelta) -> str:
    """ISO 8601 in days and seconds: `P1DT30.5S`, `-PT5S`."""
    sign = "-" if value < datetime.timedelta(0) else ""
    length = abs(value)
    seconds = f"{length.seconds}.{length.microseconds:06d}".rstrip("0").rstrip(".")
    days = f"{length.days}D" if length.days else ""
    clock = f"T{seconds}S" if seconds != "0" or not days else ""
    return f"{sign}P{days}{clock}"


Duration: TypeAlias = Annotated[datetime.timedelta, _Duration()]


@dataclass(frozen=True, slots=True)
class Matches:
    """Text in which a Python regular expression is found; for patterns that pydantic's linear engine cannot run."""

    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        compiled = re.compile(self.pattern)

        def check(value: str) -> str:
            if compiled.search(value) is None:
                raise PydanticCustomError(
                    "string_pattern_mismatch", "String should match pattern '{pattern}'", {"pattern": self.pattern}
                )
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))


@dataclass(frozen=True, slots=True, eq=False)
class EqualTo:
    """One JSON value that `Literal` cannot hold: a fraction, an array or an object."""

    value: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any) -> Any:
        if value != self.value:
            raise PydanticCustomError("constant", "Input should be {expected}", {"expected": repr(self.value)})
        return value


class Unique:
    """A list without equal items (JSON Schema 2020-12 validation, 6.4.3)."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_all_differ, handler(source))


def _all_differ(items: list[Any]) -> list[Any]:
    try:
        differ = len(set(items)) == len(items)
    except TypeError:
        differ = all(item not in items[:index] for index, item in enumerate(items))
    if not differ:
        raise PydanticCustomError("unique_items", "List should have no equal items")
    return items


class TupleWithRest:
    """For `tuple[A, B, *tuple[C, ...]]`, whose tail pydantic does not read."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        *items, rest = get_args(source)
        (tail,) = get_args(rest) or (rest,)
        item, _ = get_args(tail)
        return core_schema.tuple_schema(
            [handler.generate_schema(one) for one in [*items, item]], variadic_item_index=len(items)
        )


class _Nothing:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_refuse)


def _refuse(value: object) -> None:
    raise PydanticCustomError("never", "No value is allowed here")


Never: TypeAlias = Annotated[None, _Nothing()]
"""The schema `false`."""
