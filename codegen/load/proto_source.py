"""Positions and comments of proto elements, from `SourceCodeInfo` (protobuf's descriptor.proto)."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorProto, SourceCodeInfo

from codegen.model.ids import Location

ElementPath = tuple[int, ...]
"""Field numbers and indexes that lead to an element: (4, 0, 2, 1) = message 0, field 1."""

MESSAGE, ENUM, SERVICE = 4, 5, 6
NESTED_MESSAGE, NESTED_ENUM, FIELD, ONEOF = 3, 4, 2, 8
ENUM_VALUE = 2
METHOD = 2

_DIRECTIVES = ("buf:lint:ignore", "@exclude", "(-- ")


class SourceMap:
    """Answers where an element of one file stands and what its author wrote about it."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._path = file.name
        self._found: dict[ElementPath, SourceCodeInfo.Location] = {}
        for location in file.source_code_info.location:
            path = location.path
            if len(path) % 2 == 0:
                self._found.setdefault(tuple(path), location)

    def location(self, path: ElementPath, full_name: str) -> Location:
        """Line and column from 1."""
        found = self._found.get(path)
        if found is None:
            return Location(path=self._path, pointer=full_name)
        line, column = found.span[0], found.span[1]
        return Location(path=self._path, line=line + 1, column=column + 1, pointer=full_name)

    def doc(self, path: ElementPath) -> str:
        """The comment before the element, then the one after it on its line; detached comments are not its own."""
        found = self._found.get(path)
        if found is None:
            return ""
        parts = [_clean(part) for part in (found.leading_comments, found.trailing_comments) if part]
        return "\n\n".join(part for part in parts if part)


def _clean(comment: str) -> str:
    lines = [line.rstrip().removeprefix(" ") for line in comment.splitlines()]
    return "\n".join(line for line in lines if not line.startswith(_DIRECTIVES)).strip()
