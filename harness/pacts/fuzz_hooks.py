"""Loaded by Schemathesis: puts things that exist where generated requests name some, so that not all ends at 404.

`CONTRACT_TEST_THINGS` is a JSON object: `customer_id` for bodies, and for paths ids by the path's template up to the
parameter. Values that break the contract by intent stay as they are, and so do about half of the others.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from typing import Any

import schemathesis

THINGS: dict[str, str] = json.loads(os.environ.get("CONTRACT_TEST_THINGS", "{}"))
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


def chosen(value: Any) -> bool:
    """Whether a generated id is replaced: always the same decision for the same id."""
    return isinstance(value, str) and bool(_IDENTIFIER.match(value)) and zlib.crc32(value.encode()) % 2 == 0


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Customers act for themselves: another one's id would only ever be refused."""
    del context
    if isinstance(body, dict) and _IDENTIFIER.match(str(body.get("customer_id", ""))) and "customer_id" in THINGS:
        body = {**body, "customer_id": THINGS["customer_id"]}
    if isinstance(body, dict) and "cart_id" in THINGS and chosen(body.get("cart_id")):
        body = {**body, "cart_id": THINGS["cart_id"]}
    return body


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Things that exist in half of the paths."""
    if not isinstance(path_parameters, dict):
        return path_parameters
    template = str(context.operation.path)
    made = dict(path_parameters)
    for name, value in path_parameters.items():
        known = THINGS.get(template.partition(f"{{{name}}}")[0])
        if known is not None and chosen(value):
            made[name] = known
    return made
