"""Where a contract element stands, and what it is called across contracts.

An id is the stable, language-neutral name of one node of the graph:

* proto elements: the fully qualified name, ``order.v1.Order`` or
  ``order.v1.OrderService/GetOrder``;
* everything else: the contract's path and a JSON pointer (RFC 6901),
  ``gateway/v1/openapi.yaml#/components/schemas/Order``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

TypeId = NewType("TypeId", str)
OperationId = NewType("OperationId", str)
ChannelId = NewType("ChannelId", str)
MessageId = NewType("MessageId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a contract file.

    ``path`` is relative to the contracts folder, with ``/``. ``line`` and
    ``column`` count from 1; 0 means the whole file. ``pointer`` is the JSON
    pointer of the element, or its full name in proto.
    """

    path: str
    line: int = 0
    column: int = 0
    pointer: str = ""

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}"


NOWHERE = Location(path="")
