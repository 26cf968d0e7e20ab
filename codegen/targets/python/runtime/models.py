"""The base of all generated models, and JSON in and out for any type made of them.

How absence and null are told apart:

* required: `name: str`, or `name: str | None` when null is allowed;
* optional, null not allowed: `name: Omissible[str] = None`; None means absent,
  is never written, and a null on the wire is an error;
* optional, null allowed: `name: str | None = None`; absent until assigned, a
  None given by the caller is written as null;
* optional with a default in the contract: the attribute has the default, and
  it is written only when given by the caller.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Self, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, PydanticSerializationError, core_schema, to_json

from .strictness import is_strict, strict_requests

__all__ = [
    "Codec",
    "DirectedModel",
    "Model",
    "Omissible",
    "ValidationError",
    "constant",
    "is_strict",
    "property_count",
    "strict_requests",
]

T = TypeVar("T")

_CONFIG = ConfigDict(
    defer_build=True,
    extra="allow",
    validate_by_name=True,
    validate_by_alias=True,
    serialize_by_alias=True,
    allow_inf_nan=False,
    hide_input_in_errors=True,
    protected_namespaces=(),
    val_json_bytes="base64",
    ser_json_bytes="base64",
)


class _Constant:
    """Marks a required field whose value the constructor fills in."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def constant(value: T) -> T:
    """The default of a required property that has one value: constructors fill it in, readers demand it."""
    required = Field()
    required.metadata.append(_Constant(value))
    return cast("T", required)


class Model(BaseModel):
    """An object of a contract. Attributes may be assigned; properties the contract does not name are kept."""

    model_config = _CONFIG

    __constants__: ClassVar[dict[str, Any]] = {}

    @classmethod
    def from_json(cls, data: bytes | bytearray | str) -> Self:
        """Read JSON text. `ValidationError` when it is no JSON or breaks the contract; nothing is coerced."""
        return cls.model_validate_json(data, strict=True, by_alias=True, by_name=False)

    @classmethod
    def from_dict(cls, value: object) -> Self:
        """Read a JSON value that is parsed already: the same rules as `from_json`."""
        return cls.from_json(json_text(value))

    def to_json(self) -> bytes:
        """JSON text in UTF-8 with the contract's property names, absent ones left out."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_unset=True, warnings="error")

    def to_dict(self) -> dict[str, Any]:
        """The same as `to_json` as a JSON-compatible value."""
        value: dict[str, Any] = self.__pydantic_serializer__.to_python(
            self, mode="json", by_alias=True, exclude_unset=True, warnings="error"
        )
        return value

    def __init_subclass__(cls, **kwargs: Any) -> None:
        found = {
            name: mark.value
            for name, field in vars(cls).items()
            if isinstance(field, FieldInfo)
            for mark in field.metadata
            if isinstance(mark, _Constant)
        }
        if found:
            cls.__constants__ = {**cls.__constants__, **found}
        super().__init_subclass__(**kwargs)

    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:
            if self.__constants__:
                data = self.__constants__ | data
            self.__pydantic_validator__.validate_python(data, self_instance=self)

        __init__.__pydantic_base_init__ = True


class DirectedModel(Model):
    """A model of one direction, request or response: properties of the other direction are kept out of it."""

    __withheld__: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _keep_out(self) -> Self:
        extra = self.__pydantic_extra__ or {}
        for name in self.__withheld__ & extra.keys():
            if is_strict():
                raise PydanticCustomError("withheld", "'{name}' is not allowed here", {"name": name})
            del extra[name]
        return self


def property_count(least: int | None, most: int | None) -> Callable[[Any], Any]:
    """A validator of how many properties a model has that are present."""

    def check(model: Model) -> Model:
        count = len(model.to_dict())
        if (least is not None and count < least) or (most is not None and count > most):
            raise PydanticCustomError("property_count", "Object has {count} properties", {"count": count})
        return model

    return check


def json_text(value: object) -> bytes | str:
    """JSON text of a value that is parsed already."""
    try:
        return to_json(value)
    except PydanticSerializationError:
        return json.dumps(value)


class _NotNull:
    """Takes null away from an optional type in JSON; in Python None stays allowed and means absent."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        optional = handler(source)
        if optional["type"] != "nullable":
            return optional
        return core_schema.json_or_python_schema(json_schema=optional["schema"], python_schema=optional)


Omissible: TypeAlias = Annotated[T | None, Field(exclude_if=partial(operator.is_, None)), _NotNull()]
"""`T | None` for callers, where None means absent: never written, and not accepted as null."""


class Codec(Generic[T]):
    """JSON in and out for any annotation, such as `list[Order]`; built on first use.

    `Codec[list[Order]](list[Order])` follows the rules of `Model.from_json` and `Model.to_json`.
    """

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        annotation = self._annotation
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        return TypeAdapter(annotation, config=None if is_model else _CONFIG)

    def from_json(self, data: bytes | bytearray | str) -> T:
        """Read JSON text. `ValidationError` when it is no JSON or breaks the contract."""
        return self._adapter.validate_json(data, strict=True, by_alias=True, by_name=False)

    def from_value(self, value: object) -> T:
        """Read a JSON value that is parsed already."""
        return self.from_json(json_text(value))

    def from_text(self, text: str) -> T:
        """Read a scalar from plain text, as parameters and headers carry it: `true`, `12`, `2026-11-23`."""
        return self._adapter.validate_strings(text)

    def to_json(self, value: T) -> bytes:
        """JSON text in UTF-8."""
        return self._adapter.dump_json(value, by_alias=True, exclude_unset=True, warnings="error")

    def to_value(self, value: T) -> Any:
        """A JSON-compatible value."""
        return self._adapter.dump_python(value, mode="json", by_alias=True, exclude_unset=True, warnings="error")
