"""Text -> JSON values: what a parameter or form field says, by the shape that the contract gives it."""

from __future__ import annotations

import json
import re
from typing import Any

from .http_operation import Shape


class ParameterError(ValueError):
    """A value that the wire cannot carry, or text that is no value. `parameter` is its name, `kind` pydantic's rule."""

    def __init__(self, parameter: str, message: str, kind: str = "value_error") -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter
        self.message = message
        self.kind = kind


_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,39})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,39})(?:\.\d{1,40})?(?:[eE][-+]?\d{1,4})?", re.ASCII)


def convert(name: str, text: str, shape: Shape) -> Any:
    """Text -> JSON value of the shape. Raises `ParameterError`."""
    if shape == "string":
        return text
    if shape == "integer":
        if not _INTEGER.fullmatch(text):
            raise ParameterError(name, "is not an integer", "int_parsing")
        return int(text)
    if shape == "number":
        if not _NUMBER.fullmatch(text):
            raise ParameterError(name, "is not a number", "float_parsing")
        return float(text)
    if shape == "decimal":
        if not _NUMBER.fullmatch(text):
            raise ParameterError(name, "is not a number", "float_parsing")
        return text
    if shape == "boolean":
        if text not in ("true", "false"):
            raise ParameterError(name, "must be `true` or `false`", "bool_parsing")
        return text == "true"
    if isinstance(shape, tuple):
        return _first_alternative(name, text, shape)
    return _loose(text)


def _first_alternative(name: str, text: str, shapes: tuple[Shape, ...]) -> Any:
    for shape in shapes:
        try:
            value = convert(name, text, shape)
        except ParameterError:
            continue
        if not isinstance(shape, (dict, list)) or isinstance(value, type(shape)):
            return value
    raise ParameterError(name, "is none of the allowed kinds of value")


def _loose(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
