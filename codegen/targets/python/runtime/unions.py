"""Unions told apart by a property, with a place for members the contract does not know yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .models import Model
from .strictness import is_strict

UNKNOWN = "<unknown>"
UNTAGGED = "<untagged>"
"""Labels of the fallbacks in the locations of validation errors."""


class UnknownVariant(Model):
    """A union member that this version of the contract does not list; every property is kept."""


@dataclass(frozen=True)
class Discriminated:
    """Annotates a union: property `name` (attribute `attribute`) selects the member in `mapping`.

    A member of the union that derives from `UnknownVariant` takes objects with
    any other value, unless requests are read strictly. Where the property is
    `optional`, an object without it is told apart by its shape.
    """

    name: str
    attribute: str
    mapping: Mapping[str | int, Any]
    optional: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        members = get_args(source)
        choices = {tag: handler.generate_schema(member) for tag, member in self.mapping.items()}
        paths: list[list[str | int]] = [[self.name]]
        if self.attribute != self.name:
            paths.append([self.attribute])
        tagged = core_schema.tagged_union_schema(choices, discriminator=paths, from_attributes=True)
        unknown = [m for m in members if isinstance(m, type) and issubclass(m, UnknownVariant)]
        if not unknown:
            return tagged
        fallback = core_schema.no_info_after_validator_function(self._check, handler.generate_schema(unknown[0]))
        found: list[CoreSchema | tuple[CoreSchema, str]] = [tagged, (fallback, UNKNOWN)]
        if self.optional:
            by_shape = core_schema.union_schema(list(choices.values()))
            found.append((core_schema.no_info_wrap_validator_function(self._untagged, by_shape), UNTAGGED))
        return core_schema.union_schema(found, mode="left_to_right")

    def _untagged(self, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        tag = (
            value.get(self.name, value.get(self.attribute))
            if isinstance(value, dict)
            else getattr(value, self.attribute, None)
        )
        if tag is not None:
            raise PydanticCustomError("unknown_variant", "'{tag}' is not one of the known values", {"tag": str(tag)})
        return handler(value)

    def _check(self, value: UnknownVariant) -> UnknownVariant:
        tag = getattr(value, self.attribute)
        if is_strict() or tag in self.mapping:
            raise PydanticCustomError("unknown_variant", "'{tag}' is not one of the known values", {"tag": str(tag)})
        return value
