"""Assertions of JSON Schema as arguments of pydantic's `Field`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from codegen.diagnostics import Diagnostics
from codegen.model.ids import Location
from codegen.model.types import Constraints, Primitive
from codegen.targets.python.patterns import Pattern, UnsupportedPattern, translate
from codegen.targets.python.writer import PythonFile, text

TEXT = frozenset({Primitive.STRING, Primitive.URI, Primitive.EMAIL, Primitive.HOSTNAME, Primitive.IPV4, Primitive.IPV6})

_WIDTHS = {
    Primitive.INT32: (-(2**31), 2**31 - 1),
    Primitive.INT64: (-(2**63), 2**63 - 1),
    Primitive.UINT32: (0, 2**32 - 1),
    Primitive.UINT64: (0, 2**64 - 1),
}
INTEGERS = frozenset({*_WIDTHS, Primitive.INTEGER})
_NUMBERS = INTEGERS | {Primitive.FLOAT, Primitive.DOUBLE, Primitive.NUMBER, Primitive.DECIMAL_NUMBER}


def length_arguments(least: int | None, most: int | None) -> list[str]:
    """`min_length=`, `max_length=`."""
    return [*([f"min_length={least}"] if least else []), *([f"max_length={most}"] if most is not None else [])]


def number_arguments(
    primitive: Primitive, rules: Constraints, file: PythonFile, diagnostics: Diagnostics, location: Location
) -> list[str]:
    """Bounds and `multiple_of`; the bounds of the width fill in for those the contract does not give."""
    if (
        primitive not in _NUMBERS
        or (rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum, rules.multiple_of)
        == (None,) * 5
    ):
        return []
    if primitive in INTEGERS:
        return list(_integer_arguments(primitive, rules, diagnostics, location))
    found = (
        ("gt", rules.exclusive_minimum),
        ("ge", rules.minimum),
        ("lt", rules.exclusive_maximum),
        ("le", rules.maximum),
        ("multiple_of", rules.multiple_of),
    )
    if primitive is Primitive.DECIMAL_NUMBER:
        decimal = file.ref("decimal", "Decimal")
        return [
            f"{name}={value}" if isinstance(value, int) else f"{name}={decimal}({text(repr(value))})"
            for name, value in found
            if value is not None
        ]
    return [f"{name}={value!r}" for name, value in found if value is not None]


def _integer_arguments(
    primitive: Primitive, rules: Constraints, diagnostics: Diagnostics, location: Location
) -> Iterator[str]:
    least, most = _WIDTHS.get(primitive, (None, None))
    lows = [least, _rounded(rules.minimum, math.ceil), _after(_rounded(rules.exclusive_minimum, math.floor), 1)]
    highs = [most, _rounded(rules.maximum, math.floor), _after(_rounded(rules.exclusive_maximum, math.ceil), -1)]
    if any(low is not None for low in lows):
        yield f"ge={max(low for low in lows if low is not None)}"
    if any(high is not None for high in highs):
        yield f"le={min(high for high in highs if high is not None)}"
    step = rules.multiple_of
    if step is None or 1 % Fraction(repr(step)) == 0:
        return
    if Fraction(repr(step)).denominator == 1:
        yield f"multiple_of={int(step)}"
    else:
        diagnostics.unsupported(
            "python/constraint",
            f"multipleOf {step} on an integer is not checked",
            location,
            hint="check it in your own code",
        )


def _rounded(value: float | None, towards: Callable[[float | int], int]) -> int | None:
    return None if value is None else towards(value)


def _after(value: int | None, step: int) -> int | None:
    return None if value is None else value + step


def pattern_parts(rules: Constraints, diagnostics: Diagnostics, location: Location) -> tuple[list[str], str]:
    """(arguments for `Field`, argument for `Matches`): at most one of them is not empty."""
    pattern = _translated(rules, diagnostics, location)
    if pattern is None:
        return [], ""
    spelled = raw_text(pattern.text)
    return ([f"pattern={spelled}"], "") if pattern.linear else ([], spelled)


def decimal_text(rules: Constraints, diagnostics: Diagnostics, location: Location) -> list[str]:
    """Arguments of `ExactText`."""
    arguments = length_arguments(rules.min_length, rules.max_length)
    pattern = _translated(rules, diagnostics, location)
    if pattern is not None and pattern.linear:
        arguments.insert(0, f"pattern={raw_text(pattern.text)}")
    elif pattern is not None:
        diagnostics.unsupported(
            "python/pattern",
            "look-around in the pattern of a decimal is not checked",
            location,
            hint="check it in your own code, or write the pattern without look-around",
        )
    return arguments


def _translated(rules: Constraints, diagnostics: Diagnostics, location: Location) -> Pattern | None:
    if rules.pattern is None:
        return None
    try:
        return translate(rules.pattern)
    except UnsupportedPattern as error:
        diagnostics.unsupported(
            "python/pattern",
            f"the pattern is not checked: {error}",
            location,
            hint="use what JSON Schema recommends for interoperable patterns",
        )
        return None


def raw_text(value: str) -> str:
    """A raw string literal where one can hold the text."""
    plain = value.isascii() and value.isprintable() and not value.endswith("\\")
    if plain and "\\" in value and '"' not in value:
        return f'r"{value}"'
    return text(value)
